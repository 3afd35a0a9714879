"""Keeps the questions that somebody has beside the shipped bank, and which questions they found wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Text, cast, delete, insert, select, update

from rag.quiz_types import ASKED, AskedQuestion, Origin
from rag.storage.engine import Database
from rag.storage.quiz_tables import questions as table
from rag.storage.quiz_tables import reports

_Questions = list[AskedQuestion]
Stamp = tuple[tuple[str, datetime], ...]


class Questions:
    """Each owner's questions and reports; nobody sees those of others. Every method is one transaction.

    The id of a question is unique among those of its owner.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def add(self, owner: str, questions: Sequence[AskedQuestion], batch: str) -> int:
        """Store questions that came together; return how many, those with an id that exists left out.

        `batch` names the generation or import.
        """
        rows = self._rows(owner, questions, batch)
        with self._database.write() as connection:
            known = set(connection.scalars(select(table.c.id).where(table.c.owner == owner)))
            new = [row for key, row in rows.items() if key not in known]
            if new:
                connection.execute(insert(table), new)
        return len(new)

    def put(self, owner: str, questions: Sequence[AskedQuestion], batch: str) -> None:
        """Store questions as `add` does, in place of those with their ids."""
        rows = self._rows(owner, questions, batch)
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.id.in_(rows)))
            connection.execute(insert(table), [*rows.values()])

    def list(self, owner: str, origin: Origin | None = None) -> _Questions:
        """Return the questions of `owner`, the newest first, those that came together by their id."""
        query = select(table.c.item).where(table.c.owner == owner)
        if origin is not None:
            query = query.where(table.c.origin == origin)
        with self._database.read() as connection:
            items = connection.scalars(query.order_by(table.c.created_at.desc(), table.c.id)).all()
        return [ASKED.validate_python(item) for item in items]

    def stamp(self, owner: str) -> Stamp:
        """Return what changes whenever the questions of `owner` do."""
        query = select(table.c.id, table.c.created_at).where(table.c.owner == owner).order_by(table.c.id)
        with self._database.read() as connection:
            return tuple((row.id, row.created_at) for row in connection.execute(query))

    def remove(self, owner: str, question_id: str) -> bool:
        """Delete a question; False when `owner` has none with this id."""
        with self._database.write() as connection:
            gone = delete(table).where(table.c.id == _key(owner, question_id))
            return bool(connection.execute(gone).rowcount)

    def remove_batch(self, owner: str, batch: str) -> int:
        """Delete the questions of one generation or import; return how many there were."""
        with self._database.write() as connection:
            gone = delete(table).where(table.c.owner == owner, table.c.batch == batch)
            return connection.execute(gone).rowcount

    def _rows(
        self, owner: str, questions: Sequence[AskedQuestion], batch: str
    ) -> dict[str, dict[str, object]]:
        """Return rows by their ids; of two questions with one id the first is kept."""
        now = self._clock()
        return {
            _key(owner, question.id): {
                "id": _key(owner, question.id),
                "owner": owner,
                "origin": question.origin,
                "batch": batch,
                "kind": question.kind,
                "topic": question.topic,
                "level": question.level,
                "document_id": question.evidence.document_id if question.evidence else "",
                "item": ASKED.dump_python(question, mode="json"),
                "created_at": now,
            }
            for question in reversed(questions)
        }

    def remove_resting_on(self, document_id: str) -> int:
        """Delete the questions, of every owner, that quote a document; return how many there were."""
        name = f'"document_id": {json.dumps(document_id)}'
        gone = delete(table).where(cast(table.c.item, Text).contains(name, autoescape=True))
        with self._database.write() as connection:
            return connection.execute(gone).rowcount

    def report(self, owner: str, question_id: str, reason: str) -> None:
        """Write down what `owner` finds wrong with a question, in place of what they said before."""
        values = {"reason": reason, "created_at": self._clock()}
        with self._database.write() as connection:
            known = update(reports).where(reports.c.owner == owner, reports.c.question_id == question_id)
            if not connection.execute(known.values(**values)).rowcount:
                connection.execute(insert(reports).values(owner=owner, question_id=question_id, **values))

    def reported(self, owner: str) -> dict[str, str]:
        """Return the reasons by the id of the question, the newest first."""
        query = select(reports.c.question_id, reports.c.reason).where(reports.c.owner == owner)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(reports.c.created_at.desc(), reports.c.question_id))
            return {row.question_id: row.reason for row in rows}

    def unreport(self, owner: str, question_id: str) -> None:
        """Take a report back, if there is one."""
        mine = (reports.c.owner == owner) & (reports.c.question_id == question_id)
        with self._database.write() as connection:
            connection.execute(delete(reports).where(mine))


def _key(owner: str, question_id: str) -> str:
    """Return the id of the row: two people may import the same bank."""
    return f"{hashlib.sha256(owner.encode()).hexdigest()[:16]}:{question_id}"
