"""Turns a document into chunks to read and cite, and a chunk into windows to embed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.ingestion.units import Unit, units_of
from rag.text import tokens
from rag.types import Chunk, Document, Span

SMALLEST, TARGET, LARGEST = 300, 450, 800
"""Tokens of a chunk that is a part of a section; shorter sections stay whole."""
LEAST_OVERLAP, MOST_OVERLAP = 0.10, 0.20
"""Share of a part that repeats the last sentences of the part before it."""
MODEL_WINDOW = 256
"""Word pieces that the embedding model reads, with its two special tokens."""
WINDOW = 128
"""Word pieces of a window's own text that are aimed at."""
_LONGEST_PATH = 64
"""Word pieces of the line in front of a window."""


def chunk(document: Document) -> list[Chunk]:
    """Return the chunks of `document` in order; together they hold all its text but white space.

    A chunk is a section, or a part of a long one that repeats the last sentences of the part before.
    It never ends inside a sentence, a table row or a code fence, unless one of those is longer than
    LARGEST_UNIT tokens.
    """
    found = units_of(document.text, document.body_start)
    spans = [
        (path, section[first].start, section[last - 1].end)
        for path, section in _sections(found.units)
        for first, last in _parts(section)
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


def _sections(units: Sequence[Unit]) -> Iterator[tuple[tuple[str, ...], Sequence[Unit]]]:
    """Yield heading path and units of each section; a heading without text joins the next one."""
    headings: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    begin = 0
    spoken = False
    for index, unit in enumerate(units):
        if unit.block and unit.block.kind == "heading" and unit.first:
            if spoken:
                yield path, units[begin:index]
                begin, spoken = index, False
            level = unit.block.level
            headings = [(above, title) for above, title in headings if above < level]
            headings.append((level, unit.block.title))
            path = tuple(title for _, title in headings if title)
        spoken = spoken or unit.spoken
    if begin < len(units):
        yield path, units[begin:]


def _parts(section: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Yield first and last (exclusive) unit of each chunk of a section."""
    left = sum(unit.size for unit in section)
    first = 0
    while first < len(section):
        carried = _carried(section, first)
        overlap = sum(unit.size for unit in section[first - carried : first])
        parts = max(1, round(left / (TARGET - overlap)))
        last = len(section)
        if parts > 1 or left + overlap > LARGEST:
            last = _cut(section, first, left / max(parts, 2), LARGEST - overlap)
        yield first - carried, last
        left -= sum(unit.size for unit in section[first:last])
        first = last


def _cut(section: Sequence[Unit], first: int, ideal: float, room: int) -> int:
    """Return where to end a part that begins at `first`: near `ideal` tokens, at a natural break."""
    best, best_cost = first + 1, float("inf")
    own = 0
    for last in range(first + 1, len(section)):
        own += section[last - 1].size
        if own > room:
            break
        cost = abs(own / ideal - 1) * SIZE_WEIGHT + _break_cost(section[last - 1], section[last])
        if own < SMALLEST:
            cost += 10
        if cost <= best_cost:
            best, best_cost = last, cost
    return best


SIZE_WEIGHT = 2.0


def _break_cost(before: Unit, after: Unit) -> float:
    """Return how much is torn apart by ending a chunk between two units, 0 for nothing."""
    if before.leads:
        return 4
    if not after.first:
        return 1
    if before.block and after.block and before.block.kind == after.block.kind:
        if after.block.kind == "table_row":
            return 1
        if after.block.kind == "list_item":
            return 0.6 if before.block.list_id == after.block.list_id else 0.4
    if before.block and after.block and after.block.kind in ("fence", "list_item", "table"):
        return 0.5
    if after.leads:
        return 0
    return 0.2


def _carried(section: Sequence[Unit], first: int) -> int:
    """Return how many units before `first` the part that begins there repeats."""
    total = count = 0
    while first > count:
        unit = section[first - count - 1]
        if not unit.spoken or total + unit.size > MOST_OVERLAP * TARGET:
            break
        total += unit.size
        count += 1
        if total >= LEAST_OVERLAP * TARGET:
            break
    return count


def windows(document: Document, chunk: Chunk) -> list[Span]:
    """Return what of `chunk` is embedded: spans in order that cover it and end at sentence ends.

    Each fits the embedding model together with the line that `window_text` puts in front. Only a
    sentence or code fence that is longer than a window is cut, between words.
    """
    found = units_of(document.text, document.body_start)
    room = MODEL_WINDOW - 2 - tokens.count(_path_line(document.title, chunk.heading_path))
    most = min(room, WINDOW)
    first = bisect_right(found.units, chunk.start, key=lambda unit: unit.start) - 1
    last = bisect_left(found.units, chunk.end, key=lambda unit: unit.start)
    pieces = []
    for unit in found.units[max(first, 0) : last]:
        pieces += [
            (s, e)
            for s, e in found.pieces(
                document.text, max(unit.start, chunk.start), min(unit.end, chunk.end), most
            )
        ]
    spans: list[Span] = []
    begin = 0
    while begin < len(pieces):
        end = begin + 1
        while end < len(pieces) and found.tokens(pieces[begin][0], pieces[end][1]) <= most:
            end += 1
        spans.append(Span(pieces[begin][0], pieces[end - 1][1]))
        if end == len(pieces):
            break
        begin = end
        while (
            WINDOW_OVERLAP
            and begin - 1 > bisect_left(pieces, (spans[-1].start,))
            and found.tokens(pieces[begin - 1][0], pieces[end - 1][1]) <= WINDOW_OVERLAP * most
        ):
            begin -= 1
    return spans


WINDOW_OVERLAP = 0.25


def window_text(document: Document, chunk: Chunk, span: Span) -> str:
    """Return the text to embed for a window: a line with title and headings, then its own text."""
    line = _path_line(document.title, chunk.heading_path)
    return f"{line}\n{document.text[span.start : span.end]}"


@lru_cache(maxsize=256)
def _path_line(title: str, heading_path: tuple[str, ...]) -> str:
    """Return "title > heading > heading", without repetition and at most _LONGEST_PATH pieces long."""
    names = list(dict.fromkeys(name for name in (title, *heading_path) if name))
    while len(names) > 1 and tokens.count(" > ".join(names)) > _LONGEST_PATH:
        del names[1 if len(names) > 2 else 0]
    line = " > ".join(names)
    pieces = tokens.offsets(line)
    return line if len(pieces) <= _LONGEST_PATH else line[: pieces[_LONGEST_PATH - 1][1]]
