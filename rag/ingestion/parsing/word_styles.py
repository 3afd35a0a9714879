"""Tells what the styles and lists of a Word document mean: which level, which marker."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from docx.oxml.ns import qn
from lxml.etree import _Element

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list (?:bullet|number) ([2-5])", re.IGNORECASE)
_CONTENTS = re.compile(r"toc \d", re.IGNORECASE)
_DEEPEST = 30
"""Styles that a style may rest on."""


@dataclass(frozen=True, slots=True)
class Style:
    level: int
    """Of the headings it makes, from 1; 0: none; -1: the title."""
    numbering: tuple[str, int] | None
    """The list its paragraphs are in, and how deep; None: in none."""
    is_contents: bool


def styles_of(element: _Element) -> dict[str, Style]:
    """Return what the paragraph styles mean by their id, each with what it inherits."""
    by_id = {style.get(qn("w:styleId"), ""): style for style in element.findall(qn("w:style"))}
    found = {}
    for name, style in by_id.items():
        level, is_contents = 0, False
        numbering: tuple[str, int] | None = None
        current: _Element | None = style
        for _ in range(_DEEPEST):
            if current is None:
                break
            called = value_at(current, "w:name")
            outline = value_at(current, "w:pPr/w:outlineLvl")
            if called.lower() == "title":
                level = level or -1
            elif heading := _HEADING.fullmatch(called):
                level = level or int(heading.group(1))
            elif outline in tuple("012345678"):
                level = level or int(outline) + 1
            if numbering is None and (numbering := numbering_of(current.find(qn("w:pPr")))):
                deeper = _LIST_STYLE.fullmatch(called)
                numbering = (numbering[0], int(deeper.group(1)) - 1) if deeper else numbering
            is_contents = is_contents or bool(_CONTENTS.fullmatch(called))
            current = by_id.get(value_at(current, "w:basedOn"))
        found[name] = Style(level, numbering, is_contents)
    return found


class Markers:
    """Counts the numbers that Word shows in front of list items."""

    def __init__(self, numbering: _Element | None) -> None:
        self._formats: dict[tuple[str, int], str] = {}
        self._counts: dict[str, Counter[int]] = {}
        if numbering is None:
            return
        kinds: dict[str, dict[int, str]] = {}
        for kind in numbering.findall(qn("w:abstractNum")):
            levels = {_level(level): value_at(level, "w:numFmt") for level in kind.findall(qn("w:lvl"))}
            kinds[kind.get(qn("w:abstractNumId"), "")] = levels
        for number in numbering.findall(qn("w:num")):
            name = number.get(qn("w:numId"), "")
            for depth, shown in kinds.get(value_at(number, "w:abstractNumId"), {}).items():
                self._formats[name, depth] = shown

    def next(self, name: str, depth: int) -> str:
        """Return the marker of the next item of a list."""
        shown = self._formats.get((name, depth)) or self._formats.get((name, 0), "bullet")
        if shown in ("bullet", "none"):
            return "-"
        counts = self._counts.setdefault(name, Counter())
        counts[depth] += 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        return f"{counts[depth]}."


def numbering_of(properties: _Element | None) -> tuple[str, int] | None:
    """Return the list that a paragraph or style is in and how deep; None: it says none."""
    number = "" if properties is None else value_at(properties, "w:numPr/w:numId")
    if not number:
        return None
    depth = value_at(properties, "w:numPr/w:ilvl")
    return number, min(int(depth), 8) if depth.isdecimal() else 0


def _level(element: _Element) -> int:
    depth = element.get(qn("w:ilvl"), "")
    return int(depth) if depth.isdecimal() else 0


def value_at(element: _Element | None, path: str) -> str:
    """Return the w:val of the element at `path`; empty when there is none."""
    if element is None:
        return ""
    found = element.find("/".join(map(qn, path.split("/"))))
    return "" if found is None else found.get(qn("w:val"), "")
