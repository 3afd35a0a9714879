"""Quizzes as they are taken: whatever is clicked in whatever order, and whenever the process dies."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rag.errors import BudgetExceeded, InvalidInput, ProviderUnavailable
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz.hints import hints_of
from rag.quiz.planning import Needs
from rag.quiz_types import QuizRequest, Response
from rag.storage.engine import Database
from rag.storage.ledger import CallRecord, Ledger
from rag.storage.questions import Questions
from rag.types import Usage
from tests.quizzing import POOL, Clock, Hint, Judge, SmallPool, embed, open_question, sessions_on

PRACTICE = QuizRequest(n=3, kind="open", seed=1)
INTERVIEW = QuizRequest(n=3, mode="interview", kind="open", seed=1)
TEXT = Response(text="An answer of more than five words.")
AWAY = ProviderUnavailable("The model is away.", hint="Try again.")


@pytest.fixture
def database(tmp_path):
    """An empty database."""
    opened = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield opened
    opened.close()


def answer(sessions, quiz_id, response=TEXT, grader=None):
    """Answer the current question, grade a text if somebody grades, and return the quiz."""
    session = sessions.get(quiz_id, "ann")
    position = session.position
    if session.current.question.kind == "mcq" and response.option is None:
        response = Response(option=session.current.question.answer)
    sessions.submit(quiz_id, "ann", position, response)
    if grader is not None and sessions.get(quiz_id, "ann").items[position].grading == "waiting":
        sessions.grade(quiz_id, "ann", position, grader)
    return sessions.get(quiz_id, "ann")


def taken(sessions, quiz_id, grader):
    """Answer everything that comes and return the finished quiz."""
    while sessions.get(quiz_id, "ann").state == "running":
        answer(sessions, quiz_id, grader=grader)
        sessions.next(quiz_id, "ann")
    return sessions.get(quiz_id, "ann")


def test_practice_knows_all_its_questions_from_the_start(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(replace(PRACTICE, n=9, kind=None, follow_ups=False), "ann")
    planned = [slot.question_id for slot in sessions.get(quiz_id, "ann").plan.slots]
    assert len(set(planned)) == 9
    finished = taken(sessions, quiz_id, Judge())
    assert [item.question.id for item in finished.items] == planned
    assert (finished.state, finished.stop_reason) == ("finished", "done")
    assert {slot.topic for slot in finished.plan.slots} == {"agents", "caching", "retrieval"}


def test_practice_begins_with_what_is_due_then_weak_then_new(database):
    needs = Needs(due={"caching-mid-open-1": "due for review"}, weak={"retrieval": "weak topic"})
    sessions = sessions_on(database, needs=needs)
    plan = sessions.get(sessions.start(replace(PRACTICE, target_weak=True), "ann"), "ann").plan
    assert [slot.topic for slot in plan.slots] == ["caching", "retrieval", "retrieval"]
    assert [slot.reason for slot in plan.slots] == ["due for review", "weak topic", "weak topic"]


def test_what_an_interview_should_ask_first_is_found_once_for_all_its_questions(database):
    looked = []

    def needs(owner):
        looked.append(owner)
        return Needs(weak={"retrieval": "weak topic"})

    sessions = sessions_on(database, find_needs=needs)
    finished = taken(sessions, sessions.start(replace(INTERVIEW, target_weak=True), "ann"), Judge())
    assert finished.items[0].question.topic == "retrieval"
    assert looked == ["ann"]


def test_what_an_interview_should_ask_first_is_found_again_after_a_restart(database):
    needs = Needs(due={"caching-mid-open-2": "due for review"})
    quiz_id = sessions_on(database, needs=needs).start(replace(INTERVIEW, target_weak=True), "ann")
    restarted = sessions_on(database, needs=needs)
    assert "caching-mid-open-2" in {item.question.id for item in taken(restarted, quiz_id, Judge()).items}


def test_each_open_question_gets_one_follow_up_graded_by_its_point(database):
    sessions = sessions_on(database)
    finished = taken(sessions, sessions.start(PRACTICE, "ann"), Judge("missing"))
    assert [item.follow_up_of for item in finished.items] == [None, 0, None, 2, None, 4]
    follow_up = finished.items[1]
    assert follow_up.question.points == (finished.items[0].question.points[1],)
    assert follow_up.reason == "follow-up: you did not mention a point on “Where it stands”"
    assert [verdict.verdict for verdict in follow_up.grade.verdicts] == ["missing"]
    assert finished.stop_reason == "done"


def test_a_step_deeper_is_not_graded_and_asks_no_model(database):
    sessions, judge = sessions_on(database), Judge("met")
    finished = taken(sessions, sessions.start(replace(PRACTICE, n=1), "ann"), judge)
    deeper = finished.items[1]
    assert (deeper.grade.graded_by, deeper.grade.outcome, deeper.grade.score) == ("self", "ungraded", None)
    assert "no grade" in deeper.grade.note
    assert judge.calls == 1


def test_follow_ups_can_be_declined_and_do_not_follow_a_skipped_question(database):
    sessions = sessions_on(database)
    without = taken(sessions, sessions.start(replace(PRACTICE, follow_ups=False), "ann"), Judge("missing"))
    assert len(without.items) == 3
    quiz_id = sessions.start(replace(PRACTICE, n=1), "ann")
    sessions.skip(quiz_id, "ann", 0)
    assert sessions.next(quiz_id, "ann").stop_reason == "done"
    skipped = sessions.get(quiz_id, "ann").current
    assert (skipped.grade.outcome, skipped.grading, skipped.response.skipped) == (
        "not_answered",
        "done",
        True,
    )


def test_without_a_model_the_follow_up_comes_from_what_was_not_mentioned(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(INTERVIEW, "ann")
    answer(sessions, quiz_id, grader=Hint())
    session = sessions.next(quiz_id, "ann")
    assert session.current.follow_up_of == 0
    assert session.current.reason == "follow-up: you did not seem to mention a point on “Where it stands”"


@pytest.mark.parametrize("grader", [None, Judge(error=AWAY)])
def test_next_does_not_wait_for_a_grade_and_uses_the_hint_instead(database, grader):
    sessions = sessions_on(database, hint=Hint())
    quiz_id = sessions.start(INTERVIEW, "ann")
    answer(sessions, quiz_id, grader=grader)
    assert sessions.next(quiz_id, "ann").current.follow_up_of == 0


def test_an_interview_raises_and_lowers_the_level_by_what_was_answered(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(replace(INTERVIEW, n=6, follow_ups=False), "ann")
    for verdict in ("met", "met", "missing", "missing", "missing", "missing"):
        answer(sessions, quiz_id, grader=Judge(verdict))
        session = sessions.next(quiz_id, "ann")
    levels = ["mid", "mid", "senior", "senior", "mid", "mid"]
    assert [item.question.level for item in session.items] == levels
    assert [slot.level for slot in session.plan.slots] == levels
    assert [slot.question_id for slot in session.plan.slots] == [item.question.id for item in session.items]


def test_a_coverage_hint_never_moves_the_level(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(replace(INTERVIEW, n=5, follow_ups=False), "ann")
    finished = taken(sessions, quiz_id, Hint())
    assert {item.question.level for item in finished.items} == {"mid"}


def test_an_interview_asks_nothing_twice_not_even_from_earlier_quizzes(database):
    sessions = sessions_on(database)
    first = taken(sessions, sessions.start(replace(INTERVIEW, n=5), "ann"), Judge("missing"))
    second = taken(sessions, sessions.start(replace(INTERVIEW, n=5, seed=2), "ann"), Judge("missing"))
    asked = [item.question.id for item in (*first.items, *second.items) if item.follow_up_of is None]
    assert len(asked) == len(set(asked)) == 10


def test_an_interview_ends_when_nothing_is_left_to_ask(database):
    pool = SmallPool(POOL[:2])
    sessions = sessions_on(database, pool=pool)
    quiz_id = sessions.start(replace(INTERVIEW, follow_ups=False), "ann")
    pool.all = [sessions.get(quiz_id, "ann").current.question]
    answer(sessions, quiz_id, grader=Judge())
    session = sessions.next(quiz_id, "ann")
    assert (session.state, session.stop_reason) == ("finished", "no_more_questions")


def test_a_planned_question_that_is_gone_is_replaced_and_in_a_review_left_out(database):
    pool = SmallPool()
    sessions = sessions_on(database, pool=pool)
    quiz_id = sessions.start(replace(PRACTICE, follow_ups=False), "ann")
    review = sessions.start(QuizRequest(mode="review", question_ids=tuple(q.id for q in POOL[:3])), "ann")
    planned = [slot.question_id for slot in sessions.get(quiz_id, "ann").plan.slots]
    pool.all = [question for question in POOL if question.id not in (planned[1], POOL[1].id)]
    finished = taken(sessions, quiz_id, Judge())
    asked = [item.question.id for item in finished.items]
    assert (asked[0], asked[2]) == (planned[0], planned[2])
    assert asked[1] not in planned
    reviewed = taken(sessions, review, Judge())
    assert [item.question.id for item in reviewed.items] == [POOL[0].id, POOL[2].id]
    assert reviewed.stop_reason == "done"


def test_a_review_asks_exactly_its_questions_and_says_why(database):
    ids = (POOL[4].id, POOL[0].id, POOL[4].id, "gone")
    sessions = sessions_on(database, needs=Needs(due={POOL[0].id: "due for review"}))
    quiz_id = sessions.start(QuizRequest(n=500, mode="review", question_ids=ids), "ann")
    finished = taken(sessions, quiz_id, Judge("missing"))
    found = [(item.question.id, item.reason) for item in finished.items]
    assert found == [(POOL[4].id, "not asked yet"), (POOL[0].id, "due for review")]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"topics": ("cooking",)}, "no questions on 'cooking'"),
        ({"mode": "review", "question_ids": ("gone",)}, "No question fits"),
        ({"n": 0}, "0 questions"),
    ],
)
def test_a_quiz_that_nothing_fits_is_not_started(database, wish, words):
    sessions = sessions_on(database)
    with pytest.raises(InvalidInput, match=words):
        sessions.start(replace(PRACTICE, **wish), "ann")
    assert sessions.list("ann") == []


@pytest.mark.parametrize("mode", ["practice", "interview"])
def test_new_questions_only_means_that_the_second_quiz_runs_out(database, mode):
    sessions = sessions_on(database, pool=SmallPool(POOL[:9]))
    wish = replace(PRACTICE, mode=mode, n=6, new_only=True, follow_ups=False)
    assert len(taken(sessions, sessions.start(wish, "ann"), Judge()).items) == 6
    with pytest.raises(InvalidInput, match="No question fits"):
        sessions.start(wish, "ann")


# Limits


def test_time_runs_out_between_two_questions_and_never_during_one(database):
    clock = Clock()
    sessions = sessions_on(database, clock=clock)
    quiz_id = sessions.start(replace(INTERVIEW, minutes=10, follow_ups=False), "ann")
    clock.wait(minutes=9)
    answer(sessions, quiz_id, grader=Judge())
    assert sessions.next(quiz_id, "ann").position == 1
    clock.wait(minutes=30)
    assert sessions.next(quiz_id, "ann").state == "running"
    sessions.submit(quiz_id, "ann", 1, TEXT)
    session = sessions.next(quiz_id, "ann")
    assert (session.state, session.stop_reason, len(session.items)) == ("finished", "time_limit", 2)
    assert sessions.grade(quiz_id, "ann", 1, Judge()).score == 1.0


def test_steps_run_out_with_what_was_answered_kept(database):
    sessions = sessions_on(database)
    finished = taken(sessions, sessions.start(replace(INTERVIEW, max_steps=3), "ann"), Judge("missing"))
    assert (finished.stop_reason, len(finished.items)) == ("step_limit", 3)
    assert [item.grading for item in finished.items] == ["done"] * 3


def test_the_last_question_ends_a_quiz_as_done_even_at_its_limit(database):
    sessions = sessions_on(database)
    finished = taken(sessions, sessions.start(replace(INTERVIEW, max_steps=6), "ann"), Judge("missing"))
    assert (finished.stop_reason, len(finished.items)) == ("done", 6)


class Paid(Judge):
    """A model whose every grading costs ten cents."""

    def __init__(self, ledger, **more):
        super().__init__(**more)
        self.ledger = ledger

    def grade(self, question, answer, *, trace_id):
        """Grade, and write the call to the ledger."""
        call = self.ledger.open(CallRecord(trace_id, "grade", "openai", "m"))
        self.ledger.settle(call, "completed", Usage(100, 0, 20, Decimal("0.10")), 5.0)
        return super().grade(question, answer, trace_id=trace_id)


def test_a_cost_limit_stops_the_model_and_then_the_interview(database):
    sessions, model = sessions_on(database), Paid(Ledger(database, Clock()))
    quiz_id = sessions.start(replace(INTERVIEW, max_cost_usd=Decimal("0.10"), follow_ups=False), "ann")
    answer(sessions, quiz_id, grader=model)
    assert sessions.spent(quiz_id).cost_usd == Decimal("0.10")
    session = sessions.next(quiz_id, "ann")
    assert (session.state, session.stop_reason, len(session.items)) == ("finished", "cost_limit", 1)
    assert session.items[0].grade.score == 1.0


def test_no_model_is_asked_beyond_the_cost_limit_but_a_hint_costs_nothing(database):
    sessions, model = sessions_on(database), Paid(Ledger(database, Clock()))
    quiz_id = sessions.start(replace(PRACTICE, max_cost_usd=Decimal("0.05"), follow_ups=False), "ann")
    answer(sessions, quiz_id, grader=model)
    sessions.next(quiz_id, "ann")
    answer(sessions, quiz_id, grader=model)
    item = sessions.get(quiz_id, "ann").current
    assert (item.grading, item.grade, model.calls) == ("failed", None, 1)
    assert (
        item.grading_error
        == "The models have cost the $0.05 that this quiz may cost. Rate the answer yourself."
    )
    assert sessions.grade(quiz_id, "ann", 1, CoverageHint(embed)).graded_by == "coverage_hint"
    assert sessions.next(quiz_id, "ann").position == 2


# Grading


def test_how_long_grading_took_is_kept_with_the_grade(database):
    clock = Clock()
    sessions = sessions_on(database, clock=clock)
    quiz_id = sessions.start(PRACTICE, "ann")
    slow = SimpleNamespace(grade=lambda *one, **more: clock.wait(seconds=2.5) or Judge().grade(*one, **more))
    assert answer(sessions, quiz_id, grader=slow).current.grade.ms == 2500


def test_a_grading_that_failed_is_told_and_can_be_tried_again(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(PRACTICE, "ann")
    sessions.submit(quiz_id, "ann", 0, TEXT)
    grade = sessions.grade(quiz_id, "ann", 0, Judge(error=AWAY))
    assert (grade.outcome, grade.note) == ("ungraded", "The model is away. Try again.")
    item = sessions.get(quiz_id, "ann").current
    assert (item.grading, item.grading_error, item.grade) == ("failed", "The model is away. Try again.", None)
    used_up = BudgetExceeded("Today's budget is used up.", limit=Decimal(1), spent=Decimal(1))
    sessions.grade(quiz_id, "ann", 0, Judge(error=used_up))
    assert sessions.get(quiz_id, "ann").current.grading_error == "Today's budget is used up."
    assert sessions.grade(quiz_id, "ann", 0, Judge()).score == 1.0
    item = sessions.get(quiz_id, "ann").current
    assert (item.grading, item.grading_error) == ("done", "")


def test_a_fault_in_the_program_leaves_no_answer_waiting_for_ever(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(PRACTICE, "ann")
    sessions.submit(quiz_id, "ann", 0, TEXT)
    with pytest.raises(ZeroDivisionError):
        sessions.grade(quiz_id, "ann", 0, Judge(error=ZeroDivisionError()))
    assert sessions.get(quiz_id, "ann").current.grading == "failed"


def test_two_tabs_that_grade_the_same_answer_share_one_grading(database):
    sessions, judge = sessions_on(database), Judge()
    quiz_id = sessions.start(PRACTICE, "ann")
    sessions.submit(quiz_id, "ann", 0, TEXT)
    with ThreadPoolExecutor(4) as pool:
        grades = list(pool.map(lambda _: sessions.grade(quiz_id, "ann", 0, judge), range(4)))
    assert judge.calls == 1
    assert grades == [sessions.get(quiz_id, "ann").current.grade] * 4


def test_what_another_process_graded_meanwhile_stays(database):
    here, elsewhere = sessions_on(database), sessions_on(database)
    quiz_id = here.start(PRACTICE, "ann")
    here.submit(quiz_id, "ann", 0, TEXT)

    class Slow(Judge):
        def grade(self, question, answer, *, trace_id):
            elsewhere.grade(quiz_id, "ann", 0, Judge("missing"))
            return super().grade(question, answer, trace_id=trace_id)

    assert here.grade(quiz_id, "ann", 0, Slow()).score == 0.0
    assert here.get(quiz_id, "ann").current.grade.score == 0.0


def test_only_an_answer_can_be_graded(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(PRACTICE, "ann")
    with pytest.raises(InvalidInput, match="no answer"):
        sessions.grade(quiz_id, "ann", 0, Judge())
    with pytest.raises(InvalidInput, match="no question 2"):
        sessions.grade(quiz_id, "ann", 1, Judge())


# Answers


def test_tabs_that_click_at_once_answer_once_and_get_one_next_question(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(replace(PRACTICE, follow_ups=False), "ann")
    texts = [f"Answer {n} of somebody in a hurry." for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: sessions.submit(quiz_id, "ann", 0, Response(text=text)), texts))
        first = sessions.get(quiz_id, "ann").items[0].response.text
        seen = list(pool.map(lambda _: sessions.next(quiz_id, "ann"), texts))
    assert first in texts
    assert [session.position for session in seen] == [1] * 8
    assert len({session.items[1].question.id for session in seen}) == 1
    assert seen[0].items[0].response.text == first


@pytest.mark.parametrize("option", [None, -1, 4, True])
def test_an_option_that_is_not_there_is_refused_and_nothing_is_stored(database, option):
    sessions = sessions_on(database)
    quiz_id = sessions.start(replace(PRACTICE, kind="mcq"), "ann")
    with pytest.raises(InvalidInput):
        sessions.submit(quiz_id, "ann", 0, Response(option=option))
    assert sessions.get(quiz_id, "ann").current.response is None


def test_a_text_is_stored_as_far_as_it_can_be(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(PRACTICE, "ann")
    with pytest.raises(InvalidInput, match="8,001 characters"):
        sessions.submit(quiz_id, "ann", 0, Response(text="x" * 8_001))
    sessions.submit(quiz_id, "ann", 0, Response(text="Nul \0, half \ud800 and 🐍", option=3))
    response = sessions.get(quiz_id, "ann").current.response
    assert (response.text, response.option) == ("Nul \ufffd, half ? and 🐍", None)


def test_the_time_from_showing_to_answering_is_kept(database):
    clock = Clock()
    sessions = sessions_on(database, clock=clock)
    quiz_id = sessions.start(PRACTICE, "ann")
    sessions.shown(quiz_id, "ann")
    clock.wait(seconds=40)
    sessions.shown(quiz_id, "ann")
    sessions.submit(quiz_id, "ann", 0, TEXT)
    assert sessions.get(quiz_id, "ann").current.response.seconds == 40.0


def test_results_are_told_when_they_are_known_and_again_before_the_next_question(database):
    told = []
    sessions = sessions_on(database, on_result=lambda _, item: told.append((item.position, item.self_rating)))
    quiz_id = sessions.start(replace(PRACTICE, n=1), "ann")
    answer(sessions, quiz_id, grader=Hint())
    sessions.self_rate(quiz_id, "ann", 0, "hard")
    sessions.next(quiz_id, "ann")
    answer(sessions, quiz_id, grader=Hint())
    assert told == [(0, ""), (0, ""), (0, "hard"), (0, "hard")]


def test_what_somebody_says_of_a_question_is_kept_and_taken_back(database):
    sessions, questions = sessions_on(database), Questions(database, Clock())
    quiz_id = sessions.start(PRACTICE, "ann")
    answer(sessions, quiz_id, grader=Judge("missing"))
    sessions.disagree(quiz_id, "ann", 0, " I said that. ")
    sessions.report(quiz_id, "ann", 0, "Two are right.")
    item = sessions.get(quiz_id, "ann").current
    assert (item.disagreement, item.report) == ("I said that.", "Two are right.")
    assert questions.reported("ann") == {item.question.id: "Two are right."}
    sessions.report(quiz_id, "ann", 0, "")
    assert questions.reported("ann") == {}


def test_a_report_that_is_taken_back_elsewhere_is_gone_from_the_quiz(database):
    sessions, questions = sessions_on(database), Questions(database, Clock())
    quiz_id = sessions.start(PRACTICE, "ann")
    asked = answer(sessions, quiz_id).current.question.id
    sessions.report(quiz_id, "ann", 0, "Two are right.")
    questions.report("ann", asked, "None is right.")
    assert sessions.get(quiz_id, "ann").current.report == "None is right."
    questions.unreport("ann", asked)
    found = (sessions.get(quiz_id, "ann"), sessions.unfinished("ann"), sessions.list("ann")[0])
    assert [session.current.report for session in found] == ["", "", ""]


def test_a_reported_follow_up_does_not_come_again(database):
    sessions = sessions_on(database)
    one = QuizRequest(question_ids=(open_question().id,))
    quiz_id = sessions.start(one, "ann")
    answer(sessions, quiz_id, grader=Judge("missing"))
    sessions.next(quiz_id, "ann")
    sessions.report(quiz_id, "ann", 1, "It makes no sense.")
    assert len(taken(sessions, sessions.start(one, "ann"), Judge("missing")).items) == 1


def test_somebody_else_finds_nothing(database):
    sessions = sessions_on(database)
    quiz_id = sessions.start(PRACTICE, "ann")
    assert (sessions.get(quiz_id, "bob"), sessions.unfinished("bob"), sessions.list("bob")) == (
        None,
        None,
        [],
    )
    for change in (
        lambda: sessions.submit(quiz_id, "bob", 0, TEXT),
        lambda: sessions.skip(quiz_id, "bob", 0),
        lambda: sessions.hint(quiz_id, "bob", 0),
        lambda: sessions.shown(quiz_id, "bob"),
        lambda: sessions.grade(quiz_id, "bob", 0, Judge()),
        lambda: sessions.self_rate(quiz_id, "bob", 0, "good"),
        lambda: sessions.disagree(quiz_id, "bob", 0, "x"),
        lambda: sessions.report(quiz_id, "bob", 0, "x"),
        lambda: sessions.next(quiz_id, "bob"),
        lambda: sessions.end(quiz_id, "bob"),
    ):
        with pytest.raises(InvalidInput, match="not here"):
            change()
    assert sessions.get(quiz_id, "ann") is not None


# Any order, any moment


class Clicks(RuleBasedStateMachine):
    """Clicks on one quiz in any order, by hands that don't look; what was stored once has to stay."""

    database = None
    number = 0

    @initialize(
        mode=some.sampled_from(["practice", "interview"]),
        n=some.integers(1, 4),
        max_steps=some.none() | some.integers(1, 5),
        follow_ups=some.booleans(),
        kind=some.sampled_from([None, "open", "mcq"]),
    )
    def start(self, mode, n, max_steps, follow_ups, kind):
        Clicks.number += 1
        self.owner = f"somebody {Clicks.number}"
        self.sessions = sessions_on(self.database, hint=Hint())
        request = QuizRequest(n, mode, kind=kind, follow_ups=follow_ups, max_steps=max_steps)
        self.quiz_id = self.sessions.start(request, self.owner)
        self.responses, self.grades, self.over = {}, {}, None

    def session(self):
        return self.sessions.get(self.quiz_id, self.owner)

    def try_to(self, act, position, *more):
        """Do something at a position; only an impossible wish may be refused."""
        try:
            return act(self.quiz_id, self.owner, position, *more)
        except InvalidInput:
            return None

    @rule(
        position=some.integers(-1, 6), option=some.none() | some.integers(-1, 4), text=some.text(max_size=9)
    )
    def submit(self, position, option, text):
        self.try_to(self.sessions.submit, position, Response(option=option, text=text))

    @rule(option=some.integers(0, 3))
    def submit_here(self, option):
        self.try_to(self.sessions.submit, self.session().position, Response(option=option, text="A text."))

    @rule(verdict=some.sampled_from(["met", "missing"]))
    def answer_and_go_on(self, verdict):
        self.submit_here(1)
        self.grade(self.session().position, verdict)
        self.sessions.next(self.quiz_id, self.owner)

    @rule(position=some.integers(-1, 6))
    def skip(self, position):
        self.try_to(self.sessions.skip, position)

    @rule(position=some.integers(-1, 6), verdict=some.sampled_from(["met", "missing", "partial"]))
    def grade(self, position, verdict):
        self.try_to(self.sessions.grade, position, Judge(verdict))

    @rule(position=some.integers(-1, 6))
    def fail_to_grade(self, position):
        self.try_to(self.sessions.grade, position, Judge(error=AWAY))

    @rule()
    def next(self):
        self.sessions.next(self.quiz_id, self.owner)

    @rule(position=some.integers(-1, 6), text=some.text(max_size=5))
    def draft(self, position, text):
        self.sessions.save_draft(self.quiz_id, self.owner, position, text)

    @rule(position=some.integers(-1, 6))
    def look_at_a_hint(self, position):
        self.try_to(self.sessions.hint, position)

    @rule(position=some.integers(-1, 6), rating=some.sampled_from(["again", "easy"]))
    def rate(self, position, rating):
        self.try_to(self.sessions.self_rate, position, rating)

    @rule()
    def refresh(self):
        self.sessions.shown(self.quiz_id, self.owner)

    @rule()
    def restart(self):
        self.sessions = sessions_on(self.database, hint=Hint())

    @rule(sure=some.integers(0, 9))
    def end(self, sure):
        if sure == 0:
            self.sessions.end(self.quiz_id, self.owner)

    @invariant()
    def holds_together_and_keeps_what_it_was_told(self):
        session = self.session()
        items = session.items
        assert [item.position for item in items] == list(range(session.position + 1))
        assert all(item.response for item in items[:-1])
        assert len(items) <= session.plan.max_steps
        planned = [item.question.id for item in items if item.follow_up_of is None]
        assert len(planned) == len(set(planned)) <= session.request.n
        followed = [item.follow_up_of for item in items if item.follow_up_of is not None]
        assert len(followed) == len(set(followed))
        assert all(items[place].question.kind == "open" for place in followed)
        assert all(items[place].follow_up_of is None for place in followed)
        for item in items:
            assert item.hints <= len(hints_of(item.question))
            assert (item.grade is not None) == (item.grading == "done")
            assert (item.response is None) == (item.grading == "none")
        found = {item.position: item.response for item in session.items if item.response}
        assert found.items() >= self.responses.items()
        grades = {item.position: item.grade for item in session.items if item.grade}
        assert grades.items() >= self.grades.items()
        self.responses, self.grades = found, grades
        if self.over:
            assert (session.state, session.stop_reason, session.finished_at, len(session.items)) == self.over
        if session.state == "finished":
            assert session.stop_reason
            self.over = (session.state, session.stop_reason, session.finished_at, len(session.items))


def test_whatever_is_clicked_in_whatever_order_nothing_is_lost_or_asked_twice(database):
    Clicks.database = database
    run_state_machine_as_test(
        Clicks, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )


CHILD = """
import os, signal, sys
from rag.quiz_types import QuizRequest, Response
from rag.storage.engine import Database
from tests.quizzing import sessions_on

sessions = sessions_on(Database(sys.argv[1]))
quiz_id = sessions.start(QuizRequest(n=3, mode="practice", kind="open"), "ann")
sessions.submit(quiz_id, "ann", 0, Response(text="These words were submitted."))
sessions.next(quiz_id, "ann")
sessions.submit(quiz_id, "ann", 1, Response(text="And these, just before the end."))
print(quiz_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_answer_that_was_submitted_survives_the_death_of_the_process(tmp_path):
    url = f"sqlite:///{tmp_path / 'viva.db'}"
    root = Path(__file__).parents[2]
    child = subprocess.run([sys.executable, "-c", CHILD, url], cwd=root, capture_output=True, text=True)
    assert child.returncode == -9, child.stderr
    quiz_id = child.stdout.strip()
    database = Database(url)
    sessions = sessions_on(database)
    session = sessions.unfinished("ann")
    assert session.id == quiz_id
    assert [item.response.text for item in session.items] == [
        "These words were submitted.",
        "And these, just before the end.",
    ]
    assert [item.grading for item in session.items] == ["waiting", "waiting"]
    assert sessions.grade(quiz_id, "ann", 0, Judge()).score == 1.0
    assert sessions.next(quiz_id, "ann").position == 2
    assert database.problems() == []
    database.close()
