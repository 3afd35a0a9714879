"""Writes plain text as Markdown that shows its very characters."""

from __future__ import annotations

import re
from itertools import pairwise

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")
_BULLET = re.compile(r"^([-+=:])")
_NUMBER = re.compile(r"^(\d+)([.)])")


def line(text: str) -> str:
    """Return plain text as one line of Markdown."""
    return _escaped(" ".join(text.split()))


def quoted(text: str) -> str:
    """Return plain text as a block quote that keeps its lines and indents."""
    lines = [_indented(words) for words in _LINE_END.split(text)]
    breaks = ["\\" if words and after else "" for words, after in pairwise([*lines, ""])]
    return "\n".join(f"> {words}{end}".rstrip(" ") for words, end in zip(lines, breaks, strict=True))


def encodable(text: str) -> str:
    """Return text that UTF-8 can hold: what stands for half a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _indented(text: str) -> str:
    words = text.strip(" \t")
    indent = text[: len(text) - len(text.lstrip(" \t"))].expandtabs(4) if words else ""
    return "\u00a0" * len(indent) + _escaped(words)


def _escaped(words: str) -> str:
    return _NUMBER.sub(r"\1\\\2", _BULLET.sub(r"\\\1", _SPECIAL.sub(r"\\\1", words)))
