"""The golden questions: their forms, the sets they come in, and how they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rag.errors import InvalidInput, KnowledgeError

ALL = "All golden questions"
"""Name of the set of all that a folder holds."""
Fact = list[str]
"""Alternative phrases; one of them is enough."""
Group = Literal[
    "answerable", "follow_up", "interview", "false_premise", "off_topic", "neighbouring", "near_miss"
]
"""What kind of question it is, and so what a right answer is."""


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    split: Literal["tune", "check"] = "check"
    kind: str = ""
    question: str = Field(min_length=1)


class _Earlier(BaseModel):
    question: str
    answer: str = ""


class Answerable(_Item):
    """A question the library answers."""

    history: list[_Earlier] = Field(default_factory=list)
    standalone: str = ""
    documents: list[str] = Field(min_length=1)
    """Ids of documents each of which holds the whole answer."""
    key_facts: list[Fact]


class FalsePremise(_Item):
    """A question that presupposes what the library contradicts."""

    documents: list[str]
    correction: list[Fact]


class Unanswerable(_Item):
    """A question the library does not answer."""

    kind: Literal["off_topic", "neighbouring", "near_miss"]


class InterviewQuery(_Item):
    """What an interviewer asks or a candidate types, written without sight of the documents."""

    kind: Literal["interview"]
    topic: str
    documents: list[str] = Field(min_length=1)
    """Ids of documents each of which answers it, judged by reading them and not by what a search found."""


GoldenItem = Answerable | FalsePremise | Unanswerable | InterviewQuery
_ITEM: TypeAdapter[GoldenItem] = TypeAdapter(Annotated[GoldenItem, Field(union_mode="left_to_right")])


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """Questions that are measured together."""

    name: str
    items: tuple[GoldenItem, ...]
    source: str = ""
    """Path it was read from; empty when it was put together."""

    @property
    def sha256(self) -> str:
        """Hash of the questions with all that is expected of them, hexadecimal."""
        return hashlib.sha256(as_lines(self.items).encode()).hexdigest()


def group(item: GoldenItem) -> Group:
    """Return what kind of question it is."""
    match item:
        case Answerable():
            return "follow_up" if item.history else "answerable"
        case FalsePremise():
            return "false_premise"
        case InterviewQuery():
            return "interview"
        case Unanswerable():
            return item.kind


def as_lines(items: Sequence[GoldenItem]) -> str:
    """Return questions as JSON lines, the form that `load` reads."""
    return "".join(f"{item.model_dump_json(exclude_defaults=True)}\n" for item in items)


def parse(item: dict[str, Any]) -> GoldenItem:
    """Return a question of JSON values; raises InvalidInput when it has none of the four forms."""
    try:
        return _ITEM.validate_python(item)
    except ValidationError:
        raise InvalidInput(
            f"{str(item.get('id', ''))!r} is not a golden question.",
            hint="tests/golden shows the four forms.",
        ) from None


def shipped(folder: Path) -> tuple[GoldenSet, ...]:
    """Return a set for every file of a folder, before them one of all; none when there is no such folder."""
    if not folder.is_dir():
        return ()
    sets = [read_set(file) for file in sorted(folder.glob("*.jsonl"))]
    everything = GoldenSet(ALL, tuple(item for one in sets for item in one.items))
    return (everything, *sets) if len(sets) > 1 else tuple(sets)


def read_set(path: Path) -> GoldenSet:
    """Return the set in a file or folder; raises KnowledgeError like `load`."""
    return GoldenSet(ALL if path.is_dir() else _name(path), tuple(load(path)), str(path))


def load(path: Path) -> list[GoldenItem]:
    """Return the questions of a JSON lines file, or of all such files in a folder.

    Raises KnowledgeError naming the file and line that is not valid.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    items = []
    for file in files:
        try:
            lines = file.read_bytes().splitlines()
        except OSError as error:
            raise KnowledgeError(
                f"{file} can't be read: {error.strerror}.", path=file, hint="Check the path of the set."
            ) from None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                items.append(_ITEM.validate_json(line))
            except ValidationError:
                raise KnowledgeError(
                    f"{file}, line {number} is not a golden question.",
                    path=file,
                    line=number,
                    hint="tests/golden shows the four forms.",
                ) from None
    if not items:
        raise KnowledgeError(f"{path} holds no questions.", path=path, hint="Give a .jsonl file.")
    return items


def _name(file: Path) -> str:
    return file.stem.replace("_", " ").capitalize()
