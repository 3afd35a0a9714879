"""What an interviewer asks next: the plan, the level, the choice, the limits, and the follow-up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from rag.errors import InvalidInput
from rag.quiz.assembling import assemble
from rag.quiz.choosing import choose
from rag.quiz.follow_ups import follow_up, headings_in, missed_point
from rag.quiz.hints import hints_of
from rag.quiz.interviewing import level_after, limit_reached
from rag.quiz.planning import NO_NEEDS, Needs, checked, interview_plan, reason_for
from rag.quiz_types import Grade, Plan, Point, PointVerdict, QuizRequest, Slot
from tests.quizzed import item, right, skipped, wrong
from tests.quizzing import POOL, choice_question, embed, evidence, open_question

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
INTERVIEW = QuizRequest(n=5, mode="interview")
OPEN = open_question()


def scored(score, **more):
    """Return an open question that a model graded with this score."""
    return item(0, OPEN, skipped().response, Grade("llm", "graded", score=score), **more)


def answered(grade):
    """Return an open question with this grade."""
    return item(0, OPEN, right().response, grade)


def verdicts(*found):
    """Return a model's grade with these verdicts on the points of OPEN."""
    return Grade(
        "llm",
        "graded",
        verdicts=tuple(
            PointVerdict(point.claim, verdict, point.must_have, point.weight)
            for point, verdict in zip(OPEN.points, found, strict=True)
        ),
    )


GOOD, POOR, MIDDLING = (answered(Grade("llm", "graded", score=score)) for score in (0.8, 0.3, 0.6))
HINTED = answered(Grade("coverage_hint", "ungraded", not_mentioned=("x",)))


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ([], "mid"),
        ([GOOD], "mid"),
        ([GOOD, GOOD], "senior"),
        ([right(), right()], "senior"),
        ([GOOD, MIDDLING, GOOD], "mid"),
        ([GOOD, POOR, GOOD], "mid"),
        ([GOOD, HINTED, GOOD], "senior"),
        ([HINTED] * 6, "mid"),
        ([right(guessed=True)] * 4, "mid"),
        ([wrong(), POOR], "junior"),
        ([skipped(), skipped()], "junior"),
        ([answered(Grade("llm", "off_topic")), wrong()], "junior"),
        ([wrong()] * 6, "junior"),
        ([GOOD] * 3, "senior"),
        ([GOOD, GOOD, POOR, POOR], "mid"),
        ([GOOD, replace(GOOD, follow_up_of=0)], "mid"),
        ([GOOD, item(1, OPEN)], "mid"),
    ],
)
def test_the_level_follows_two_answers_in_a_row(answers, level):
    assert level_after(INTERVIEW, answers) == level


def test_the_level_starts_where_it_was_asked_to():
    assert level_after(replace(INTERVIEW, level="junior"), [GOOD, GOOD]) == "mid"


@pytest.mark.parametrize(
    ("plan", "steps", "minutes", "spent", "reason"),
    [
        (Plan((), 4, None, None), 3, 600, Decimal(9), ""),
        (Plan((), 4, None, None), 4, 0, None, "step_limit"),
        (Plan((), 4, 20, None), 1, 19, None, ""),
        (Plan((), 4, 20, None), 1, 20, None, "time_limit"),
        (Plan((), 4, None, Decimal("0.10")), 1, 0, Decimal("0.0999"), ""),
        (Plan((), 4, None, Decimal("0.10")), 1, 0, Decimal("0.10"), "cost_limit"),
        (Plan((), 4, None, Decimal(0)), 1, 0, Decimal(0), ""),
        (Plan((), 4, None, Decimal("0.10")), 1, 0, None, ""),
    ],
)
def test_a_limit_is_reached_by_steps_minutes_or_money(plan, steps, minutes, spent, reason):
    assert limit_reached(plan, steps, NOON, NOON + timedelta(minutes=minutes), spent) == reason


def test_an_interview_takes_every_topic_in_turn_and_asks_mostly_open_questions():
    plan = interview_plan(replace(INTERVIEW, n=7), POOL, (), NO_NEEDS)
    topics = [slot.topic for slot in plan.slots]
    assert topics == [*topics[:3], *topics[:3], topics[0]]
    assert set(topics) == {"agents", "caching", "retrieval"}
    assert [slot.kind for slot in plan.slots] == ["open", "open", "open", "mcq", "open", "open", "open"]
    assert {(slot.level, slot.question_id) for slot in plan.slots} == {("mid", "")}
    assert plan.max_steps == 14


def test_an_interview_begins_with_weak_and_due_topics_and_says_why():
    needs = Needs(
        due={"caching-mid-mcq-1": "due for review"}, weak={"retrieval": "weak topic: 1 of 4 points met"}
    )
    wanted = replace(INTERVIEW, n=3, target_weak=True)
    found = [(slot.topic, slot.reason) for slot in interview_plan(wanted, POOL, (), needs).slots]
    assert found == [
        ("retrieval", "weak topic: 1 of 4 points met"),
        ("caching", "due for review"),
        ("agents", "not asked yet"),
    ]
    unwanted = interview_plan(replace(wanted, target_weak=False), POOL, {"agents-mid-open-1"}, needs)
    assert {(slot.topic, slot.reason) for slot in unwanted.slots} == {
        ("agents", "asked before"),
        ("caching", "not asked yet"),
        ("retrieval", "not asked yet"),
    }


def test_a_plan_has_no_more_places_than_there_are_questions():
    assert len(interview_plan(replace(INTERVIEW, n=9), POOL[:4], (), NO_NEEDS).slots) == 4


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"n": 0}, "0 questions"),
        ({"n": 101}, "101 questions"),
        ({"minutes": 0}, "0 minutes"),
        ({"max_cost_usd": Decimal(-1)}, "-1 USD"),
        ({"max_cost_usd": Decimal("NaN")}, "NaN USD"),
        ({"max_steps": 0}, "0 steps"),
        ({"level": "expert"}, "'expert'"),
        ({"mode": "review"}, "nothing to review"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_with_its_value(wish, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        checked(replace(QuizRequest(), **wish))
    assert refused.value.hint


def chosen(slot, here=(), before=(), needs=NO_NEEDS, pool=POOL, **wish):
    """Return the id of the question for a slot."""
    request = replace(INTERVIEW, **wish)
    barred = before if request.new_only else ()
    found = choose(slot, request, pool, here, {one.id for one in before}, barred, needs, assemble, embed)
    return found and found.id


SLOT = Slot("agents", "mid", "open", "not asked yet")
FIRST, SECOND = open_question(n=1), open_question(n=2)


def test_a_question_of_the_interview_is_never_asked_again_and_an_earlier_one_only_last():
    assert chosen(SLOT, before=[FIRST]) == SECOND.id
    assert chosen(SLOT, here=[FIRST], before=[FIRST]) == SECOND.id
    assert chosen(SLOT, pool=[FIRST], before=[FIRST]) == FIRST.id
    assert chosen(SLOT, pool=[FIRST], before=[FIRST], new_only=True) is None


def test_a_question_in_other_words_counts_as_asked():
    again = replace(FIRST, id="again")
    assert chosen(SLOT, here=[FIRST], pool=[FIRST, again, SECOND]) == SECOND.id
    assert chosen(SLOT, before=[FIRST], pool=[again], new_only=True) is None


def test_a_due_question_comes_before_a_new_one():
    needs = Needs(due={FIRST.id: "due for review"})
    assert chosen(SLOT, before=[FIRST], needs=needs, target_weak=True) == FIRST.id
    assert reason_for(FIRST, replace(INTERVIEW, target_weak=True), {FIRST.id}, needs) == "due for review"


def test_level_kind_and_topic_are_given_up_in_this_order():
    senior, junior = open_question(level="senior"), open_question(level="junior")
    option, other = choice_question(), open_question("caching")
    pool = [option, other, junior, senior]
    assert chosen(replace(SLOT, level="senior"), pool=pool) == senior.id
    assert chosen(replace(SLOT, level="senior"), pool=pool[:3]) == junior.id
    assert chosen(replace(SLOT, level="senior"), pool=pool[:2]) == option.id
    assert chosen(SLOT, pool=[other]) == other.id
    assert chosen(SLOT, pool=[option], kind="open") is None
    assert chosen(SLOT, pool=[other], topics=("agents",)) is None


# Follow-ups


def after(grade, question=OPEN, headings=("Where it stands", "Notes"), asked=(), vectors=embed):
    """Return the follow-up to an answer."""
    return follow_up(question, grade, vectors, lambda found: headings, asked)


def test_the_weightiest_point_that_was_missed_is_followed_up_must_haves_first():
    second, first, optional = OPEN.points
    found = missed_point(OPEN, verdicts("missing", "contradicted", "missing"))
    assert found == (first, "contradicted")
    assert missed_point(OPEN, verdicts("partial", "met", "missing")) == (second, "partial")
    assert missed_point(OPEN, verdicts("met", "met", "missing")) == (optional, "missing")
    assert missed_point(OPEN, verdicts("met", "met", "met")) is None
    hint = Grade("coverage_hint", "ungraded", not_mentioned=(optional.claim, second.claim))
    assert missed_point(OPEN, hint) == (second, "not_mentioned")


def test_a_follow_up_is_graded_by_the_frozen_point_and_rests_on_its_source():
    found = after(verdicts("met", "missing", "met"))
    assert found is not None
    assert (found.question.id, found.question.kind) == (f"{OPEN.id}/follow-up", "open")
    assert found.question.points == (OPEN.points[1],)
    assert found.question.evidence == OPEN.points[1].evidence
    assert (found.question.origin, found.question.topic, found.question.level) == ("bank", "agents", "mid")
    assert found.question.follow_ups == found.question.checks == ()


@pytest.mark.parametrize("miss", ["missing", "partial", "contradicted"])
def test_neither_a_probe_nor_its_reason_gives_the_point_away(miss):
    point = Point(
        "Adds a jittered backoff, and what it costs to turn a point into one that would differ.",
        True,
        3,
        evidence("Backoff needs jitter."),
    )
    question = open_question(points=(point,), follow_ups=("Why does a jittered backoff cost?",))
    found = after(
        Grade("llm", "graded", verdicts=(PointVerdict(point.claim, miss, True, 3),)),
        question,
        headings=("A jittered backoff and its cost to turn", "Retries"),
    )
    assert found is not None
    assert "“Retries”" in found.question.prompt
    assert "“Retries”" in found.reason
    for word in ("backoff", "jitter", "cost", "point", "turn", "put", "add"):
        assert word not in found.question.prompt.lower()
        assert word not in found.reason.replace("a point on", "").lower()


def test_without_a_heading_that_keeps_the_point_secret_the_probe_names_nothing():
    found = after(verdicts("met", "missing", "met"), headings=(OPEN.points[1].claim,))
    assert found is not None
    assert found.question.prompt == "What else belongs to a complete answer to this question?"
    assert found.reason == "follow-up: a point is still open"


def test_a_question_of_the_bank_that_asks_for_the_point_is_taken():
    near = "What would you measure in agents-mid-open-1?"
    texts = {near: [1.0, 0.0], OPEN.points[1].claim: [0.8, 0.6]}
    other = [0.0, 1.0]
    found = after(
        verdicts("met", "missing", "met"),
        vectors=lambda asked: np.array([texts.get(text, other) for text in asked], np.float32),
    )
    assert found is not None
    assert found.question.prompt == near
    assert found.question.points == (OPEN.points[1],)


def test_when_nothing_was_missed_the_interviewer_goes_a_step_deeper_without_a_grade():
    found = after(verdicts("met", "met", "met"))
    assert found is not None
    assert found.question.prompt == OPEN.follow_ups[0]
    assert (found.question.points, found.question.model_answer) == ((), "")
    assert found.reason == "follow-up: one step deeper"
    repeated = after(verdicts("met", "met", "met"), asked=[OPEN.follow_ups[0]])
    assert repeated is not None
    assert repeated.question.prompt == OPEN.follow_ups[1]
    assert after(verdicts("met", "met", "met"), asked=OPEN.follow_ups) is None


def test_nothing_follows_options_or_an_answer_that_was_not_given():
    assert after(Grade("key", "graded", right=False), choice_question()) is None
    assert after(Grade("llm", "not_answered")) is None


def test_headings_come_from_the_section_of_the_evidence_and_end_with_the_title(library_of):
    text = "# Retries\n\n## Waiting\n\nA short pause helps.\n\n### Chance\n\nChance spreads the load.\n"
    services = library_of({"ops/retries.md": text})
    (document,) = services.library.summaries()
    start = services.document(document.id).text.index("Chance spreads")
    found = replace(evidence("Chance"), document_id=document.id, title="Retries", start=start)
    headings = headings_in(services.library)
    assert headings(found)[-1] == "Retries"
    assert len(headings(found)) > 1
    assert headings(replace(found, document_id="gone")) == ["Retries"]


def test_hints_name_the_source_and_leave_the_answer_open():
    question = choice_question()
    title, clue = hints_of(question)
    assert title == "Notes"
    assert clue != f"it is not “{question.options[question.answer]}”"
    assert clue == hints_of(question)[1]
    title, clue = hints_of(OPEN)
    assert (title, clue) == ("Notes", "the source begins “A first thing …”")
    assert hints_of(replace(OPEN, evidence=None)) == ()


def test_the_clue_to_options_is_not_always_the_first_wrong_one():
    clues = {hints_of(choice_question(n=n))[1].split()[4] for n in range(20)}
    assert clues == {"first", "third", "fourth"}
