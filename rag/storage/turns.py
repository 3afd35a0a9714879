"""What a conversation consists of as it is read back: turns, their answers, the reader's feedback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, select

from rag.storage.serialising import answer_from_json
from rag.storage.tables import answers, turns
from rag.types import FREE, Answer, Usage

Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as a list shows it."""

    id: str
    title: str
    """Empty until the first question."""
    created_at: datetime
    updated_at: datetime
    """When the last question was asked or the last answer finished."""
    owner: str = ""
    """Who leads it; empty where there is no login."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the reader thought of an answer."""

    rating: Rating
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer to a question; one that never finished is `interrupted`, with its text so far."""

    id: str
    answer: Answer
    feedback: Feedback | None
    """None: not rated."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A question with all its answers, oldest first."""

    id: str
    position: int
    """0-based place in the conversation."""
    question: str
    created_at: datetime
    answers: tuple[StoredAnswer, ...]
    shown: int
    """Index into `answers` of the one to show; 0 when there is none yet."""


def read_turns(connection: Connection, wanted: ColumnElement[bool]) -> list[StoredTurn]:
    """Return the turns that meet a condition on the table `turns`, in order, with all their answers."""
    told = select(answers).join(turns, turns.c.id == answers.c.turn_id).where(wanted)
    by_turn: dict[str, list[StoredAnswer]] = {}
    for row in connection.execute(told.order_by(answers.c.position)):
        by_turn.setdefault(row.turn_id, []).append(_answer_of(row))
    asked = connection.execute(select(turns).where(wanted).order_by(turns.c.position))
    return [_turn_of(row, tuple(by_turn.get(row.id, ()))) for row in asked]


def _turn_of(row: Row[*tuple[Any, ...]], told: tuple[StoredAnswer, ...]) -> StoredTurn:
    shown = [at for at, answer in enumerate(told) if answer.id == row.shown_answer_id]
    return StoredTurn(row.id, row.position, row.question, row.created_at, told, shown[0] if shown else 0)


def _answer_of(row: Row[*tuple[Any, ...]]) -> StoredAnswer:
    """Return the answer of a row; an unfinished one as far as it came."""
    feedback = None if row.rating is None else Feedback(row.rating, row.reason, row.rated_at)
    answer = _unfinished(row) if row.answer is None else answer_from_json(row.answer)
    return StoredAnswer(row.id, answer, feedback, row.created_at)


def _unfinished(row: Row[*tuple[Any, ...]]) -> Answer:
    embedded = row.provider == "embedded"
    return Answer(
        outcome="interrupted",
        text=row.text,
        basis="quotes" if embedded else "passages",
        usage=FREE if embedded else Usage(estimated=True),
        provider=row.provider,
        model=row.model,
        trace_id=row.trace_id,
        note="This answer was interrupted before it was finished.",
    )
