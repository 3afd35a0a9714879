"""Asks small libraries and the shipped one, and returns the finished answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rag.services import Services
from rag.types import Answer, AnswerEvent, Ask, Completed

LibraryOf = Callable[..., Services]
"""Given texts by file name, returns services whose library holds them."""


def events(services: Services, question: str, **options: Any) -> list[AnswerEvent]:
    """Return all events of one answer."""
    return list(services.answerer().stream(Ask(question, **options)))


def answered(services: Services, question: str, **options: Any) -> Answer:
    """Return the finished answer."""
    last = events(services, question, **options)[-1]
    assert isinstance(last, Completed)
    return last.answer
