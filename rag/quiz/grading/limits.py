"""Refuses what can't be graded, before anything is spent on it."""

from __future__ import annotations

from rag.errors import InvalidInput
from rag.quiz_types import AskedQuestion

LONGEST_ANSWER = 8_000
"""Characters; more than anybody says in one answer of an interview."""


def check_gradable(question: AskedQuestion, answer: str) -> None:
    """Raise InvalidInput when the answer is too long or nothing was fixed to grade it by."""
    if len(answer) > LONGEST_ANSWER:
        raise InvalidInput(
            f"The answer has {len(answer):,} characters; at most {LONGEST_ANSWER:,} can be graded.",
            hint="Shorten it to what you would say in an interview.",
        )
    if not question.points:
        raise InvalidInput(
            "This question has no points to grade an answer by.", hint="Compare it with the model answer."
        )
