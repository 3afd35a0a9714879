"""A quiz with one answer of every kind, made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rag.quiz_types import (
    AskedQuestion,
    Evidence,
    Grade,
    Plan,
    Point,
    PointVerdict,
    QuizRequest,
    Response,
    Session,
    SessionItem,
    Slot,
)
from rag.types import Usage

STARTED = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)


def evidence(quote="A cache keeps results for later.", document_id="caching", title="Caching", start=120):
    """Return the place of a quote."""
    return Evidence(document_id, title, start, start + len(quote), quote)


CHOICE = AskedQuestion(
    id="cache-mcq-1",
    kind="mcq",
    topic="system-design",
    level="junior",
    skill="recall",
    prompt="What does a `cache` do with results?",
    origin="bank",
    evidence=evidence(),
    checks=("form", "quote", "key_evidence", "options_judged"),
    options=("It sends them", "It keeps them", "It signs them", "It drops them"),
    answer=1,
    whys=("Sending is a queue.", "It keeps them for later.", "Signing is a key's job.", "That is eviction."),
)
POINTS = (
    Point("Says that a cache keeps results.", True, 3, evidence()),
    Point("Names a stale entry as the price.", True, 2, evidence("A stale entry is the price.", start=200)),
    Point("Sets a time to live.", False, 1, evidence("Set a time to live.", start=230)),
)
OPEN = AskedQuestion(
    id="cache-open-1",
    kind="open",
    topic="system-design",
    level="mid",
    skill="trade-off",
    prompt="When does a cache harm you?",
    origin="bank",
    evidence=POINTS[0].evidence,
    checks=("form", "quote"),
    points=POINTS,
    model_answer="It keeps results, and a stale entry is the price.",
    follow_ups=("How long may an entry live?",),
)
VERDICTS = (
    PointVerdict(
        POINTS[0].claim, "met", True, 3, "a cache keeps results", POINTS[0].evidence, "You said so."
    ),
    PointVerdict(
        POINTS[1].claim, "contradicted", True, 2, "entries never get stale", POINTS[1].evidence, "They do."
    ),
    PointVerdict(
        POINTS[2].claim, "missing", False, 1, "", POINTS[2].evidence, "", "the quote is not in your answer"
    ),
)
JUDGED = Grade(
    "llm",
    "graded",
    verdicts=VERDICTS,
    score=0.5,
    model="gpt-test",
    usage=Usage(1830, 0, 212, Decimal("0.0009")),
)
HINTED = Grade("coverage_hint", "ungraded", not_mentioned=(POINTS[1].claim,))
ANSWERED = "I think a cache keeps results and entries never get stale."


def item(position, question, response=None, grade=None, **more):
    """Return one question of a quiz with what became of it."""
    blank = SessionItem(
        position=position,
        question=question,
        follow_up_of=None,
        reason="not asked yet",
        shown_at=STARTED + timedelta(minutes=position),
        hints=0,
        draft="",
        response=response,
        answered_at=STARTED + timedelta(minutes=position, seconds=30) if response else None,
        grading="done" if grade else "none",
        grading_error="",
        grade=grade,
        self_rating="",
        disagreement="",
        report="",
    )
    return replace(blank, **more)


def right(position=0, question=CHOICE, **more):
    """Return a multiple-choice question that was answered right."""
    response = Response(option=question.answer, seconds=12.0, guessed=more.pop("guessed", False))
    return item(position, question, response, Grade("key", "graded", right=True), **more)


def wrong(position=0, question=CHOICE, option=0, **more):
    """Return a multiple-choice question that was answered wrong."""
    return item(
        position, question, Response(option=option, seconds=8.0), Grade("key", "graded", right=False), **more
    )


def judged(position=0, question=OPEN, grade=JUDGED, text=ANSWERED, **more):
    """Return an open question that a model graded."""
    return item(position, question, Response(text=text, seconds=40.0), grade, **more)


def hinted(position=0, question=OPEN, grade=HINTED, text="a cache keeps results for later", **more):
    """Return an open question that nobody graded."""
    return item(position, question, Response(text=text, seconds=40.0), grade, **more)


def skipped(position=0, question=OPEN, **more):
    """Return a question that was skipped."""
    response = Response(skipped=True, seconds=3.0)
    kind = "key" if question.kind == "mcq" else "coverage_hint"
    return item(position, question, response, Grade(kind, "not_answered"), **more)


def session(*items, owner="", **more):
    """Return a finished quiz of these questions."""
    slots = tuple(
        Slot(i.question.topic, i.question.level, i.question.kind, i.reason, i.question.id) for i in items
    )
    finished = Session(
        id="quiz-1",
        owner=owner,
        mode="practice",
        state="finished",
        stop_reason="done",
        request=QuizRequest(n=len(items)),
        plan=Plan(slots, 2 * len(items), None, None),
        position=max(0, len(items) - 1),
        items=items,
        started_at=STARTED,
        updated_at=STARTED + timedelta(minutes=9),
        finished_at=STARTED + timedelta(minutes=9),
    )
    return replace(finished, **more)


ALL = session(
    right(0),
    judged(1),
    judged(
        2,
        replace(OPEN, id="cache-open-1-1", prompt="How long may an entry live?", points=POINTS[2:]),
        replace(JUDGED, verdicts=(replace(VERDICTS[2], verdict="met", answer_quote="an hour", denied=""),)),
        "an hour",
        follow_up_of=1,
    ),
    wrong(3, replace(CHOICE, id="agents-mcq-1", topic="agents", prompt="When do agents fail?")),
    hinted(
        4,
        replace(OPEN, id="agents-open-1", topic="agents", prompt="Why do agents loop?"),
        self_rating="again",
    ),
    skipped(5, replace(OPEN, id="rag-open-1", topic="rag", prompt="Why RAG?")),
)
"""A quiz with one of each."""
