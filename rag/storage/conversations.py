"""Conversations: their turns, every answer variant of a turn, and what the reader thought of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unicodedata import normalize

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Update,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from rag.errors import StoreError
from rag.storage.engine import Database
from rag.storage.rows import citation_rows
from rag.storage.serialising import answer_to_json
from rag.storage.tables import answer_citations, answers, conversations, turns
from rag.storage.turns import Conversation, Feedback, Rating, StoredAnswer, StoredTurn, read_turns
from rag.types import Answer

__all__ = ["Conversation", "Conversations", "Feedback", "Rating", "StoredAnswer", "StoredTurn"]

TITLE_LENGTH = 60
"""Characters of a first question that make the title of an untitled conversation."""
_SEARCH_LENGTH = 1_000
"""Characters of a search that count; SQLite refuses patterns of 50,000 bytes."""
_CONVERSATION = tuple(conversations.c[name] for name in ("id", "title", "created_at", "updated_at", "owner"))
_Conversations = list[Conversation]
_Turns = list[StoredTurn]


class Conversations:
    """Stores conversations as they happen: questions before answers, partial texts while they stream.

    Every method is one transaction. Methods that change something raise StoreError for an id that
    is gone, e.g. because the conversation was deleted in another tab.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def create(self, title: str = "", owner: str = "") -> Conversation:
        """Start a conversation; without a title the first question becomes it."""
        now = self._clock()
        new = Conversation(self._new_id(), title, now, now, owner)
        row = {
            "id": new.id,
            "title": title,
            "title_folded": _folded(title),
            "created_at": now,
            "updated_at": now,
            "owner": owner,
        }
        with self._database.write() as connection:
            connection.execute(insert(conversations), row)
        return new

    def list(self, search: str = "", limit: int = 100, owner: str = "") -> _Conversations:
        """Return the conversations of `owner`, the last used first.

        `search` is looked for in titles, questions and answer texts, whatever its case; no
        character is special. Empty finds all.
        """
        table = conversations
        query = select(*_CONVERSATION).where(table.c.owner == owner)
        if words := _folded(search.strip())[:_SEARCH_LENGTH]:
            asked = select(turns.c.conversation_id).where(_holds(turns.c.question_folded, words))
            told = (
                select(turns.c.conversation_id)
                .join(answers, answers.c.turn_id == turns.c.id)
                .where(_holds(answers.c.text_folded, words))
            )
            query = query.where(
                or_(_holds(table.c.title_folded, words), table.c.id.in_(asked), table.c.id.in_(told))
            )
        newest = (table.c.updated_at.desc(), table.c.created_at.desc(), table.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(*newest).limit(limit))
            return [Conversation(*row) for row in rows]

    def get(self, conversation_id: str) -> Conversation | None:
        """Return a conversation; None when there is none with this id."""
        table = conversations
        query = select(*_CONVERSATION).where(table.c.id == conversation_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Conversation(*row)

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title."""
        change = update(conversations).where(conversations.c.id == conversation_id)
        with self._database.write() as connection:
            _change(connection, change.values(title=title, title_folded=_folded(title)))

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation with its turns, answers and feedback; no error when it is gone."""
        with self._database.write() as connection:
            connection.execute(delete(conversations).where(conversations.c.id == conversation_id))

    def turns(self, conversation_id: str) -> _Turns:
        """Return the turns of a conversation in order; empty when there is no such conversation."""
        with self._database.read() as connection:
            return read_turns(connection, turns.c.conversation_id == conversation_id)

    def by_trace(self, trace_id: str, owner: str = "") -> tuple[str, StoredTurn, StoredAnswer] | None:
        """Return an answer with its turn and its conversation's id.

        None when no conversation of `owner` has an answer of this trace.
        """
        query = (
            select(answers.c.id, turns.c.conversation_id, answers.c.turn_id)
            .join(turns, turns.c.id == answers.c.turn_id)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .where(answers.c.trace_id == trace_id, conversations.c.owner == owner)
            .order_by(answers.c.created_at.desc(), answers.c.position.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none() if trace_id else None
            if found is None:
                return None
            (turn,) = read_turns(connection, turns.c.id == found.turn_id)
        return found.conversation_id, turn, next(told for told in turn.answers if told.id == found.id)

    def add_turn(self, conversation_id: str, question: str) -> str:
        """Store a question and return its turn's id; the first titles an untitled conversation."""
        now, turn_id = self._clock(), self._new_id()
        with self._database.write() as connection:
            _touch(connection, conversation_id, now)
            count = func.count(turns.c.id)
            position = connection.scalar(select(count).where(turns.c.conversation_id == conversation_id))
            connection.execute(
                insert(turns),
                {
                    "id": turn_id,
                    "conversation_id": conversation_id,
                    "position": position,
                    "question": question,
                    "question_folded": _folded(question),
                    "created_at": now,
                },
            )
            if position == 0:
                title = _title(question)
                untitled = (conversations.c.id == conversation_id) & (conversations.c.title == "")
                connection.execute(
                    update(conversations).where(untitled).values(title=title, title_folded=_folded(title))
                )
        return turn_id

    def begin_answer(self, turn_id: str, provider: str, model: str, trace_id: str) -> str:
        """Store an answer that is about to be written, show it, and return its id.

        Until `complete` it counts as interrupted, so a crash leaves the truth behind.
        """
        now, answer_id = self._clock(), self._new_id()
        with self._database.write() as connection:
            _change(
                connection,
                update(turns).where(turns.c.id == turn_id).values(shown_answer_id=answer_id),
            )
            count = select(func.count(answers.c.id)).where(answers.c.turn_id == turn_id)
            connection.execute(
                insert(answers),
                {
                    "id": answer_id,
                    "turn_id": turn_id,
                    "position": connection.scalar(count),
                    "provider": provider,
                    "model": model,
                    "trace_id": trace_id,
                    "outcome": "interrupted",
                    "text": "",
                    "text_folded": "",
                    "created_at": now,
                },
            )
        return answer_id

    def save_partial(self, answer_id: str, text: str) -> None:
        """Keep the text so far of an answer that is being written; a complete one stays as it is.

        Each call is a commit (milliseconds): about one a second is enough.
        """
        unfinished = (answers.c.id == answer_id) & answers.c.answer.is_(None)
        change = update(answers).where(unfinished).values(text=text, text_folded=_folded(text))
        with self._database.write() as connection:
            if not connection.execute(change).rowcount:
                _require(connection, answer_id)

    def complete(self, answer_id: str, answer: Answer) -> None:
        """Store a finished answer with all its evidence."""
        stored = answer_to_json(answer)
        with self._database.write() as connection:
            _change(
                connection,
                update(answers)
                .where(answers.c.id == answer_id)
                .values(
                    provider=answer.provider,
                    model=answer.model,
                    trace_id=answer.trace_id,
                    outcome=answer.outcome,
                    text=answer.text,
                    text_folded=_folded(answer.text),
                    answer=stored,
                ),
            )
            connection.execute(delete(answer_citations).where(answer_citations.c.answer_id == answer_id))
            if cited := citation_rows(answer_id, stored):
                connection.execute(insert(answer_citations), cited)
            of_answer = (
                select(turns.c.conversation_id)
                .join(answers, answers.c.turn_id == turns.c.id)
                .where(answers.c.id == answer_id)
            )
            _touch(connection, connection.scalar(of_answer), self._clock())

    def show(self, turn_id: str, answer_id: str) -> None:
        """Choose which of a turn's answers is shown."""
        of_turn = select(answers.c.id).where(answers.c.id == answer_id, answers.c.turn_id == turn_id)
        change = update(turns).where(turns.c.id == turn_id, exists(of_turn))
        with self._database.write() as connection:
            _change(connection, change.values(shown_answer_id=answer_id))

    def set_feedback(self, answer_id: str, rating: Rating | None, reason: str = "") -> None:
        """Rate an answer; None takes the rating back."""
        values: dict[str, Any] = {"rating": None, "reason": None, "rated_at": None}
        if rating is not None:
            values = {"rating": rating, "reason": reason, "rated_at": self._clock()}
        with self._database.write() as connection:
            _change(connection, update(answers).where(answers.c.id == answer_id).values(values))


def _folded(text: str) -> str:
    """Return a text as the search compares it: without case and without differences of encoding."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def _holds(column: Column[str], words: str) -> ColumnElement[bool]:
    return column.contains(words, autoescape=True)


def _title(question: str) -> str:
    words = " ".join(question.split())
    return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1].rstrip() + "…"


def _change(connection: Connection, change: Update) -> None:
    if not connection.execute(change).rowcount:
        raise _gone()


def _touch(connection: Connection, conversation_id: str | None, now: datetime) -> None:
    """Mark a conversation as used; as the first step of a change it makes such changes queue up."""
    one = conversations.c.id == conversation_id
    _change(connection, update(conversations).where(one).values(updated_at=now))


def _require(connection: Connection, answer_id: str) -> None:
    if connection.scalar(select(answers.c.id).where(answers.c.id == answer_id)) is None:
        raise _gone()


def _gone() -> StoreError:
    return StoreError(
        "This conversation is no longer there.",
        hint="It was deleted, perhaps in another tab. Start a new one.",
    )
