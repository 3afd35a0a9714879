"""Cuts a document into the smallest units that a chunk may hold, and counts their tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rag.text import tokens
from rag.text.markdown import Block, blocks
from rag.text.sentences import Sentence, sentences

LARGEST_UNIT = 2000
"""Tokens above which even a code fence or a table row is cut, at line ends where there are any."""
_LONGEST_CAPTION = 80
_SLICE = 100_000
"""Characters that are tokenised at once."""
_CHARACTERS_PER_TOKEN = 40
"""A text with fewer tokens than that (white space, base64) counts by its characters."""


class Unit(NamedTuple):
    """A sentence with its bullet, a table row, a fence, a heading, a stray line: trimmed."""

    start: int
    end: int
    size: int
    """Tokens, or more for text whose characters the tokenizer hardly counts."""
    block: Block | None
    """None for text that Markdown does not show, e.g. link targets."""
    first: bool
    """Whether the unit begins its block."""
    spoken: bool
    """Whether the unit says something: it is no heading and holds words."""
    leads: bool
    """Whether the unit announces what follows: a heading, a table's head, "for example:"."""


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a document in order, and where its word pieces are."""

    units: Sequence[Unit]
    piece_starts: Sequence[int]
    """Offset of the first character of each word piece."""

    def tokens(self, start: int, end: int) -> int:
        """Return how many word pieces begin in characters `start` to `end`."""
        return bisect_left(self.piece_starts, end) - bisect_left(self.piece_starts, start)

    def size(self, start: int, end: int) -> int:
        """Return the tokens of characters `start` to `end`, or more where they hardly count."""
        return max(self.tokens(start, end), (end - start) // _CHARACTERS_PER_TOKEN)

    def pieces(self, text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
        """Yield `start, end`, cut where needed into pieces of at most `most` tokens, trimmed.

        They are cut at line ends, else between words, else between word pieces.
        """
        while self.tokens(start, end) > most:
            limit = self.piece_starts[bisect_left(self.piece_starts, start) + most]
            cut = text.rfind("\n", start + 1, limit) + 1 or text.rfind(" ", start + 1, limit) + 1
            if not text[start:cut].strip():
                cut = limit
            yield start, start + len(text[start:cut].rstrip())
            start = _end_of_space(text, cut, end)
        end = start + len(text[start:end].rstrip())
        if start < end:
            yield start, end


def _end_of_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


@lru_cache(maxsize=4)
def units_of(text: str, start: int) -> Units:
    """Return the units of `text[start:]`: all of it but the white space between them.

    Kept for the last few documents, because chunks and windows are cut from the same units.
    """
    counter = Units((), list(_piece_starts(text, start)))
    return Units(list(_units(text, start, counter)), counter.piece_starts)


def _units(text: str, start: int, counter: Units) -> Iterator[Unit]:
    beginnings = sorted(_beginnings(text, start).items())
    ends = [*(position for position, _ in beginnings[1:]), len(text)]
    for (begin, (block, first, spoken, leads)), end in zip(beginnings, ends, strict=False):
        for piece_start, piece_end in counter.pieces(text, begin, end, LARGEST_UNIT):
            size = counter.size(piece_start, piece_end)
            at_start = first and piece_start == begin
            yield Unit(piece_start, piece_end, size, block, at_start, spoken, leads)


def _beginnings(text: str, start: int) -> dict[int, tuple[Block | None, bool, bool, bool]]:
    """Return where units begin, each with its block, first, spoken and leads."""
    found: dict[int, tuple[Block | None, bool, bool, bool]] = {}
    found_blocks = blocks(text, start)
    position = start
    for block in found_blocks:
        found.update(_stray_lines(text, position, block.start))
        found[block.start] = (block, True, False, block.kind in ("heading", "table"))
        position = block.end
    found.update(_stray_lines(text, position, len(text)))
    last_block = -1
    for sentence in sentences(text, start, found_blocks):
        block = found_blocks[sentence.block]
        is_first = sentence.block != last_block
        last_block = sentence.block
        is_heading = sentence.kind == "heading"
        leads = is_heading or text[sentence.end - 1] in ":：" or _is_caption(text, sentence, block)
        begin = block.start if is_first else sentence.start
        found[begin] = (block, is_first, not is_heading, leads)
    return found


def _is_caption(text: str, sentence: Sentence, block: Block) -> bool:
    """Tell whether a paragraph is one short line without a full stop: plain text's heading."""
    return (
        block.kind == "paragraph"
        and (sentence.start, sentence.end) == (block.start, block.end)
        and sentence.end - sentence.start <= _LONGEST_CAPTION
        and text[sentence.end - 1].isalnum()
    )


def _stray_lines(
    text: str, start: int, end: int
) -> Iterator[tuple[int, tuple[Block | None, bool, bool, bool]]]:
    """Yield the lines between two blocks that no block holds."""
    if not text[start:end].strip():
        return
    position = start
    for line in text[start:end].splitlines(keepends=True):
        if line.strip():
            yield position + len(line) - len(line.lstrip()), (None, True, False, False)
        position += len(line)


def _piece_starts(text: str, start: int) -> Iterator[int]:
    while start < len(text):
        end = start + _SLICE
        if end < len(text):
            end = max(text.rfind("\n", start, end), text.rfind(" ", start, end)) + 1 or end
        yield from (start + first for first, last in tokens.offsets(text[start:end]) if first < last)
        start = end
