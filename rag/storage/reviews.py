"""Keeps when every question comes again, by person, and the reviews that say so."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from rag.storage.engine import Database
from rag.storage.quiz_tables import review_cards, review_logs

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredCard:
    """What is known of one person's memory of one question."""

    question_id: str
    topic: str
    card: Json
    due_at: datetime
    """As the scheduler says; an interview day may bring it forward."""


@dataclass(frozen=True, slots=True)
class StoredReview:
    """One answer as the scheduler counts it."""

    question_id: str
    rating: str
    reviewed_at: datetime
    quiz_id: str
    position: int
    """Of the answered item in its quiz; there is one review for each."""
    log: Json


_Cards = list[StoredCard]
_Reviews = list[StoredReview]
Replay = Callable[[Sequence[Json]], tuple[Json, datetime]]
"""Turns all logs of a card, oldest first, into the card and when it is due."""


class Reviews:
    """Stores cards and their reviews. Every method is one transaction."""

    def __init__(self, database: Database, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._database = database
        self._new_id = new_id

    def record(self, owner: str, topic: str, review: StoredReview, replay: Replay) -> None:
        """Store a review in place of an earlier one of the same item, and what its card then is."""
        same_item = (review_logs.c.quiz_id == review.quiz_id, review_logs.c.position == review.position)
        with self._database.write() as connection:
            _take_turns(connection, owner, review.question_id)
            connection.execute(delete(review_logs).where(*same_item))
            connection.execute(insert(review_logs), self._row(owner, review))
            logs = connection.scalars(
                select(review_logs.c.log)
                .where(review_logs.c.owner == owner, review_logs.c.question_id == review.question_id)
                .order_by(review_logs.c.reviewed_at, review_logs.c.id)
            ).all()
            card, due_at = replay(logs)
            values = {"topic": topic, "card": card, "due_at": due_at}
            key = {"owner": owner, "question_id": review.question_id}
            known = update(review_cards).filter_by(**key).values(**values)
            if not connection.execute(known).rowcount:
                connection.execute(insert(review_cards), {**key, **values})

    def cards(self, owner: str) -> _Cards:
        """Return the cards of one person, the soonest due first."""
        table = review_cards
        query = select(table.c.question_id, table.c.topic, table.c.card, table.c.due_at)
        with self._database.read() as connection:
            rows = connection.execute(
                query.where(table.c.owner == owner).order_by(table.c.due_at, table.c.question_id)
            )
            return [StoredCard(*row) for row in rows]

    def list(self, owner: str) -> _Reviews:
        """Return the reviews of one person, the oldest first."""
        oldest = (review_logs.c.reviewed_at, review_logs.c.id)
        with self._database.read() as connection:
            rows = connection.execute(
                select(review_logs).where(review_logs.c.owner == owner).order_by(*oldest)
            )
            return [_review(row) for row in rows]

    def _row(self, owner: str, review: StoredReview) -> Json:
        return {
            "id": self._new_id(),
            "owner": owner,
            "question_id": review.question_id,
            "rating": review.rating,
            "reviewed_at": review.reviewed_at,
            "quiz_id": review.quiz_id,
            "position": review.position,
            "log": review.log,
        }


def _take_turns(connection: Connection, owner: str, question_id: str) -> None:
    """Wait for other reviews of this card, where several writers are allowed."""
    if connection.dialect.name == "postgresql":  # a lock by number: a new card has no row to lock
        name = hashlib.sha256(f"{owner}\0{question_id}".encode()).digest()
        number = int.from_bytes(name[:8], signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def _review(row: Row[Any]) -> StoredReview:
    return StoredReview(row.question_id, row.rating, row.reviewed_at, row.quiz_id, row.position, row.log)
