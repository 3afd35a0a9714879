"""Finds the stored answers that rest on a document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, cast, func, select, update

from rag.storage.engine import Database
from rag.storage.tables import answer_citations, answers, conversations, turns

ANSWERS_AT_ONCE = 50
"""Answers rewritten in one transaction: others wait for it, and a stored search has about 80 kB."""


@dataclass(frozen=True, slots=True)
class CitingAnswer:
    """A citation of a document in a stored answer."""

    trace_id: str
    conversation_id: str
    question: str
    quote: str
    """What `document.text[start:end]` was when the answer was given."""
    start: int
    end: int
    created_at: datetime
    """When the answer was begun."""


class Citations:
    """The citations of all answers in all conversations; those of a deleted conversation are gone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> dict[str, int]:
        """Return how many citations there are by document id; also of documents that are gone."""
        column = answer_citations.c.document_id
        query = select(column, func.count().label("cited")).group_by(column)
        with self._database.read() as connection:
            return {row.document_id: row.cited for row in connection.execute(query)}

    def of(self, document_id: str, owner: str = "") -> list[CitingAnswer]:
        """Return the citations of a document in the conversations of `owner`.

        The newest answer comes first; within an answer they are ordered by their place in the document.
        """
        cited = answer_citations
        query = (
            select(
                answers.c.trace_id,
                turns.c.conversation_id,
                turns.c.question,
                cited.c.quote,
                cited.c.start,
                cited.c.end,
                answers.c.created_at,
            )
            .join(answers, answers.c.id == cited.c.answer_id)
            .join(turns, turns.c.id == answers.c.turn_id)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .where(cited.c.document_id == document_id, conversations.c.owner == owner)
            .order_by(answers.c.created_at.desc(), answers.c.id, cited.c.start, cited.c.marker)
        )
        with self._database.read() as connection:
            return [CitingAnswer(*row) for row in connection.execute(query)]


def forget_passages(database: Database, document_id: str) -> None:
    """Delete the passages of a document from the searches stored with answers.

    What an answer says and quotes stays, and so do the title and the place of every passage. Takes one
    transaction for every ANSWERS_AT_ONCE answers.
    """
    name = f'"document_id": {json.dumps(document_id)}'
    named = select(answers.c.id).where(cast(answers.c.answer, Text).contains(name, autoescape=True))
    with database.read() as connection:
        ids = connection.scalars(named).all()
    for first in range(0, len(ids), ANSWERS_AT_ONCE):
        with database.write() as connection:
            for answer_id in ids[first : first + ANSWERS_AT_ONCE]:
                _without_passages(connection, answer_id, document_id)


def _without_passages(connection: Connection, answer_id: str, document_id: str) -> None:
    row = answers.c.id == answer_id
    answer = connection.scalars(select(answers.c.answer).where(row)).one_or_none()
    if answer is None:  # deleted meanwhile
        return
    hits = [
        hit | {"text": "", "heading_path": []} if hit.get("document_id") == document_id else hit
        for hit in answer.get("hits", ())
    ]
    connection.execute(update(answers).where(row).values(answer=answer | {"hits": hits}))
