"""Says in words what a quiz is at: its places, levels, origins, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pages.shared import sanitise, wording
from rag.quiz_types import AskedQuestion, Mode, Origin, Session, SessionItem, StopReason
from rag.types import Level

MODES: Mapping[Mode, str] = {"practice": "Practice", "interview": "Mock interview", "review": "Review"}
LEVELS: Mapping[Level, str] = {"junior": "Junior", "mid": "Mid", "senior": "Senior"}
ORIGINS: Mapping[Origin, str] = {
    "bank": "from the checked bank",
    "own": "from an imported bank",
    "generated": "generated from a document, then checked",
    "extractive": "blanked out of a source sentence, not written by a person",
}
STOPS: Mapping[StopReason, str] = {
    "": "",
    "done": "Every question of the plan was asked.",
    "ended": "You ended it early.",
    "time_limit": "It stopped at the time limit.",
    "step_limit": "It stopped at the limit of questions and follow-ups.",
    "cost_limit": "It stopped at the cost limit.",
    "no_more_questions": "It stopped because no further question fits.",
}


def number(session: Session, position: int) -> int:
    """Return the 1-based number of the question at a position; a follow-up has that of its question."""
    return sum(item.follow_up_of is None for item in session.items[: position + 1])


def place(session: Session, item: SessionItem) -> str:
    """Return e.g. "Question 2 of 5" or "Follow-up to question 2"."""
    if item.follow_up_of is not None:
        return f"Follow-up to question {number(session, item.follow_up_of)}"
    total = max(len(session.plan.slots), number(session, item.position))
    return f"Question {number(session, item.position)} of {total}"


def about(question: AskedQuestion) -> str:
    """Return topic, level and origin of a question as Markdown, e.g. "Agents · Mid level · …"."""
    return (
        f"{sanitise.label(wording.topic(question.topic))} · {LEVELS[question.level]} level · "
        f"{ORIGINS[question.origin]}"
    )


def minutes(since: datetime, now: datetime) -> int:
    """Return the full minutes between two moments, never less than none."""
    return max(0, int((now - since).total_seconds() // 60))


def took(session: Session, now: datetime) -> str:
    """Return e.g. "It took 4 minutes"."""
    used = minutes(session.started_at, session.finished_at or now)
    return f"It took {wording.count(used, 'minute')}" if used else "It took less than a minute"


def time_used(session: Session, now: datetime) -> str:
    """Return e.g. "4 of 20 minutes used", or of a finished quiz "It took 4 minutes; 20 were planned".

    Without a limit e.g. "4 minutes so far" or "It took 4 minutes".
    """
    used, limit = minutes(session.started_at, session.finished_at or now), session.plan.minutes
    if session.finished_at is not None:
        planned = "" if limit is None else f"; {limit:,} {'was' if limit == 1 else 'were'} planned"
        return f"{took(session, now)}{planned}"
    if limit is None:
        return f"{wording.count(used, 'minute')} so far"
    if used >= limit:
        return f"The {wording.count(limit, 'minute')} are over: this is the last question"
    return f"{used} of {wording.count(limit, 'minute')} used"
