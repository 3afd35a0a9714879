"""Reads the question bank: one YAML file a topic, open and multiple-choice questions with evidence."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag.errors import KnowledgeError
from rag.types import Level

Skill = Literal["recall", "understanding", "trade-off", "failure-mode", "cost"]
BEYOND_RECALL: frozenset[Skill] = frozenset({"trade-off", "failure-mode", "cost"})
"""What interviewers use to tell candidates apart."""

FEWEST_POINTS, MOST_POINTS = 3, 6
"""Of an open question."""

_NUMBER = re.compile(r"[^\w]{0,2}((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?![.,]?\d)\b(.*)")
"""One decimal point at most, and commas before three digits alone: no version, no address, no "0,5"."""
_Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class RubricPoint(_Strict):
    """One thing that an answer to an open question should say."""

    claim: _Text
    must_have: bool
    weight: int = Field(ge=1, le=3)
    document: _Text
    quote: _Text
    """Verbatim from the document."""


class Option(_Strict):
    """One choice, and why it is right or which misconception makes it wrong."""

    text: _Text
    why: _Text
    correct: bool = False


class _Question(_Strict):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    level: Level
    skill: Skill
    scenario: bool = False
    """True: it describes a concrete situation."""
    question: _Text


class OpenQuestion(_Question):
    """A question answered in one's own words, graded point by point."""

    points: tuple[RubricPoint, ...] = Field(min_length=FEWEST_POINTS, max_length=MOST_POINTS)
    model_answer: _Text
    follow_ups: tuple[_Text, _Text]

    @model_validator(mode="after")
    def _something_is_required(self) -> OpenQuestion:
        if not any(point.must_have for point in self.points):
            raise ValueError("no point is a must-have")
        return self


class MultipleChoice(_Question):
    """A question with four options, one of which is right."""

    options: tuple[Option, Option, Option, Option]
    document: _Text
    quote: _Text
    """Verbatim from the document: what makes the key right."""

    @model_validator(mode="after")
    def _one_is_right(self) -> MultipleChoice:
        if sum(option.correct for option in self.options) != 1:
            raise ValueError("exactly one option must have `correct: true`")
        return self

    def shown(self) -> tuple[Option, ...]:
        """Return the options in the order in which everyone sees them.

        Numbers ascend; everything else is shuffled by a generator seeded with the item's id, so that the
        author's habits don't show in the position of the key and a refresh changes nothing.
        """
        return tuple(self.options[place] for place in shown_order(self.id, [o.text for o in self.options]))


Question = OpenQuestion | MultipleChoice


class TopicBank(_Strict):
    """All questions about one topic."""

    topic: _Text
    open: tuple[OpenQuestion, ...] = ()
    multiple_choice: tuple[MultipleChoice, ...] = ()


def shown_order(item_id: str, options: Sequence[str]) -> list[int]:
    """Return the places of `options` in the order to show them: numbers ascend, other texts are shuffled."""
    places = range(len(options))
    if (numbers := leading_numbers(options)) is not None:
        return sorted(places, key=lambda place: numbers[place])
    chooser = random.Random(f"{item_id}/key")  # noqa: S311  # spreads the shipped bank's keys evenly
    return chooser.sample(places, len(places))


def leading_numbers(options: Sequence[str]) -> list[float] | None:
    """Return the number each option starts with when all are numbers of the same unit, else None."""
    found = [_NUMBER.fullmatch(option.strip()) for option in options]
    matches = [match for match in found if match]
    if len(matches) < len(options) or len({match.group(2).strip() for match in matches}) > 1:
        return None
    return [float(match.group(1).replace(",", "")) for match in matches]


def load_bank(path: Path) -> list[TopicBank]:
    """Return the topics of one YAML file, or of all in a folder, by file name.

    Raises KnowledgeError with the file and the first item that is not valid, or when an id occurs twice.
    """
    files = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    topics = [_topic(file) for file in files]
    if not topics:
        raise KnowledgeError(f"{path} holds no question bank.", path=path, hint="Add a YAML file to it.")
    seen: set[str] = set()
    for topic in topics:
        for item in (*topic.open, *topic.multiple_choice):
            if item.id in seen:
                raise KnowledgeError(
                    f"The question id {item.id} occurs twice.", path=path, hint="Give each question its own."
                )
            seen.add(item.id)
    return topics


def _topic(file: Path) -> TopicBank:
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)  # safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{file} can't be read.", path=file, hint="Check the path.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise KnowledgeError(
            f"{file}, line {line} is not valid YAML: {getattr(error, 'problem', None) or 'wrong form'}.",
            path=file,
            line=line,
            hint="A text with a colon or a quotation mark needs quotes around it.",
        ) from None
    try:
        return TopicBank.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise KnowledgeError(
            f"{file}: {_place(first['loc'], values)} is not valid: {first['msg']}.",
            path=file,
            hint="knowledge/README.md shows the form of a question.",
        ) from None


def _place(location: Sequence[int | str], values: object) -> str:
    """Return where in the file something is wrong, with the id of the question instead of its number."""
    parts: list[str] = []
    here = values
    for step in location:
        try:
            here = here[step]  # type: ignore[index]
        except (LookupError, TypeError):
            here = None
        known = here.get("id") if isinstance(here, dict) and isinstance(step, int) else None
        parts.append(str(known or step))
    return " > ".join(parts) or "the file"
