"""Turns a quiz into a table for spreadsheets and into JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from rag.quiz_types import ASKED, GRADE, PLAN, REQUEST, RESPONSE, Grade, Session, SessionItem
from rag.text.escaping import encodable

FORMAT, VERSION = "viva-quiz", 1
"""Written into the JSON; the version rises when a field changes its meaning or goes."""

_ACTING = "=+-@\t\r\n＝＋－＠"
"""A cell that begins with one of them can be a formula to a spreadsheet."""


def session_csv(session: Session) -> bytes:
    """Return one row for each question and follow-up, in UTF-8 with the mark by which Excel knows it.

    A text that a spreadsheet would run as a formula has an apostrophe in front.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for item in session.items:
        writer.writerow([_cell(value(item)) for value in _COLUMNS.values()])
    return encodable(written.getvalue()).encode("utf-8-sig")


def session_json(session: Session, now: datetime) -> str:
    """Return everything about a quiz as JSON text; moments in ISO 8601, costs as decimal texts in USD."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": now.isoformat(),
        "quiz": {
            "id": session.id,
            "mode": session.mode,
            "state": session.state,
            "stop_reason": session.stop_reason,
            "started_at": session.started_at.isoformat(),
            "finished_at": _moment(session.finished_at) or None,
            "request": REQUEST.dump_python(session.request, mode="json"),
            "plan": PLAN.dump_python(session.plan, mode="json"),
            "items": [_item(item) for item in session.items],
        },
    }
    return encodable(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")


def _item(item: SessionItem) -> dict[str, Any]:
    return {
        "position": item.position,
        "follow_up_of": item.follow_up_of,
        "reason": item.reason,
        "question": ASKED.dump_python(item.question, mode="json"),
        "shown_at": _moment(item.shown_at) or None,
        "answered_at": _moment(item.answered_at) or None,
        "hints": item.hints,
        "response": item.response and RESPONSE.dump_python(item.response, mode="json"),
        "grading": item.grading,
        "grade": item.grade and GRADE.dump_python(item.grade, mode="json"),
        "self_rating": item.self_rating,
        "disagreement": item.disagreement,
        "report": item.report,
    }


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ")[:1] in tuple(_ACTING) else text


def _answer(item: SessionItem) -> str:
    if item.response is None or item.response.skipped:
        return ""
    return item.response.text if item.response.option is None else _option(item, item.response.option)


def _option(item: SessionItem, place: int | None) -> str:
    if place is None or not 0 <= place < len(item.question.options):
        return ""
    return f"{ascii_uppercase[place]}. {item.question.options[place]}"


def _graded(value: Callable[[Grade], object]) -> Callable[[SessionItem], object]:
    return lambda item: value(item.grade) if item.grade else ""


def _right(grade: Grade) -> str:
    return "" if grade.right is None else "yes" if grade.right else "no"


def _points(grade: Grade) -> str:
    return "\n".join(f"{verdict.verdict}: {verdict.point}" for verdict in grade.verdicts)


_COLUMNS: Mapping[str, Callable[[SessionItem], object]] = {
    "number": lambda item: item.position + 1,
    "follow_up_of": lambda item: "" if item.follow_up_of is None else item.follow_up_of + 1,
    "question_id": lambda item: item.question.id,
    "topic": lambda item: item.question.topic,
    "level": lambda item: item.question.level,
    "kind": lambda item: item.question.kind,
    "origin": lambda item: item.question.origin,
    "question": lambda item: item.question.prompt,
    "options": lambda item: "\n".join(_option(item, place) for place in range(len(item.question.options))),
    "your_answer": _answer,
    "key_or_model_answer": lambda item: _option(item, item.question.answer) or item.question.model_answer,
    "guessed": lambda item: "yes" if item.response and item.response.guessed else "",
    "hints": lambda item: item.hints,
    "seconds": lambda item: f"{item.response.seconds:.0f}" if item.response else "",
    "outcome": _graded(lambda grade: grade.outcome),
    "graded_by": _graded(lambda grade: grade.graded_by),
    "right": _graded(_right),
    "points_met": _graded(lambda grade: grade.met if grade.verdicts else ""),
    "points_possible": _graded(lambda grade: len(grade.verdicts) or ""),
    "points": _graded(_points),
    "not_mentioned": _graded(lambda grade: "\n".join(grade.not_mentioned)),
    "self_rating": lambda item: item.self_rating,
    "disagreement": lambda item: item.disagreement,
    "reported": lambda item: item.report,
    "model": _graded(lambda grade: grade.model),
    "cost_usd": _graded(lambda grade: "" if grade.usage.cost_usd is None else grade.usage.cost_usd),
    "source_title": lambda item: item.question.evidence.title if item.question.evidence else "",
    "source_document": lambda item: item.question.evidence.document_id if item.question.evidence else "",
    "source_quote": lambda item: item.question.evidence.quote if item.question.evidence else "",
    "asked_at": lambda item: _moment(item.shown_at),
    "answered_at": lambda item: _moment(item.answered_at),
}
"""Name of each column and what stands in it; empty: there is nothing."""
