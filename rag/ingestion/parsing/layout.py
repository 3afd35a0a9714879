"""Joins the lines of pages into headings, paragraphs, list items and code, as their places show them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from statistics import median

from rag.ingestion.parsing import markup
from rag.ingestion.parsing.furniture import without_furniture
from rag.ingestion.parsing.hyphens import Hyphens
from rag.ingestion.parsing.lines import Line

_LARGER = 1.15
"""How much larger than the body text a heading is."""
_LONGEST_HEADING = 200
_MOST_HEADINGS = 0.3
"""Share of the text above which larger letters do not mark headings."""
_LEVELS = 4
_SAME_SIZE = 0.12
_GAP = 1.3
"""How many times the usual distance between lines ends a paragraph."""
_INDENT = 0.8
"""Indent of a first line that begins a paragraph, in sizes of the letters."""
_NEIGHBOURS = 8
"""Lines before and after that tell how wide a column is."""
_COLUMN_SHIFT = 5
"""How far apart the lines of one column begin at most, in sizes of the letters."""
_RAGGED = 0.35
"""Share of a column that a line may leave free although the next word would fit, if the sentence goes on."""
_BULLET = re.compile(r"[•◦▪▫‣·●○■□]\s*(?=\S)")
_DASH = re.compile(r"[–—*-]\s+(?=\S)")
_NUMBER = re.compile(r"(\d{1,3})[.)]\s+(?=\S)")
_LETTER = re.compile(r"\([a-z\d]{1,3}\)\s+(?=\S)")
_LONE_MARKER = re.compile(r"[•◦▪▫‣·●○■□–]|\d{1,3}[.)]")
_LEADERS = re.compile(r"(?:\s?[.…]){4,}(?=\s*[\divxlc]+$)", re.IGNORECASE)
_ENTRY = re.compile(r".* … [\divxlc]+", re.IGNORECASE)
"""Of an index or a list of figures, once its leaders are short."""
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")


@dataclass(slots=True)
class _Block:
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


def written(pages: Sequence[Sequence[Line]]) -> tuple[str, list[int], str]:
    """Return the Markdown of pages, where each begins in it, and the largest heading of the first one.

    A blank line separates two pages, or a line end where a sentence goes on from one to the other.
    """
    kept = [_with_markers(lines) for lines in without_furniture(pages)]
    style = _Style.of(kept)
    blocks: list[_Block] = []
    for number, lines in enumerate(kept):
        for block in _blocks(lines, number, style):
            before = blocks[-1] if blocks else None
            if before and before.lines[-1][0] < number and _runs_over(before, block):
                before.lines += block.lines
            else:
                blocks.append(block)
    hyphens = Hyphens(line.text for lines in kept for line in lines)
    text, starts = _joined(blocks, hyphens)
    page_starts = [len(text)]
    for number in reversed(range(len(pages))):
        page_starts.append(starts.get(number, page_starts[-1]))
    on_top = [block for block in blocks if block.kind == "heading" and block.lines[0][0] == 0]
    largest = max(on_top, key=lambda block: block.last.size, default=None)
    return text, page_starts[:0:-1], " ".join(line.text for _, line in largest.lines) if largest else ""


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
                sizes[_rounded(line.size)] += len(line.text)
                code += line.is_code * len(line.text)
            for above, below in pairwise(lines):
                distance = above.y - below.y
                if _is_same_size(above, below) and 0.5 * below.size < distance < 3 * below.size:
                    found = distances.setdefault(_rounded(below.size), Counter())
                    found[_rounded(distance)] += len(above.text)
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


def _blocks(lines: Sequence[Line], page: int, style: _Style) -> list[_Block]:
    blocks: list[_Block] = []
    for index, line in enumerate(lines):
        kind = style.kind(line)
        if blocks and _continues(blocks[-1], line, kind, style, _margin(lines, index - 1)):
            blocks[-1].lines.append((page, line))
        else:
            blocks.append(_Block(kind, [(page, line)]))
    return blocks


def _continues(block: _Block, line: Line, kind: str, style: _Style, margin: float) -> bool:
    """Tell whether a line belongs to the block above; `margin` is how far lines like its last one reach."""
    above = block.last
    distance = above.y - line.y
    if above.is_turned or line.is_turned or not _is_same_size(above, line):
        return False
    if block.kind == "code" or kind == "code":
        return block.kind == kind and 0 < distance < 3 * line.size
    if block.kind == "heading" or kind == "heading":
        is_near = block.kind == kind and 0 < distance < 1.8 * line.size
        return is_near and block.length + len(line.text) <= _LONGEST_HEADING
    if _BULLET.match(line.text) or _is_next_number(block, line) or _ENTRY.fullmatch(above.text):
        return False
    if abs(distance) < 0.4 * line.size:
        return True
    if distance < 0:  # in the next column
        return _goes_on(above, line)
    if distance > _GAP * style.leading.get(_rounded(line.size), 1.2 * line.size):
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
    """Return how far to the right the lines around this one reach that are in its column."""
    own = lines[index]
    around = lines[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    return max(
        line.right
        for line in around
        if line is own or (_is_same_size(line, own) and abs(line.left - own.left) < _COLUMN_SHIFT * own.size)
    )


def _goes_on(above: Line, line: Line) -> bool:
    """Tell whether a sentence clearly goes on from one line to the next."""
    return line.text[0].islower() and (above.is_broken or not _SENTENCE_END.search(above.text))


def _runs_over(before: _Block, block: _Block) -> bool:
    """Tell whether a block at the end of a page goes on in the first one of the next page."""
    return (
        before.kind in ("paragraph", "item")
        and block.kind == "paragraph"
        and _is_same_size(before.last, block.lines[0][1])
        and not before.last.is_turned
        and _goes_on(before.last, block.lines[0][1])
    )


def _marker(line: Line) -> re.Match[str] | None:
    return next(
        (found for form in (_BULLET, _DASH, _NUMBER, _LETTER) if (found := form.match(line.text))), None
    )


def _is_next_number(block: _Block, line: Line) -> bool:
    own, first = _NUMBER.match(line.text), _NUMBER.match(block.lines[0][1].text)
    return own is not None and first is not None and int(own.group(1)) == int(first.group(1)) + 1


def _joined(blocks: Sequence[_Block], hyphens: Hyphens) -> tuple[str, dict[int, int]]:
    """Return the Markdown of all blocks, and where in it the first line of each page begins."""
    sizes = {_rounded(block.last.size) for block in blocks if block.kind == "heading"}
    levels = {size: min(rank, _LEVELS) for rank, size in enumerate(sorted(sizes, reverse=True), 1)}
    starts: dict[int, int] = {}
    parts: list[str] = []
    length = 0
    for before, block in zip([None, *blocks], blocks, strict=False):
        if before:
            parts.append("\n" if before.kind == block.kind == "item" else "\n\n")
            length += len(parts[-1])
        for page, part in _parts(block, levels, hyphens):
            content = part.lstrip("\n")
            starts.setdefault(page, length + len(part) - len(content))
            parts.append(part)
            length += len(part)
    return "".join(parts), starts


def _parts(block: _Block, levels: dict[float, int], hyphens: Hyphens) -> Iterator[tuple[int, str]]:
    """Yield the Markdown of a block as the parts that stand on one page each, with the page."""
    above: Line | None = None
    for page, group in groupby(block.lines, key=lambda placed: placed[0]):
        lines = [line for _, line in group]
        if block.kind == "code" and len(lines) > 1:
            yield page, _code(lines)
            continue
        words = hyphens.joined(lines)
        if above:
            link = hyphens.link(above, lines[0])
            yield page, ("\n" if link == " " else link) + markup.paragraph(words)
        elif block.kind == "heading":
            yield page, markup.heading(levels[_rounded(lines[-1].size)], words)
        elif block.kind == "item":
            yield page, _item(words)
        else:
            yield page, markup.paragraph(words)
        above = lines[-1]


def _item(words: str) -> str:
    if number := _NUMBER.match(words):
        return f"{number.group(1)}. {markup.one_line(words[number.end() :])}"
    if marker := _BULLET.match(words) or _DASH.match(words):
        words = words[marker.end() :]
    return f"- {markup.one_line(words)}"


def _code(lines: Sequence[Line]) -> str:
    """Return lines of code as a fence, indented as they were."""
    left = min(line.left for line in lines)
    widths = [(line.right - line.left) / len(line.text) for line in lines if line.right > line.left]
    width = max(median(widths), 1.0) if widths else 1.0
    indented = [" " * min(round((line.left - left) / width), 40) + line.text for line in lines]
    fence = "`" * max(3, 1 + max(len(run) for line in lines for run in re.findall("`*", line.text)))
    return "\n".join([fence, *indented, fence])


def _rounded(length: float) -> float:
    return round(length * 2) / 2


def _is_same_size(one: Line, other: Line) -> bool:
    return abs(one.size - other.size) <= _SAME_SIZE * max(one.size, other.size)
