"""What the store of quizzes promises: everything comes back, the first change counts, owners are apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from rag.quiz_types import Grade, Plan, PointVerdict, QuizRequest, Response, Slot
from rag.storage.engine import Database
from rag.storage.quizzes import Quizzes
from rag.types import Usage
from tests.quizzing import choice_question, open_question

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FIRST, SECOND = open_question(n=1), choice_question()
REQUEST = QuizRequest(
    n=2,
    mode="interview",
    topics=("agents",),
    level="senior",
    minutes=20,
    max_cost_usd=Decimal("0.250"),
    question_ids=("a", "b"),
    max_steps=3,
)
PLAN = Plan(
    (Slot("agents", "mid", "open", "due for review", FIRST.id), Slot("agents", "mid", "mcq", "new")),
    3,
    20,
    Decimal("0.250"),
)
GRADE = Grade(
    "llm",
    "graded",
    verdicts=(PointVerdict("claim", "met", True, 3, "words", FIRST.evidence, "Said so."),),
    score=0.75,
    not_mentioned=("other",),
    model="m",
    usage=Usage(10, 2, 3, Decimal("0.00012"), True),
)
ANSWER = Response(text="Words. \U0001f40d", guessed=True, seconds=12.5)


@pytest.fixture
def quizzes(tmp_path):
    """A store that looks at a clock that goes on by a second with every look."""
    database = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    moments = (NOON + timedelta(seconds=n) for n in range(1_000))
    yield Quizzes(database, lambda: next(moments))
    database.close()


@pytest.fixture
def quiz_id(quizzes):
    """A quiz of ann."""
    return quizzes.create("ann", REQUEST, PLAN, FIRST, "due for review")


def ask_second(quizzes, quiz_id):
    """Answer the first question and ask the second."""
    assert quizzes.answer(quiz_id, "ann", 0, ANSWER, "waiting", None)
    assert quizzes.advance(quizzes.get(quiz_id, "ann"), PLAN, SECOND, None, "not asked yet")


def test_a_quiz_comes_back_as_it_was_planned(quizzes, quiz_id):
    session = quizzes.get(quiz_id, "ann")
    assert (session.id, session.owner, session.mode) == (quiz_id, "ann", "interview")
    assert (session.request, session.plan) == (REQUEST, PLAN)
    assert (session.state, session.stop_reason, session.position) == ("running", "", 0)
    assert (session.started_at, session.updated_at, session.finished_at) == (NOON, NOON, None)
    assert session.current.question == FIRST
    assert session.current.reason == "due for review"
    assert (session.current.response, session.current.grading) == (None, "none")


def test_an_answer_with_its_grade_comes_back_to_the_cent(quizzes, quiz_id):
    assert quizzes.show(quiz_id, "ann", 0)
    assert not quizzes.show(quiz_id, "ann", 0)
    assert quizzes.save_draft(quiz_id, "ann", 0, "Wor", guessing=True)
    kept = quizzes.get(quiz_id, "ann").current
    assert (kept.draft, kept.guessing) == ("Wor", True)
    assert quizzes.answer(quiz_id, "ann", 0, ANSWER, "waiting", None)
    item = quizzes.get(quiz_id, "ann").current
    assert (item.response, item.grading, item.draft) == (ANSWER, "waiting", "")
    assert item.shown_at is not None
    assert item.answered_at is not None
    assert item.shown_at < item.answered_at
    assert quizzes.grade(quiz_id, "ann", 0, GRADE)
    item = quizzes.get(quiz_id, "ann").current
    assert (item.grade, item.grading) == (GRADE, "done")
    assert item.grade is not None
    assert str(item.grade.usage.cost_usd) == "0.00012"


def test_the_first_answer_and_the_first_grade_count(quizzes, quiz_id):
    assert quizzes.answer(quiz_id, "ann", 0, ANSWER, "waiting", None)
    assert not quizzes.answer(quiz_id, "ann", 0, Response(text="late"), "waiting", None)
    assert not quizzes.save_draft(quiz_id, "ann", 0, "late")
    assert not quizzes.add_hint(quiz_id, "ann", 0, 2)
    assert quizzes.fail_grading(quiz_id, "ann", 0, "The model is away.")
    assert quizzes.grade(quiz_id, "ann", 0, GRADE)
    assert not quizzes.grade(quiz_id, "ann", 0, replace(GRADE, score=0.0))
    assert not quizzes.fail_grading(quiz_id, "ann", 0, "late")
    item = quizzes.get(quiz_id, "ann").current
    assert (item.response, item.grade, item.grading_error, item.hints) == (ANSWER, GRADE, "", 0)


def test_hints_are_counted_up_to_what_there_is(quizzes, quiz_id):
    assert [quizzes.add_hint(quiz_id, "ann", 0, 2) for _ in range(3)] == [True, True, False]
    assert quizzes.get(quiz_id, "ann").current.hints == 2


def test_the_next_question_is_asked_once_from_the_same_place(quizzes, quiz_id):
    before = quizzes.get(quiz_id, "ann")
    ask_second(quizzes, quiz_id)
    assert not quizzes.advance(before, PLAN, replace(SECOND, id="other"), None, "late")
    assert not quizzes.finish(quiz_id, "ann", "time_limit", at=0)
    session = quizzes.get(quiz_id, "ann")
    assert [item.question.id for item in session.items] == [FIRST.id, SECOND.id]
    assert (session.position, session.state) == (1, "running")
    assert session.current.question.options == SECOND.options


def test_a_finished_quiz_takes_no_answer_but_a_grade_and_remarks(quizzes, quiz_id):
    ask_second(quizzes, quiz_id)
    assert quizzes.finish(quiz_id, "ann", "ended")
    finished = quizzes.get(quiz_id, "ann")
    assert not quizzes.finish(quiz_id, "ann", "done")
    assert not quizzes.answer(quiz_id, "ann", 1, Response(option=0), "done", Grade("key", "graded"))
    assert not quizzes.advance(finished, PLAN, replace(SECOND, id="other"), None, "late")
    assert quizzes.grade(quiz_id, "ann", 0, GRADE)
    assert quizzes.rate(quiz_id, "ann", 0, "hard")
    assert quizzes.disagree(quiz_id, "ann", 0, "I said so.")
    assert quizzes.report(quiz_id, "ann", 1, "Two are right.")
    assert not quizzes.rate(quiz_id, "ann", 1, "good")
    session = quizzes.get(quiz_id, "ann")
    assert (session.stop_reason, session.finished_at) == ("ended", finished.finished_at)
    first, second = session.items
    assert (first.self_rating, first.disagreement, first.grade) == ("hard", "I said so.", GRADE)
    assert (second.report, second.response) == ("Two are right.", None)


def test_nobody_sees_or_changes_the_quiz_of_another(quizzes, quiz_id):
    assert quizzes.get(quiz_id, "bob") is None
    assert quizzes.unfinished("bob") is None
    assert quizzes.list("bob") == []
    assert quizzes.asked("bob") == {}
    assert quizzes.stamp("bob") == (0, None)
    changes = (
        lambda: quizzes.answer(quiz_id, "bob", 0, ANSWER, "waiting", None),
        lambda: quizzes.save_draft(quiz_id, "bob", 0, "x"),
        lambda: quizzes.show(quiz_id, "bob", 0),
        lambda: quizzes.add_hint(quiz_id, "bob", 0, 2),
        lambda: quizzes.report(quiz_id, "bob", 0, "x"),
        lambda: quizzes.finish(quiz_id, "bob", "ended"),
    )
    before = quizzes.get(quiz_id, "ann")
    assert [change() for change in changes] == [False] * len(changes)
    assert quizzes.get(quiz_id, "ann") == before


def test_the_quiz_that_was_started_last_comes_first_and_the_one_used_last_goes_on(quizzes, quiz_id):
    later = quizzes.create("ann", REQUEST, PLAN, FIRST, "")
    assert quizzes.unfinished("ann").id == later
    ask_second(quizzes, quiz_id)
    assert quizzes.unfinished("ann").id == quiz_id
    assert [session.id for session in quizzes.list("ann")] == [later, quiz_id]
    assert [session.id for session in quizzes.list("ann", limit=1)] == [later]
    assert quizzes.finish(quiz_id, "ann", "done")
    assert quizzes.unfinished("ann").id == later


def test_what_was_asked_is_known_as_it_was_asked_last_without_follow_ups(quizzes, quiz_id):
    ask_second(quizzes, quiz_id)
    assert quizzes.answer(quiz_id, "ann", 1, Response(option=1), "done", Grade("key", "graded", right=True))
    follow_up = replace(FIRST, id=f"{FIRST.id}/follow-up")
    assert quizzes.advance(quizzes.get(quiz_id, "ann"), PLAN, follow_up, 0, "follow-up")
    changed = replace(FIRST, prompt="What is open now?")
    quizzes.create("ann", REQUEST, PLAN, changed, "")
    assert quizzes.asked("ann") == {FIRST.id: changed, SECOND.id: SECOND}
    assert quizzes.asked_ids("ann") == {FIRST.id, SECOND.id}
    assert quizzes.asked_ids("bob") == set()


def test_every_change_of_a_quiz_changes_the_stamp_of_its_owner(quizzes, quiz_id):
    ask_second(quizzes, quiz_id)
    stamps = [quizzes.stamp("ann")]
    for change in (
        lambda: quizzes.grade(quiz_id, "ann", 0, GRADE),
        lambda: quizzes.rate(quiz_id, "ann", 0, "hard"),
        lambda: quizzes.disagree(quiz_id, "ann", 0, "I said so."),
        lambda: quizzes.report(quiz_id, "ann", 0, "It is wrong."),
        lambda: quizzes.finish(quiz_id, "ann", "ended"),
    ):
        assert change()
        stamps.append(quizzes.stamp("ann"))
    assert len(set(stamps)) == len(stamps)
