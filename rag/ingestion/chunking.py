"""Turns a document into chunks to read and cite, and a chunk into windows to embed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.ingestion.units import Unit, units_of
from rag.text import tokens
from rag.types import Chunk, Document, Span


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long the parts of a text are to be, in tokens."""

    smallest: int
    target: int
    largest: int
    least_overlap: int
    most_overlap: int


PARTS = Sizes(smallest=300, target=400, largest=800, least_overlap=40, most_overlap=80)
"""Chunks of a section that is too long to stay whole; `tests/bench/chunking.py` measures them."""
WINDOWS = Sizes(smallest=64, target=128, largest=128, least_overlap=64, most_overlap=64)
"""A window's own text: the model reads 256 word pieces, but finds a fact more surely among fewer."""
_TOO_SMALL = 10
"""Cost of a part below the smallest size; more than any other reason to end elsewhere."""
_SHORT_LEAD = 40
"""Most tokens of headings that stay with the next sentence or fence, however long that is."""
_LONGEST_PATH = 64
"""Most word pieces of the line in front of a window: 64 + 40 + 128 leave room in the model's 256."""


def chunk(document: Document, sizes: Sizes = PARTS) -> list[Chunk]:
    """Return the chunks of `document` in order; together they hold its text but white space.

    A chunk is a section, or a part of a long one that repeats the last sentences of the part
    before it. None ends inside a sentence, a table row or a code fence, except in one that is
    longer than LARGEST_UNIT tokens. Other `sizes` than the default are for trying out.
    """
    found = units_of(document.text, document.body_start)
    spans = [
        (path, section[first].start, section[last - 1].end)
        for path, section in _sections(found.units)
        for first, last in _groups(section, sizes)
    ]
    return [
        Chunk(
            id=f"{document.id}#{number}",
            document_id=document.id,
            heading_path=path,
            start=start,
            end=end,
            text=document.text[start:end],
            tokens=found.tokens(start, end),
        )
        for number, (path, start, end) in enumerate(spans)
    ]


def windows(document: Document, chunk: Chunk) -> list[Span]:
    """Return what of `chunk` is embedded: spans in order that overlap and together cover it.

    Each fits the embedding model together with the line that `window_text` puts in front, and
    ends where a sentence ends. Only a unit longer than a window is cut, at line ends or between
    words.
    """
    found = units_of(document.text, document.body_start)
    first = bisect_right(found.units, chunk.start, key=lambda unit: unit.start) - 1
    last = bisect_left(found.units, chunk.end, key=lambda unit: unit.start)
    pieces = [
        unit._replace(start=start, end=end, size=found.size(start, end))
        for unit in found.units[max(first, 0) : last]
        for start, end in found.pieces(
            document.text, max(unit.start, chunk.start), min(unit.end, chunk.end), WINDOWS.largest
        )
    ]
    return [Span(pieces[begin].start, pieces[end - 1].end) for begin, end in _groups(pieces, WINDOWS)]


def window_text(document: Document, chunk: Chunk, span: Span) -> str:
    """Return the text to embed for a window: a line with title and headings, then its own text."""
    line = _path_line(document.title, chunk.heading_path)
    return f"{line}\n{document.text[span.start : span.end]}"


def _sections(units: Sequence[Unit]) -> Iterator[tuple[tuple[str, ...], Sequence[Unit]]]:
    """Yield heading path and units of each section; a heading without text joins the next one."""
    headings: list[tuple[int, str]] = []
    paths: list[tuple[str, ...]] = [()]
    begins = [0]
    spoken = False
    for index, unit in enumerate(units):
        if unit.block and unit.block.kind == "heading" and unit.first:
            if spoken:
                begins.append(index)
                paths.append(())
                spoken = False
            level = unit.block.level
            headings = [(above, title) for above, title in headings if above < level]
            headings.append((level, unit.block.title))
            paths[-1] = tuple(title for _, title in headings if title)
        spoken = spoken or unit.spoken
    if not spoken and len(begins) > 1:
        begins.pop()  # headings at the very end stay with the text before them
    for path, begin, end in zip(paths, begins, [*begins[1:], len(units)], strict=False):
        yield path, units[begin:end]


def _groups(units: Sequence[Unit], sizes: Sizes) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) unit of consecutive parts of about the target size."""
    left = sum(unit.size for unit in units)
    first = 0
    while first < len(units):
        carried = _carried(units, first, sizes)
        overlap = sum(unit.size for unit in units[first - carried : first])
        parts = round(left / (sizes.target - overlap))
        last = len(units)
        if parts > 1 or left + overlap > sizes.largest:
            last = _cut(units, first, left, max(parts, 2), sizes, sizes.largest - overlap)
        yield first - carried, last
        left -= sum(unit.size for unit in units[first:last])
        first = last


def _carried(units: Sequence[Unit], first: int, sizes: Sizes) -> int:
    """Return how many units before `first` the part that begins there repeats."""
    if first == 0:
        return 0
    own = sum(unit.size for unit in units[first : _least(units, first)])
    most = min(sizes.most_overlap, sizes.largest - own)
    total = count = 0
    # The part before keeps at least one unit of its own.
    while count + 1 < first and total < sizes.least_overlap:
        unit = units[first - count - 1]
        if not unit.spoken or total + unit.size > most:
            break
        total += unit.size
        count += 1
    return count


def _least(units: Sequence[Unit], first: int) -> int:
    """Return the first possible end of a part: short headings and the like take the next unit along."""
    last = first
    left = _SHORT_LEAD
    while last + 1 < len(units) and units[last].leads and units[last].size <= left:
        left -= units[last].size
        last += 1
    return last + 1


def _cut(units: Sequence[Unit], first: int, left: int, parts: int, sizes: Sizes, room: int) -> int:
    """Return where to end the next of `parts` parts of the `left` tokens from `first` on.

    That is near their equal share, where little is torn apart, and within `room` tokens unless
    the first unit, with what announces it, has more. What can't be halved stays whole if it fits.
    """
    best, best_cost = _least(units, first), float("inf")
    own = sum(unit.size for unit in units[first : best - 1])
    for last in range(best, len(units)):
        own += units[last - 1].size
        if own > room:
            break
        cost = abs(own * parts / left - 1) + _break_cost(units[last - 1], units[last])
        cost += _TOO_SMALL * (own < sizes.smallest or left - own < sizes.smallest)
        if cost <= best_cost:
            best, best_cost = last, cost
    return len(units) if best_cost >= _TOO_SMALL and left <= room else best


def _break_cost(before: Unit, after: Unit) -> float:
    """Return how much is torn apart by ending a part between two units.

    1 is as bad as missing the ideal size by all of it.
    """
    if before.leads:
        return 4
    if not after.first or after.block is None or before.block is None:
        return 1
    kinds = before.block.kind, after.block.kind
    if kinds[1] == "table_row":
        return 1
    if kinds[1] == "list_item":
        return 0.4 if kinds[0] == "list_item" else 0.5
    if kinds[1] in ("fence", "table"):
        return 0.5
    return 0 if after.leads else 0.2


@lru_cache(maxsize=256)
def _path_line(title: str, heading_path: tuple[str, ...]) -> str:
    """Return "title > heading > heading" without repetition, at most _LONGEST_PATH pieces long."""
    names = list(dict.fromkeys(name for name in (title, *heading_path) if name))
    while len(names) > 1 and tokens.count(" > ".join(names)) > _LONGEST_PATH:
        del names[1 if len(names) > 2 else 0]
    line = " > ".join(names)
    pieces = tokens.offsets(line)
    return line if len(pieces) <= _LONGEST_PATH else line[: pieces[_LONGEST_PATH - 1][1]]
