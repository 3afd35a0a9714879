"""Writes the pages of a PDF as Markdown, and notes where each of them begins in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from rag.ingestion.parsing import markup
from rag.ingestion.parsing.furniture import without_furniture
from rag.ingestion.parsing.grouping import BULLET, DASH, NUMBER, Block, grouped, rounded
from rag.ingestion.parsing.hyphens import Hyphens
from rag.ingestion.parsing.lines import Line

_LEVELS = 4
_DEEPEST_INDENT = 40


def written(pages: Sequence[Sequence[Line]]) -> tuple[str, list[int], str]:
    """Return the Markdown of pages, where each begins in it, and the largest heading of the first one.

    A blank line separates two pages, or a line end where a sentence goes on from one to the other.
    """
    blocks = grouped(without_furniture(pages))
    text, starts = _joined(blocks)
    page_starts = [len(text)]
    for number in reversed(range(len(pages))):
        page_starts.append(starts.get(number, page_starts[-1]))
    on_top = [block for block in blocks if block.kind == "heading" and block.lines[0][0] == 0]
    largest = max(on_top, key=lambda block: block.last.size, default=None)
    return text, page_starts[:0:-1], " ".join(line.text for _, line in largest.lines) if largest else ""


def _joined(blocks: Sequence[Block]) -> tuple[str, dict[int, int]]:
    """Return the Markdown of all blocks, and where in it the first line of each page begins."""
    hyphens = Hyphens(line.text for block in blocks for _, line in block.lines)
    sizes = {rounded(block.last.size) for block in blocks if block.kind == "heading"}
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


def _parts(block: Block, levels: dict[float, int], hyphens: Hyphens) -> Iterator[tuple[int, str]]:
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
            yield page, markup.heading(levels[rounded(lines[-1].size)], words)
        elif block.kind == "item":
            yield page, _item(words)
        else:
            yield page, markup.paragraph(words)
        above = lines[-1]


def _item(words: str) -> str:
    if number := NUMBER.match(words):
        return f"{number.group(1)}. {markup.one_line(words[number.end() :])}"
    if marker := BULLET.match(words) or DASH.match(words):
        words = words[marker.end() :]
    return f"- {markup.one_line(words)}"


def _code(lines: Sequence[Line]) -> str:
    """Return lines of code as a fence, indented as they were."""
    left = min(line.left for line in lines)
    widths = [(line.right - line.left) / len(line.text) for line in lines if line.right > line.left]
    width = max(median(widths), 1.0) if widths else 1.0
    indented = [" " * min(round((line.left - left) / width), _DEEPEST_INDENT) + line.text for line in lines]
    fence = "`" * max(3, 1 + max(len(run) for line in lines for run in re.findall("`*", line.text)))
    return "\n".join([fence, *indented, fence])
