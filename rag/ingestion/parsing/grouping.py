"""Groups the lines of pages into headings, paragraphs, list items and code, as their places show them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from rag.ingestion.parsing.lines import Line

_LARGER = 1.15
"""How much larger than the body text a heading is."""
_LONGEST_HEADING = 200
_MOST_HEADINGS = 0.3
"""Share of the text above which larger letters do not mark headings."""
_SAME_SIZE = 0.12
_CODE_SIZE = 0.3
"""Share by which the letters of code may be smaller than those of the sentence it is in."""
_MOST_DIGITS = 0.4
_GAP = 1.3
"""How many times the usual distance between lines ends a paragraph."""
_INDENT = 0.8
"""Indent of a first line that begins a paragraph, in sizes of the letters."""
_NEIGHBOURS = 8
"""Lines before and after that tell how wide a column is."""
_COLUMN_SHIFT = 5
"""How far apart the lines of one column begin at most, in sizes of the letters."""
_JUSTIFIED = 4
"""Lines that end at the same place, by which a justified column is known."""
_COLUMN_SHARE = 0.4
"""Least width of a column in that of the widest line near it; what is narrower is part of a table."""
_RAGGED = 0.35
"""Share of a column that a line may leave free although the next word would fit, if the sentence goes on."""
BULLET = re.compile(r"[•◦▪▫‣·●○■□]\s*(?=\S)")
DASH = re.compile(r"[–—*-]\s+(?=\S)")
NUMBER = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_LETTER = re.compile(r"\([a-z\d]{1,3}\)\s+(?=\S)")
_LONE_MARKER = re.compile(r"[•◦▪▫‣·●○■□–]|\d{1,3}[.)]")
_LEADERS = re.compile(r"(?:\s?[.…]){4,}(?=\s*[\divxlc]+$)", re.IGNORECASE)
_ENTRY = re.compile(r".* … [\divxlc]+", re.IGNORECASE)
"""Of an index or a list of figures, once its leaders are short."""
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")


@dataclass(slots=True)
class Block:
    kind: str
    """heading, item, code or paragraph."""
    lines: list[tuple[int, Line]] = field(default_factory=list)
    """Each with the number of its page."""

    @property
    def last(self) -> Line:
        return self.lines[-1][1]

    @property
    def length(self) -> int:
        return sum(len(line.text) + 1 for _, line in self.lines)


def grouped(pages: Sequence[Sequence[Line]]) -> list[Block]:
    """Return the blocks of all pages in order; a sentence may go on from one page to the next."""
    pages = [_with_markers(lines) for lines in pages]
    style = _Style.of(pages)
    blocks: list[Block] = []
    for number, lines in enumerate(pages):
        for block in _blocks(lines, number, style):
            before = blocks[-1] if blocks else None
            if before and before.lines[-1][0] < number and _runs_over(before, block):
                before.lines += block.lines
            else:
                blocks.append(block)
    return blocks


@dataclass(frozen=True, slots=True)
class _Style:
    """What is usual in a document."""

    body: float
    """Size of most letters."""
    is_typewritten: bool
    """Whether the body text is monospaced, so that it does not mean code."""
    has_headings: bool
    leading: dict[float, float]
    """Usual distance between two lines by the size of their letters."""

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> _Style:
        sizes: Counter[float] = Counter()
        code = 0
        distances: dict[float, Counter[float]] = {}
        for lines in pages:
            for line in lines:
                sizes[rounded(line.size)] += len(line.text)
                code += line.is_code * len(line.text)
            for above, below in pairwise(lines):
                distance = above.y - below.y
                if _is_same_size(above, below) and 0.5 * below.size < distance < 3 * below.size:
                    found = distances.setdefault(rounded(below.size), Counter())
                    found[rounded(distance)] += len(above.text)
        body = sizes.most_common(1)[0][0] if sizes else 1.0
        total = sizes.total()
        larger = sum(count for size, count in sizes.items() if size >= body * _LARGER)
        return cls(
            body,
            code * 2 > total,
            larger <= total * _MOST_HEADINGS,
            {size: found.most_common(1)[0][0] for size, found in distances.items()},
        )

    def kind(self, line: Line) -> str:
        if line.is_code and not self.is_typewritten:
            return "code"
        letters = sum(map(str.isalpha, line.text))
        is_large = self.has_headings and line.size >= self.body * _LARGER
        if is_large and letters > 1 and len(line.text) <= _LONGEST_HEADING:
            return "heading"
        return "item" if _marker(line) or _ENTRY.fullmatch(line.text) else "paragraph"


def _with_markers(lines: Sequence[Line]) -> list[Line]:
    """Put bullets and numbers that stand alone in front of the line beside them, and shorten leaders."""
    joined: list[Line] = []
    for original in lines:
        line = replace(original, text=" ".join(_LEADERS.sub(" … ", original.text).split()))
        before = joined[-1] if joined else None
        if before and _LONE_MARKER.fullmatch(before.text) and abs(before.y - line.y) < line.size / 2:
            joined[-1] = replace(line, text=f"{before.text} {line.text}", left=before.left)
        else:
            joined.append(line)
    return joined


def _blocks(lines: Sequence[Line], page: int, style: _Style) -> list[Block]:
    kinds = [style.kind(line) for line in lines]
    blocks: list[Block] = []
    for index, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        if kind == "code" and kinds[max(0, index - 1) : index + 2].count("code") == 1:
            kind = "paragraph"  # a name in a sentence, alone on its line
        if blocks and _continues(blocks[-1], line, kind, style, _margin(lines, index - 1)):
            blocks[-1].lines.append((page, line))
        else:
            blocks.append(Block(kind, [(page, line)]))
    return blocks


def _continues(block: Block, line: Line, kind: str, style: _Style, margin: float) -> bool:
    """Tell whether a line belongs to the block above; `margin` is how far lines like its last one reach."""
    above = block.last
    distance = above.y - line.y
    if above.is_turned or line.is_turned:
        return False
    if not _is_same_size(above, line, _CODE_SIZE if above.is_code != line.is_code else _SAME_SIZE):
        return False
    if block.kind == "code" or kind == "code":
        return block.kind == kind and 0 < distance < 3 * line.size
    if block.kind == "heading" or kind == "heading":
        is_near = block.kind == kind and 0 < distance < 1.8 * line.size
        return is_near and block.length + len(line.text) <= _LONGEST_HEADING
    if _is_of_numbers(above) or _is_of_numbers(line):
        return False
    if BULLET.match(line.text) or _is_next_number(block, line) or _ENTRY.fullmatch(above.text):
        return False
    if abs(distance) < 0.4 * line.size:
        return True
    if distance < 0:  # in the next column
        return _goes_on(above, line)
    if distance > _GAP * style.leading.get(rounded(line.size), 1.2 * line.size):
        return False
    if above.is_broken:
        return True
    # the first line of a list item stands further to the left than the others, that of a paragraph may
    lefts = [other.left for _, other in block.lines[block.kind == "item" :]]
    if lefts and line.left - min(lefts) > _INDENT * line.size:
        return False
    if len(block.lines) > 1 and above.left - line.left > _INDENT * line.size:
        return False
    word = line.text.split(" ", 1)[0]
    letter = (line.right - line.left) / len(line.text)
    if above.right + letter * (len(word) + 1) >= margin:
        return True
    is_ragged = margin - above.right < _RAGGED * (margin - above.left)
    return is_ragged and _goes_on(above, line)


def _margin(lines: Sequence[Line], index: int) -> float:
    """Return how far to the right the lines around this one reach that are in its column.

    That is where many of them end, if they do: a single one may run on into the next column.
    """
    own = lines[index]
    around = lines[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    rights = [
        line.right
        for line in around
        if _is_same_size(line, own) and abs(line.left - own.left) < _COLUMN_SHIFT * own.size
    ]
    widest = max(rights)
    least = own.left + _COLUMN_SHARE * (widest - own.left)
    shared = (right for right in rights if sum(abs(right - other) < 1 for other in rights) >= _JUSTIFIED)
    return max((right for right in shared if right > least), default=widest)


def _goes_on(above: Line, line: Line) -> bool:
    """Tell whether a sentence clearly goes on from one line to the next."""
    return line.text[0].islower() and (above.is_broken or not _SENTENCE_END.search(above.text))


def _runs_over(before: Block, block: Block) -> bool:
    """Tell whether a block at the end of a page goes on in the first one of the next page."""
    return (
        before.kind in ("paragraph", "item")
        and block.kind == "paragraph"
        and _is_same_size(before.last, block.lines[0][1])
        and not before.last.is_turned
        and _goes_on(before.last, block.lines[0][1])
    )


def _marker(line: Line) -> re.Match[str] | None:
    return next((found for form in (BULLET, DASH, NUMBER, _LETTER) if (found := form.match(line.text))), None)


def _is_next_number(block: Block, line: Line) -> bool:
    own, first = NUMBER.match(line.text), NUMBER.match(block.lines[0][1].text)
    return own is not None and first is not None and int(own.group(1)) == int(first.group(1)) + 1


def rounded(length: float) -> float:
    return round(length * 2) / 2


def _is_same_size(one: Line, other: Line, difference: float = _SAME_SIZE) -> bool:
    return abs(one.size - other.size) <= difference * max(one.size, other.size)


def _is_of_numbers(line: Line) -> bool:
    """Tell whether a line is a row of a table rather than words: numbers, and few letters."""
    signs = line.text.replace(" ", "")
    return " " in line.text and sum(map(str.isdecimal, signs)) > _MOST_DIGITS * len(signs)
