"""Turns CSV into a list with one item a row, which names its columns and so can be quoted on its own."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice

from rag.ingestion.parsing import markup
from rag.ingestion.parsing.heads import names_columns
from rag.ingestion.parsing.reasons import Unreadable
from rag.text.boundaries import stops

MOST_ROWS = 5000
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE = 64_000
"""Characters from which the delimiter is told."""
_MOST_LINES_IN_CELL = 200
_DECLARED = re.compile(r"\Asep=(.)\n", re.IGNORECASE)


def read(text: str) -> str:
    """Return the rows of `text` as Markdown; empty when no cell holds a word.

    Raises Unreadable when there are more than MOST_ROWS.
    """
    declared = _DECLARED.match(text)
    body = text[declared.end() :] if declared else text
    delimiter = declared.group(1) if declared else _delimiter(body)
    csv.field_size_limit(len(body) + 1)
    rows, count = _rows(body, delimiter)
    if any(cell.count("\n") > _MOST_LINES_IN_CELL for row in rows for cell in row):  # a quote never ends
        rows, count = _rows(body, delimiter, quoted=False)
    has_head = names_columns(rows)
    if count - has_head > MOST_ROWS:
        raise Unreadable("too_many_rows", rows=count - has_head, limit=MOST_ROWS)
    width = max(map(len, rows), default=0)
    given = rows[0] if has_head else []
    names = [
        markup.within_line(name) or f"Column {number}"
        for number, name in enumerate([*given, *[""] * (width - len(given))], 1)
    ]
    if width == 1 and not has_head:
        return "\n".join(f"- {markup.paragraph(markup.within_line(row[0]))}" for row in rows)
    return "\n".join(_item(names, row) for row in rows[has_head:])


def _rows(text: str, delimiter: str, *, quoted: bool = True) -> tuple[list[list[str]], int]:
    """Return the first rows that hold anything, and the number of all of them."""
    lines = io.StringIO(text, newline="")
    found = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    filled = (cells for row in found if any(cells := [cell.strip() for cell in row]))
    rows = list(islice(filled, MOST_ROWS + 1))
    return rows, len(rows) + sum(1 for _ in filled)


def _item(names: Sequence[str], row: Sequence[str]) -> str:
    """Return a row as a list item; cells of several sentences come last, so the others stay together."""
    cells = [
        f"{name}: {words}"
        for name, cell in zip(names, row, strict=False)
        if (words := markup.within_line(cell))
    ]
    cells.sort(key=lambda cell: any(True for _ in stops(cell, False)))
    return "- " + "; ".join(cells)


def _delimiter(text: str) -> str:
    """Return the sign that cuts the first rows into the most cells of the same number."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample

    def fit(delimiter: str) -> tuple[int, int]:
        try:
            found = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            widths = [len(row) for row in islice(found, _SAMPLE_ROWS) if row]
        except csv.Error:
            return 0, 0
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual) if usual > 1 else 0), usual

    return max(_DELIMITERS, key=fit)
