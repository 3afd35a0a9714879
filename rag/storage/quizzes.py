"""Quizzes with every question as it was asked, what was answered, and how it was graded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, insert, select, update

from rag.quiz_types import (
    ASKED,
    GRADE,
    PLAN,
    RESPONSE,
    AskedQuestion,
    Grade,
    Grading,
    Plan,
    QuizRequest,
    Response,
    SelfRating,
    Session,
    SessionItem,
    StopReason,
)
from rag.storage.engine import Database
from rag.storage.quiz_rows import item_of, item_row, quiz_row, session_of
from rag.storage.quiz_tables import quiz_items, quizzes

_Sessions = list[Session]
_UNGRADED: tuple[Grading, ...] = ("waiting", "failed")


class Quizzes:
    """Stores quizzes as they happen. Every method is one transaction.

    Methods that change something return whether they did: not when the quiz is gone, belongs to somebody
    else or is finished, or when another tab was first.
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

    def create(
        self, owner: str, request: QuizRequest, plan: Plan, question: AskedQuestion, reason: str
    ) -> str:
        """Store a new quiz with its first question, and return its id."""
        quiz_id = self._new_id()
        row = quiz_row(quiz_id, owner, request, plan, self._clock())
        with self._database.write() as connection:
            connection.execute(insert(quizzes), row)
            connection.execute(insert(quiz_items), item_row(quiz_id, 0, question, None, reason))
        return quiz_id

    def get(self, quiz_id: str, owner: str) -> Session | None:
        """Return a quiz; None when `owner` has none with this id."""
        found = self._read(quizzes.c.id == quiz_id, quizzes.c.owner == owner, limit=1)
        return found[0] if found else None

    def unfinished(self, owner: str) -> Session | None:
        """Return the running quiz that was used last; None when there is none."""
        running = (quizzes.c.owner == owner, quizzes.c.state == "running")
        found = self._read(*running, by=quizzes.c.updated_at, limit=1)
        return found[0] if found else None

    def list(self, owner: str, limit: int = 50) -> _Sessions:
        """Return the quizzes of `owner`, the last started first."""
        return self._read(quizzes.c.owner == owner, limit=limit)

    def stamp(self, owner: str) -> tuple[int, datetime | None]:
        """Return what changes whenever a quiz of `owner` does: how many there are, and the last change."""
        query = select(func.count(), func.max(quizzes.c.updated_at)).where(quizzes.c.owner == owner)
        with self._database.read() as connection:
            number, changed_at = connection.execute(query).one()
        return number, changed_at

    def asked_ids(self, owner: str) -> set[str]:
        """Return the ids of all questions of plans that `owner` was asked."""
        query = (
            select(quiz_items.c.question_id)
            .distinct()
            .join(quizzes, quizzes.c.id == quiz_items.c.quiz_id)
            .where(quizzes.c.owner == owner, quiz_items.c.follow_up_of.is_(None))
        )
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def asked(self, owner: str) -> dict[str, AskedQuestion]:
        """Return all questions of the plans that `owner` was asked, by id, as they were asked last."""
        return self._last_of(owner, quiz_items.c.follow_up_of.is_(None))

    def last_asked(self, owner: str, question_ids: Collection[str]) -> dict[str, AskedQuestion]:
        """Return those of these questions that `owner` was asked, also as follow-ups, by id as asked last."""
        return self._last_of(owner, quiz_items.c.question_id.in_(question_ids))

    def advance(
        self,
        session: Session,
        plan: Plan,
        question: AskedQuestion,
        follow_up_of: int | None,
        reason: str,
    ) -> bool:
        """Ask another question after the current one of `session`, once, whoever else tries to."""
        position = session.position + 1
        values = {"position": position, "plan": PLAN.dump_python(plan, mode="json")}
        with self._database.write() as connection:
            if not self._touch(connection, session.id, session.owner, values, at=session.position):
                return False
            row = item_row(session.id, position, question, follow_up_of, reason)
            connection.execute(insert(quiz_items), row)
        return True

    def finish(self, quiz_id: str, owner: str, reason: StopReason, at: int | None = None) -> bool:
        """End a running quiz; with `at` only while that is the position of its current question."""
        values = {"state": "finished", "stop_reason": reason, "finished_at": self._clock()}
        with self._database.write() as connection:
            return self._touch(connection, quiz_id, owner, values, at=at)

    def answer(
        self,
        quiz_id: str,
        owner: str,
        position: int,
        response: Response,
        grading: Grading,
        grade: Grade | None,
    ) -> bool:
        """Store an answer, with its grade where that is known; only the first one counts."""
        values = {
            "response": RESPONSE.dump_python(response, mode="json"),
            "answered_at": self._clock(),
            "draft": "",
            "grading": grading,
            "grade": None if grade is None else GRADE.dump_python(grade, mode="json"),
        }
        with self._database.write() as connection:
            if not self._touch(connection, quiz_id, owner, {}, at=position):
                return False
            return _set(connection, quiz_id, position, values, quiz_items.c.response.is_(None))

    def grade(self, quiz_id: str, owner: str, position: int, grade: Grade) -> bool:
        """Store the grade of an answer that has none yet, also of a finished quiz."""
        values = {
            "grading": "done",
            "grading_error": "",
            "grade": GRADE.dump_python(grade, mode="json"),
        }
        return self._amend(quiz_id, owner, position, values, quiz_items.c.grading.in_(_UNGRADED))

    def fail_grading(self, quiz_id: str, owner: str, position: int, error: str) -> bool:
        """Store why an answer could not be graded, for people; it may be graded later."""
        values = {"grading": "failed", "grading_error": error}
        return self._amend(quiz_id, owner, position, values, quiz_items.c.grading.in_(_UNGRADED))

    def show(self, quiz_id: str, owner: str, position: int) -> bool:
        """Store when a question was shown first."""
        return self._amend(
            quiz_id, owner, position, {"shown_at": self._clock()}, quiz_items.c.shown_at.is_(None)
        )

    def save_draft(self, quiz_id: str, owner: str, position: int, text: str, guessing: bool = False) -> bool:
        """Store what was typed and ticked so far, until the question is answered."""
        values = {"draft": text, "guessing": guessing}
        return self._amend(quiz_id, owner, position, values, quiz_items.c.response.is_(None))

    def add_hint(self, quiz_id: str, owner: str, position: int, most: int) -> bool:
        """Count a hint that is looked at before answering, up to `most`."""
        fits = (quiz_items.c.response.is_(None), quiz_items.c.hints < most)
        return self._amend(quiz_id, owner, position, {"hints": quiz_items.c.hints + 1}, *fits)

    def rate(self, quiz_id: str, owner: str, position: int, rating: SelfRating) -> bool:
        """Store how well the person says they knew an answered question; the last word counts."""
        return self._amend(
            quiz_id, owner, position, {"self_rating": rating}, quiz_items.c.response.is_not(None)
        )

    def disagree(self, quiz_id: str, owner: str, position: int, text: str) -> bool:
        """Store what the person says against a grade; empty takes it back."""
        return self._amend(
            quiz_id, owner, position, {"disagreement": text}, quiz_items.c.response.is_not(None)
        )

    def report(self, quiz_id: str, owner: str, position: int, text: str) -> bool:
        """Store what the person says is wrong with a question; empty takes it back."""
        return self._amend(quiz_id, owner, position, {"report": text})

    def _read(
        self,
        *conditions: ColumnElement[bool],
        limit: int,
        by: Column[datetime] = quizzes.c.started_at,
    ) -> _Sessions:
        newest = (by.desc(), quizzes.c.id)
        with self._database.read() as connection:
            found = connection.execute(
                select(quizzes).where(*conditions).order_by(*newest).limit(limit)
            ).all()
            items: dict[str, list[SessionItem]] = {row.id: [] for row in found}
            query = select(quiz_items).where(quiz_items.c.quiz_id.in_(items)).order_by(quiz_items.c.position)
            for row in connection.execute(query) if items else ():
                items[row.quiz_id].append(item_of(row))
        return [session_of(row, items[row.id]) for row in found]

    def _last_of(self, owner: str, which: ColumnElement[bool]) -> dict[str, AskedQuestion]:
        query = (
            select(quiz_items.c.question_id, quiz_items.c.question)
            .join(quizzes, quizzes.c.id == quiz_items.c.quiz_id)
            .where(quizzes.c.owner == owner, which)
            .order_by(quizzes.c.started_at, quiz_items.c.position)
        )
        with self._database.read() as connection:
            last = {row.question_id: row.question for row in connection.execute(query)}
        return {question_id: ASKED.validate_python(found) for question_id, found in last.items()}

    def _touch(
        self,
        connection: Connection,
        quiz_id: str,
        owner: str,
        values: dict[str, Any],
        *,
        at: int | None,
    ) -> bool:
        """Change the row of a running quiz at this position, which holds other changes of it off."""
        change = update(quizzes).where(
            quizzes.c.id == quiz_id, quizzes.c.owner == owner, quizzes.c.state == "running"
        )
        if at is not None:
            change = change.where(quizzes.c.position == at)
        return connection.execute(change.values(values | {"updated_at": self._clock()})).rowcount == 1

    def _amend(
        self,
        quiz_id: str,
        owner: str,
        position: int,
        values: dict[str, Any],
        *conditions: ColumnElement[bool],
    ) -> bool:
        """Change an item, also of a finished quiz, where the conditions hold."""
        own = update(quizzes).where(quizzes.c.id == quiz_id, quizzes.c.owner == owner)
        with self._database.write() as connection:
            if not connection.execute(own.values(updated_at=self._clock())).rowcount:
                return False
            return _set(connection, quiz_id, position, values, *conditions)


def _set(
    connection: Connection,
    quiz_id: str,
    position: int,
    values: dict[str, Any],
    *conditions: ColumnElement[bool],
) -> bool:
    change = update(quiz_items).where(
        quiz_items.c.quiz_id == quiz_id, quiz_items.c.position == position, *conditions
    )
    return connection.execute(change.values(values)).rowcount == 1
