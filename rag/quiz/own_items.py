"""What somebody's own question has to look like: looser than the shipped bank, as a source is optional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from rag.quiz.bank import Skill
from rag.types import Level

PROBLEMS_TOLD = 5
"""Of one item; the rest shows when these are mended."""

_Text = Annotated[str, Field(min_length=1, max_length=2_000)]
_Words = Annotated[str, Field(max_length=2_000)]
_Lower = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)


class _Loose(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class OwnPoint(_Loose):
    """One thing that an answer should say, with its source if it has one."""

    claim: _Text
    must_have: bool = True
    weight: int = Field(default=2, ge=1, le=3)
    document: _Words = ""
    """Id or title."""
    quote: _Words = ""


class OwnOption(_Loose):
    """One choice."""

    text: _Text
    why: _Words = ""
    correct: bool = False


class _OwnQuestion(_Loose):
    id: str = Field(default="", pattern=r"^[\w.-]*$", max_length=60)
    """Empty: made of the question."""
    topic: str = Field(default="", max_length=60)
    level: Annotated[Level, _Lower] = "mid"
    skill: Annotated[Skill, _Lower] = "understanding"
    scenario: bool = False
    question: _Text


class OwnOpen(_OwnQuestion):
    """A question answered in one's own words."""

    points: tuple[OwnPoint, ...] = Field(min_length=3, max_length=6)
    model_answer: _Text
    follow_ups: tuple[_Text, ...] = Field(default=(), max_length=4)

    @model_validator(mode="after")
    def _something_is_required(self) -> OwnOpen:
        if not any(point.must_have for point in self.points):
            raise ValueError("no point is a must-have: say what an answer can't do without")
        return self


class OwnChoice(_OwnQuestion):
    """A question with options, one of which is right."""

    options: tuple[OwnOption, ...] = Field(min_length=3, max_length=5)
    explanation: _Words = ""
    """Why the key is right, where the options don't say why each is right or wrong."""
    document: _Words = ""
    """Id or title."""
    quote: _Words = ""

    @model_validator(mode="after")
    def _one_is_right(self) -> OwnChoice:
        if (right := sum(option.correct for option in self.options)) != 1:
            raise ValueError(f"{right or 'no'} options are marked as correct: mark exactly one")
        return self


@dataclass(frozen=True, slots=True)
class Draft:
    """One item of a file: the question, or why there is none."""

    place: str
    """Where it stands, e.g. "line 12" or "row 3"."""
    words: str
    """What it asks, as far as that could be read."""
    question: OwnOpen | OwnChoice | None
    problems: tuple[str, ...] = ()
    """Why it can't be read; empty for a question."""


_OPEN: TypeAdapter[OwnOpen | OwnChoice] = TypeAdapter(OwnOpen)
_CHOICE: TypeAdapter[OwnOpen | OwnChoice] = TypeAdapter(OwnChoice)


def draft(place: str, value: Any, *, is_open: bool) -> Draft:
    """Return the item that the fields of a file make, or what is wrong with them."""
    asked = value.get("question") if isinstance(value, dict) else ""
    words = asked if isinstance(asked, str) else ""
    try:
        return Draft(place, words, (_OPEN if is_open else _CHOICE).validate_python(value))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)[:PROBLEMS_TOLD]
        return Draft(place, words, None, tuple(map(_problem, found)))


def _problem(error: Any) -> str:
    """Return what is wrong with one field, for the author of the file; items of a list count from 1."""
    steps = [f"{step + 1}" if isinstance(step, int) else f"{step}"[:40] for step in error["loc"]]
    field, limits = " ".join(steps) or "the item", error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{field} is missing"
        case "extra_forbidden":
            return f"{field} is not known here: rename or remove it"
        case "string_too_short":
            return f"{field} is empty"
        case "string_too_long":
            return f"{field} has more than {limits['max_length']:,} characters"
        case "too_short":
            return f"{field}: at least {limits['min_length']} are needed, {limits['actual_length']} are there"
        case "too_long":
            return f"{field}: at most {limits['max_length']} are allowed"
        case "literal_error":
            return f"{field} has to be {limits['expected']}"
        case "bool_parsing" | "bool_type":
            return f"{field} has to be true or false"
        case "int_parsing" | "int_type" | "greater_than_equal" | "less_than_equal":
            return f"{field} has to be a whole number from 1 to 3"
        case "string_pattern_mismatch":
            return f"{field} may have letters, digits, dots, hyphens and underscores alone"
        case "value_error":
            return str(limits["error"])
        case _:
            return f"{field} does not have the right form"
