"""Joins lines into running text and decides which hyphens at their ends belong to the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.ingestion.parsing.lines import Line

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LAST_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*$")


class Hyphens:
    """Knows the words of one document: a word broken at a line's end often stands whole elsewhere."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for line in lines:
            for word in _WORD.findall(line.lower()):
                self._words[word] += 1
                parts = word.split("-")
                if len(parts) > 2:
                    self._words.update(f"{first}-{second}" for first, second in pairwise(parts))

    def joined(self, lines: Sequence[Line]) -> str:
        """Return the text of consecutive lines as one."""
        parts = [lines[0].text]
        for above, line in pairwise(lines):
            parts += [self.link(above, line), line.text]
        return "".join(parts)

    def link(self, above: Line, line: Line) -> str:
        """Return what stands between two lines: a space, a hyphen, or nothing inside a word."""
        if not above.is_broken:
            return "" if above.text.endswith(("-", "/")) and line.text[:1].isalnum() else " "
        first, second = _LAST_WORD.search(above.text), _WORD.match(line.text)
        if not first or not second or not line.text[0].islower() or not first.group().isalpha():
            return "-"
        broken = f"{first.group()}-{second.group()}".lower()
        return "-" if self._words[broken] > self._words[broken.replace("-", "")] else ""
