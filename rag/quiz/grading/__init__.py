"""Says what became of an answer: by a key, by a model that code checks, or as a hint without either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rag.embedding.base import Vectors
from rag.providers.choice import ModelChoice
from rag.quiz.grading.choice import grade_choice
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz_types import AskedQuestion, Grade
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger

__all__ = ["OpenGrader", "grade_choice", "open_grader"]


class OpenGrader(Protocol):
    """Grades answers to open questions."""

    def grade(self, question: AskedQuestion, answer: str, *, trace_id: str) -> Grade:
        """Return what became of the answer; model calls are written to the ledger under `trace_id`.

        Raises InvalidInput when the answer is too long or the question has no points, ProviderError when
        the model failed, and BudgetExceeded.
        """
        ...


def open_grader(
    choice: ModelChoice,
    settings: ChatSettings,
    ledger: Ledger,
    embed: Callable[[Sequence[str]], Vectors],
    check_budget: Callable[[], None],
) -> OpenGrader:
    """Return who grades with this choice: the model, or without one the coverage hint.

    Raises ConfigurationError when the choice lacks something, such as a key.
    """
    if choice.provider == "embedded":
        return CoverageHint(embed)
    from rag.quiz.grading.llm import LlmGrader  # LangChain costs a second of start-up

    return LlmGrader(choice, settings, ledger, embed, check_budget)
