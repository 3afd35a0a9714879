"""Asks and returns the finished answer, as tests of answers do."""

from __future__ import annotations

from typing import Any

from rag.services import Services
from rag.types import Answer, AnswerEvent, Ask, Completed


def events(services: Services, question: str, **options: Any) -> list[AnswerEvent]:
    """Return all events of one answer."""
    return list(services.answerer().stream(Ask(question, **options)))


def answered(services: Services, question: str, **options: Any) -> Answer:
    """Return the finished answer."""
    last = events(services, question, **options)[-1]
    assert isinstance(last, Completed)
    return last.answer
