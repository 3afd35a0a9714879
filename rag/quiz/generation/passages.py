"""Chooses the passages that questions are written on: evenly over the documents and within each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from math import lcm
from typing import TypeVar

from rag.quiz.set_gates import PER_PASSAGE
from rag.quiz_types import Kind
from rag.text.sentences import sentences
from rag.types import Chunk, Document, Level

FEWEST_SENTENCES, SHORTEST_SENTENCE = 3, 40
"""A passage has at least so many sentences of prose, each of so many characters: less holds no question."""
_LEVELS: tuple[Level, ...] = (
    "mid",
    "junior",
    "senior",
    "mid",
    "junior",
    "senior",
    "mid",
    "junior",
    "senior",
    "mid",
)
"""30 % junior, 40 % mid, 30 % senior, whatever the number."""
_KINDS: tuple[Kind, ...] = ("mcq", "mcq", "open")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk with the document that it belongs to."""

    document: Document
    chunk: Chunk

    @property
    def label(self) -> str:
        """Title and headings."""
        return " / ".join(dict.fromkeys((self.document.title, *self.chunk.heading_path)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """One question that shall be written."""

    document_id: str
    kind: Kind
    level: Level


def plan(document_ids: Sequence[str], n: int, kind: Kind | None) -> list[Wanted]:
    """Return what to write: documents take turns, levels keep their quota; kind None: two in three mcq.

    Each document gets its share of every kind and level.
    """
    kinds, among = _KINDS if kind is None else (kind,), len(document_ids)
    return [
        Wanted(document_ids[turn % among], _at(turn, kinds, among), _at(turn, _LEVELS, among))
        for turn in range(n)
    ]


def _at(turn: int, values: Sequence[_T], among: int) -> _T:
    """Return the value of a turn: values take turns, too, one further where documents would meet the same."""
    return values[(turn + turn // lcm(among, len(values))) % len(values)]


def statements(text: str) -> list[str]:
    """Return the sentences of a passage that say something by themselves, as they stand."""
    return [
        text[one.start : one.end]
        for one in sentences(text)
        if one.kind in ("prose", "list_item") and one.end - one.start >= SHORTEST_SENTENCE
    ]


class Passages:
    """The passages of one document, so that each next one lies as far as can be from those before."""

    def __init__(self, document: Document, chunks: Sequence[Chunk]) -> None:
        fit = [chunk for chunk in chunks if len(statements(chunk.text)) >= FEWEST_SENTENCES]
        self._turns = cycle([Passage(document, fit[place]) for place in _spread(len(fit))])
        self._count = len(fit)
        self._kept: Counter[str] = Counter()

    def next(self) -> Passage | None:
        """Return the next passage on which there may be another question; None when there is none."""
        for passage in islice(self._turns, self._count):
            if self._kept[passage.chunk.id] < PER_PASSAGE:
                return passage
        return None

    def keep(self, passage: Passage) -> None:
        """Count a question on a passage."""
        self._kept[passage.chunk.id] += 1


def _spread(n: int) -> Iterator[int]:
    """Yield 0 to n - 1, first the middle, then always a place in the widest gap that is left."""
    gaps = [(0, n)]
    while gaps:
        gaps.sort(key=lambda gap: gap[0] - gap[1])
        start, end = gaps.pop(0)
        if start < end:
            middle = (start + end) // 2
            yield middle
            gaps += [(start, middle), (middle + 1, end)]
