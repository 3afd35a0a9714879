"""Takes away what is on pages to get around in them: headers, footers, page numbers, tables of contents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from rag.ingestion.parsing.lines import Line

_EDGE_LINES = 2
"""How many lines at the top and at the bottom of a page may belong to its header and footer."""
_LEAST_PAGES = 3
_LEAST_BARE_NUMBERS = 2
"""Pages on which numbers that stand alone must count the pages."""
_LEAST_ENTRIES = 4
"""Lines on one page, with leaders and in rising order, that make a table of contents."""
_MOST_OF_PAGE = 0.5
"""Share of a page's lines that its entries are if the table goes on on the next page."""
_SAME_PLACE = 6.0
"""Points (1/72 inch) by which a header may move from page to page."""
_ROMAN_SIGNS = "[ivxlcIVXLC]{1,7}"
"""Spelt out: without regard to case, `i` would match the Turkish letters İ and ı as well."""
_NUMBER = re.compile(rf"\d{{1,4}}|(?<![^\W_]){_ROMAN_SIGNS}(?![^\W_])")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_LETTER = re.compile(r"[^\W\d_]")
_LEADERS = re.compile(rf"(?:[.…]\s?){{4,}}\s*(?:\d{{1,4}}|{_ROMAN_SIGNS})$")
_ENDS_IN_NUMBER = re.compile(rf"[^\d\s]\W*\s(?:\d{{1,4}}|{_ROMAN_SIGNS})$|" + _LEADERS.pattern)
_CONTENTS = re.compile(
    r"(?:table of )?contents|(?:list of|index of) \w+|inhalt(?:sverzeichnis)?|table des matières|índice",
    re.IGNORECASE,
)


def without_furniture(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the pages without what repeats in the same place of several pages, and without contents.

    A line at the edge of three pages goes if its words are always the same, or if it begins or ends with a
    number that counts the pages. All lines stay when no others would.
    """
    places: defaultdict[Hashable, list[tuple[int, Line]]] = defaultdict(list)
    for page, lines in enumerate(pages):
        for edge, line in _edge_lines(lines):
            for key in _keys(line.text, page):
                places[edge, key].append((page, line))
    dropped: set[tuple[int, Line]] = set()
    for found in places.values():
        usual = median(line.y for _, line in found)
        near = [(page, line) for page, line in found if abs(line.y - usual) <= _SAME_PLACE]
        are_bare = not any(_LETTER.search(_NUMBER.sub("", line.text)) for _, line in near)
        if len({page for page, _ in near}) >= (_LEAST_BARE_NUMBERS if are_bare else _LEAST_PAGES):
            dropped.update(near)
    dropped.update(_contents(pages))
    kept = [[line for line in lines if (page, line) not in dropped] for page, lines in enumerate(pages)]
    return kept if any(kept) else [list(lines) for lines in pages]


def _edge_lines(lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    heights = sorted({round(line.y) for line in lines})
    low, high = heights[:_EDGE_LINES], heights[-_EDGE_LINES:]
    for line in lines:
        if round(line.y) in high:
            yield "top", line
        if round(line.y) in low:
            yield "bottom", line


def _keys(text: str, page: int) -> Iterator[Hashable]:
    """Yield what a line has in common with its like on other pages: its words, or how it counts them."""
    if _LETTER.search(_NUMBER.sub("", text)):
        yield " ".join(text.split())
    numbers = list(_NUMBER.finditer(text))
    if numbers and not _LETTER.search(text[: numbers[0].start()]):
        yield "first", _value(numbers[0].group()) - page
    if numbers and not _LETTER.search(text[numbers[-1].end() :]):
        yield "last", _value(numbers[-1].group()) - page
    if len(numbers) == 2 and re.search(r"\d ?(?:/|of|von|de|sur) ?\d+\W*$", text):  # page 3 of 10
        yield "of", _value(numbers[0].group()) - page, numbers[1].group()


def _contents(pages: Sequence[Sequence[Line]]) -> Iterator[tuple[int, Line]]:
    """Yield the entries of tables of contents: lines up to numbers that never fall.

    They fill most of a page that begins or continues the contents, or they have leaders.
    """
    goes_on = False
    for page, lines in enumerate(pages):
        titles = [line for line in lines if _CONTENTS.fullmatch(line.text)]
        most = max(_LEAST_ENTRIES, round(len(lines) * _MOST_OF_PAGE))
        entries = _rising(lines, _ENDS_IN_NUMBER, most) if goes_on or titles else []
        entries = entries or _rising(lines, _LEADERS, _LEAST_ENTRIES)
        goes_on = bool(entries)
        if entries:
            yield from ((page, line) for line in [*titles, *entries])


def _rising(lines: Sequence[Line], form: re.Pattern[str], least: int) -> list[Line]:
    """Return the lines of a form if they are enough and their last numbers never fall, else none."""
    entries = [line for line in lines if form.search(line.text)]
    numbers = [_value(found[-1]) for line in entries if (found := _NUMBER.findall(line.text))]
    rises = all(above <= below for above, below in pairwise(numbers))
    return entries if rises and len(entries) >= least else []


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number)
    values = [_ROMAN[sign] for sign in number.lower()]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )
