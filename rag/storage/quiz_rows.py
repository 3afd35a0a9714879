"""Turns quizzes and their questions into table rows, and the rows back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from rag.quiz_types import (
    ASKED,
    GRADE,
    PLAN,
    REQUEST,
    RESPONSE,
    AskedQuestion,
    Plan,
    QuizRequest,
    Session,
    SessionItem,
)


def quiz_row(quiz_id: str, owner: str, request: QuizRequest, plan: Plan, now: datetime) -> dict[str, Any]:
    """Return the row of a quiz that starts now."""
    return {
        "id": quiz_id,
        "owner": owner,
        "mode": request.mode,
        "state": "running",
        "stop_reason": "",
        "request": REQUEST.dump_python(request, mode="json"),
        "plan": PLAN.dump_python(plan, mode="json"),
        "position": 0,
        "started_at": now,
        "updated_at": now,
    }


def item_row(
    quiz_id: str, position: int, question: AskedQuestion, follow_up_of: int | None, reason: str
) -> dict[str, Any]:
    """Return the row of a question that is asked now."""
    return {
        "quiz_id": quiz_id,
        "position": position,
        "question_id": question.id,
        "question": ASKED.dump_python(question, mode="json"),
        "follow_up_of": follow_up_of,
        "reason": reason,
        "hints": 0,
        "draft": "",
        "guessing": False,
        "grading": "none",
        "grading_error": "",
        "self_rating": "",
        "disagreement": "",
        "report": "",
    }


def session_of(row: Row[Any], items: Sequence[SessionItem]) -> Session:
    """Return the quiz of a row with its items, in order."""
    return Session(
        id=row.id,
        owner=row.owner,
        mode=row.mode,
        state=row.state,
        stop_reason=row.stop_reason,
        request=REQUEST.validate_python(row.request),
        plan=PLAN.validate_python(row.plan),
        position=row.position,
        items=tuple(items),
        started_at=row.started_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
    )


def item_of(row: Row[Any]) -> SessionItem:
    """Return the item of a row."""
    return SessionItem(
        position=row.position,
        question=ASKED.validate_python(row.question),
        follow_up_of=row.follow_up_of,
        reason=row.reason,
        shown_at=row.shown_at,
        hints=row.hints,
        draft=row.draft,
        guessing=row.guessing,
        response=None if row.response is None else RESPONSE.validate_python(row.response),
        answered_at=row.answered_at,
        grading=row.grading,
        grading_error=row.grading_error,
        grade=None if row.grade is None else GRADE.validate_python(row.grade),
        self_rating=row.self_rating,
        disagreement=row.disagreement,
        report=row.report,
    )
