"""Turns quizzes into one list of answers, and that list into a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rag.quiz.export.tables import session_csv
from rag.quiz_types import Session, SessionItem

Result = Literal["right", "partly", "wrong", "self_rated", "not_answered", "ungraded"]
"""By a key or a model, `partly`: some of the points; `self_rated`: by the person alone; `ungraded`: not
yet, or nothing but a coverage hint."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One question of a quiz that was answered or skipped."""

    session: Session
    item: SessionItem
    at: datetime
    """When, UTC."""
    result: Result

    @property
    def topic(self) -> str:
        """The topic of the question."""
        return self.item.question.topic

    @property
    def is_follow_up(self) -> bool:
        """Tell whether it followed another question of the quiz."""
        return self.item.follow_up_of is not None


def answered(sessions: Sequence[Session]) -> list[Answered]:
    """Return every answer of these quizzes, follow-ups among them, the oldest first."""
    found = [
        Answered(session, item, item.answered_at, result_of(item))
        for session in sessions
        for item in session.items
        if item.response is not None and item.answered_at is not None
    ]
    return sorted(found, key=lambda one: (one.at, one.session.id, one.item.position))


def result_of(item: SessionItem) -> Result:
    """Return what became of an answer."""
    grade, response = item.grade, item.response
    if response is None or response.skipped or (grade and grade.outcome == "not_answered"):
        return "not_answered"
    if grade and grade.graded_by == "key":
        return "right" if grade.right else "wrong"
    if grade and grade.graded_by == "llm" and grade.outcome == "off_topic":
        return "wrong"
    if grade and grade.graded_by == "llm" and grade.outcome == "graded" and grade.verdicts:
        if grade.met == len(grade.verdicts):
            return "right"
        return "partly" if any(v.verdict in ("met", "partial") for v in grade.verdicts) else "wrong"
    return "self_rated" if item.self_rating else "ungraded"


def history_csv(answers: Sequence[Answered]) -> bytes:
    """Return the answers, in the given order, with the columns of a quiz's export and its quiz in front."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    tables: dict[str, list[list[str]]] = {}
    for one in answers:
        if one.session.id not in tables:
            text = session_csv(one.session).decode("utf-8-sig")
            tables[one.session.id] = list(csv.reader(io.StringIO(text, newline="")))
            if len(tables) == 1:
                writer.writerow(["quiz", "mode", *tables[one.session.id][0]])
        writer.writerow([one.session.id, one.session.mode, *tables[one.session.id][1 + one.item.position]])
    return written.getvalue().encode("utf-8-sig")
