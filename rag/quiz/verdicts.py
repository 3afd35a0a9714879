"""Keeps what a reader said of each option who saw its source and not the key, one option at a time.

Code can't see whether a key is true. So every multiple-choice item of the bank carries the verdicts of an
independent pass: each option alone, in shuffled order among those of other items, is held against the section
that the item quotes. An item may be asked when its key is supported and nothing else is.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.errors import KnowledgeError
from rag.quiz.bank import MultipleChoice, TopicBank

OptionVerdict = Literal["supported", "contradicted", "not_stated"]
BLOCK = 10
"""Items whose options are shuffled together: fewer, and a reader would see those of one item in a row."""


class ItemVerdicts(BaseModel):
    """The verdicts on one item, in the order in which its file lists the options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    fingerprint: str
    """Of what was judged; another one means that the item has changed since."""
    verdicts: tuple[OptionVerdict, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One option that waits for its verdict."""

    item: MultipleChoice
    place: int
    """Index of the option in the item's file."""


def fingerprint(item: MultipleChoice) -> str:
    """Return 12 hexadecimal digits that change with the question, an option, the document or the quote.

    The explanations and which option is right are left out: a judge sees neither.
    """
    judged = [item.question, *(option.text for option in item.options), item.document, item.quote]
    return hashlib.sha256("\0".join(judged).encode()).hexdigest()[:12]


def faults(item: MultipleChoice, judged: Mapping[str, ItemVerdicts]) -> Iterator[str]:
    """Yield why an item may not be asked yet."""
    found = judged.get(item.id)
    if found is None or found.fingerprint != fingerprint(item):
        yield "no reader has judged its options" if found is None else "it has changed since it was judged"
        return
    for option, verdict in zip(item.options, found.verdicts, strict=True):
        if option.correct and verdict != "supported":
            yield f"a reader found the key {verdict.replace('_', ' ')}: {option.text!r}"
        elif not option.correct and verdict == "supported":
            yield f"a reader found a second right option: {option.text!r}"


def outstanding(
    topics: Sequence[TopicBank], judged: Mapping[str, ItemVerdicts], seed: int = 0
) -> list[Judgement]:
    """Return the options without a valid verdict, block by block of items, so that some are soon done.

    Within a block they are shuffled, so that those of one item seldom meet.
    """
    chance = random.Random(seed)  # noqa: S311  # nothing secret depends on it
    items = [
        item
        for topic in topics
        for item in topic.multiple_choice
        if (found := judged.get(item.id)) is None or found.fingerprint != fingerprint(item)
    ]
    chance.shuffle(items)
    blocks = max(1, len(items) // BLOCK)
    waiting = []
    for number in range(blocks):
        block = items[number::blocks]
        options = [Judgement(item, place) for item in block for place in range(len(item.options))]
        waiting += chance.sample(options, len(options))
    return waiting


def load_verdicts(folder: Path) -> dict[str, ItemVerdicts]:
    """Return the verdicts in the JSON lines files of a folder by the id of their item; none when it is empty.

    Raises KnowledgeError with the file and line that is not valid.
    """
    found: dict[str, ItemVerdicts] = {}
    for file in sorted(folder.glob("*.jsonl")):
        found |= _read(file)
    return found


def add_verdicts(folder: Path, topic: str, new: ItemVerdicts) -> None:
    """Write the verdicts on an item in place of earlier ones, else into the file of its topic.

    All others stay. Raises KnowledgeError like `load_verdicts`.
    """
    earlier = [file for file in sorted(folder.glob("*.jsonl")) if new.id in _read(file)]
    file = earlier[-1] if earlier else folder / f"{topic}.jsonl"
    stored = _read(file) if file.exists() else {}
    save_verdicts(file, {**stored, new.id: new}.values())


def save_verdicts(file: Path, verdicts: Iterable[ItemVerdicts]) -> None:
    """Write a file that holds these verdicts alone, by id."""
    file.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(verdicts, key=lambda one: one.id)
    new = file.with_name(f"{file.name}.new")  # replaced at once: an interrupt leaves the old file whole
    new.write_text("".join(json.dumps(one.model_dump()) + "\n" for one in ordered), encoding="utf-8")
    new.replace(file)


def _read(file: Path) -> dict[str, ItemVerdicts]:
    found: dict[str, ItemVerdicts] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            verdicts = ItemVerdicts.model_validate_json(line)
        except ValidationError:
            raise KnowledgeError(
                f"{file}, line {number} holds no verdicts.",
                path=file,
                line=number,
                hint="Remove the line and judge the item again: `python -m rag judge-items`.",
            ) from None
        found[verdicts.id] = verdicts
    return found
