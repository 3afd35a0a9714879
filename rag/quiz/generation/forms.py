"""The JSON that a model has to answer with, and what it is told to do: one form for each kind of call."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from rag.quiz.bank import Skill
from rag.quiz.verdicts import OptionVerdict

Json = dict[str, Any]
Purpose = Literal["draft", "judge", "solve"]
"""What a call is for, as the ledger names it."""
LETTERS = "ABCD"
_Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class _Form(BaseModel):
    """Types alone: servers that follow a schema know few other constraints. Code checks the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DraftedWrong(_Form):
    text: _Text
    why: _Text


class DraftedChoice(_Form):
    question: _Text
    key: _Text
    key_why: _Text
    wrong_1: DraftedWrong
    wrong_2: DraftedWrong
    wrong_3: DraftedWrong
    quote: _Text
    skill: Skill


class DraftedPoint(_Form):
    claim: _Text
    must_have: bool
    weight: Literal[1, 2, 3]
    quote: _Text


class DraftedOpen(_Form):
    question: _Text
    points: list[DraftedPoint]
    model_answer: _Text
    follow_up_1: _Text
    follow_up_2: _Text
    skill: Skill


class Judged(_Form):
    quote: _Text
    """The words of the passage that decide; empty where it says nothing."""
    verdict: OptionVerdict


class Solved(_Form):
    quote: _Text
    answer: Literal["A", "B", "C", "D", "none"]


class Recalled(_Form):
    answer: Literal["A", "B", "C", "D", "none"]


class Said(_Form):
    answer: _Text


Form = TypeVar("Form", bound=BaseModel)


class Voice(Protocol):
    """A model that is asked one thing at a time and remembers nothing."""

    def ask(self, purpose: Purpose, instructions: str, material: Json, form: type[Form]) -> Form | None:
        """Return the answer; None when it does not have the form.

        instructions: name of the prompt. Raises what ends the whole run: ProviderError, BudgetExceeded.
        """
        ...
