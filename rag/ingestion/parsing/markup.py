"""Writes plain words as Markdown that says the same words, with as few signs added as possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_BLOCK_START = re.compile(  # what would make of a line something else than a line of text
    r"(?:#{1,6}(?:\s|$)|>|[-+*](?:\s|$)|`{3}|~{3}|\[[^\]]{1,200}\]:|={1,}\s*$|(?:[-_*]\s*){3,}$|\||<[A-Za-z/!?])"
)


def paragraph(text: str) -> str:
    """Return text as one Markdown paragraph; its line ends stay, none of its lines becomes anything else."""
    lines = map(within_line, text.split("\n"))
    return "\n".join(_escaped(line) for line in lines if line)


def one_line(text: str) -> str:
    """Return text for where a line has begun, e.g. after a bullet."""
    line = within_line(text)
    return f"\\{line}" if line.startswith("<") else line


def within_line(text: str) -> str:
    """Return text for the inside of a line, where words can be nothing but words."""
    return " ".join(text.split())


def heading(level: int, text: str) -> str:
    """Return a heading of level 1 to 6."""
    return f"{'#' * min(max(level, 1), 6)} {one_line(text)}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a table; the first row is its head, short rows are filled up."""
    width = max(map(len, rows))
    written = [_row([*row, *[""] * (width - len(row))]) for row in rows]
    return "\n".join([written[0], _row(["---"] * width), *written[1:]])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(within_line(cell).replace("|", "\\|") for cell in cells) + " |"


def _escaped(line: str) -> str:
    return f"\\{line}" if _BLOCK_START.match(line) else line
