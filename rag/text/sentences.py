"""Cuts a text into the units that can be quoted: sentences, items, rows, code and headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rag.text.boundaries import row_cuts, stops
from rag.text.markdown import Block, blocks

SentenceKind = Literal["prose", "list_item", "table_row", "code", "heading"]

LONGEST = 1000
"""Characters after which prose is cut although no sentence ends."""
_LOWER_CASE_SAMPLE = 100_000

_MARKERS = re.compile(  # bullets, numbers, quotation marks, check boxes and footnote labels
    r"(?:[ \t]*(?:[-+*]|\d{1,9}[.)]|>)(?=[ \t\n>]))*[ \t]*(?:>[ \t]*)*(?:\[[ xX]\][ \t]+)?"
)
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,50}\]:[ \t]*")
_WITHOUT_WORDS = re.compile(  # what shows no words of its own: pictures, tags
    r"\[?!\[[^\[\]]{0,300}\]\([^()]{0,700}\)(?:\]\([^()\s]{0,500}\))?"
    r"|<!--.*?-->|</?[A-Za-z][^<>]{0,2000}>",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W_]+")
_BOLD_LINE = re.compile(r"(\*\*|__)[^*_\n]{1,100}(?<![.!?])\1:?")
_ATX = re.compile(r"(?:>[ \t]*|[-+*][ \t]+|\d{1,9}[.)][ \t]+)*#{1,6}(?:[ \t]+|$)")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_TAG = re.compile(r"<!--.*?(?:-->|$)|</?([A-Za-z][\w.-]*)[^<>]*>?", re.DOTALL)
_INLINE_TAGS = frozenset("a abbr b cite code em i kbd mark q s small span strong sub sup u var".split())
_SILENT_HTML = re.compile(r"<(?:script|style|[!?])", re.IGNORECASE)
_CLAUSE_ENDS = ("; ", ": ", ";\n", ":\n", "；", "：")
_WORD_ENDS = (" ", "\n", "，", "、")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The smallest stretch of text that is quoted: characters `start` to `end` (exclusive)."""

    start: int
    end: int
    kind: SentenceKind
    """A table's head row and a paragraph of one bold line count as "heading"."""
    block: int
    """Index in the list of blocks of the same text."""
    list_id: int | None = None
    """The same for all items of one list; None outside lists."""


def sentences(text: str, start: int = 0, parsed: Sequence[Block] | None = None) -> list[Sentence]:
    """Return the sentences of `text[start:]` in order, without overlap, each inside one block.

    Sentences hold at least one word and no surrounding white space, bullets or table pipes.
    Prose is at most LONGEST characters long. `parsed` saves a second parse: `blocks(text, start)`.
    """
    lower_case = _is_lower_case(text[start : start + _LOWER_CASE_SAMPLE])
    found = []
    for number, block in enumerate(blocks(text, start) if parsed is None else parsed):
        for first, last, kind in _units(text, block, lower_case):
            list_id = block.list_id if kind == "list_item" else None
            found.append(Sentence(first, last, kind, number, list_id))
    return found


def _units(text: str, block: Block, lower_case: bool) -> Iterator[tuple[int, int, SentenceKind]]:
    start, end = block.start, block.end
    match block.kind:
        case "rule":
            return
        case "fence":
            yield start, end, "code"
        case "heading":
            yield from _with_kind("heading", _heading(text, start, end))
        case "table":
            head_end = text.find("\n", start, end)
            yield from _with_kind("heading", _row(text, start, head_end if head_end > 0 else end))
        case "table_row":
            yield from _with_kind("table_row", _row(text, start, end))
        case "html":
            for first, last in _html_texts(text, start, end):
                yield from _with_kind("prose", _prose(text, first, last, lower_case))
        case "list_item":
            start = _after_markers(text, start, end)
            yield from _with_kind("list_item", _prose(text, start, end, lower_case))
        case "quote":
            for first, last in _prose(text, start, end, lower_case):
                first = _after_markers(text, first, last)  # it may start on a later line
                yield from _with_kind("prose", _trimmed(text, [(first, last)]))
        case _:
            if label := _FOOTNOTE.match(text, start, end):
                start = label.end()
            if _BOLD_LINE.fullmatch(text, start, end):
                yield start, end, "heading"
                return
            yield from _with_kind("prose", _prose(text, start, end, lower_case))


def _with_kind(
    kind: SentenceKind, spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, SentenceKind]]:
    return ((start, end, kind) for start, end in spans)


def _heading(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if marker := _ATX.match(text, start, end):
        start = marker.end()
        if hashes := _CLOSING_HASHES.search(text, start, end):
            end = hashes.start()
    elif (underline := text.rfind("\n", start, end)) > 0:
        start, end = _after_markers(text, start, end), underline
    else:  # a wiki heading
        start = end - len(text[start:end].lstrip("= "))
        end = start + len(text[start:end].rstrip("= "))
    yield from _trimmed(text, [(start, end)])


def _row(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    start = _after_markers(text, start, end)
    while start < end and text[start] in "| \t":
        start += 1
    while start < end and text[end - 1] in "| \t" and text[end - 2 : end] != "\\|":
        end -= 1
    yield from _trimmed(text, [(start, end)])


def _after_markers(text: str, start: int, end: int) -> int:
    markers = _MARKERS.match(text, start, end)
    return markers.end() if markers else start


def _html_texts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between tags; those inside a line of text (<b>, <code>) do not divide."""
    if _SILENT_HTML.match(text, start, end):
        return
    for tag in _TAG.finditer(text, start, end):
        if (tag.group(1) or "").lower() in _INLINE_TAGS:
            continue
        yield start, tag.start()
        start = tag.end()
    yield start, end


def _prose(text: str, start: int, end: int, lower_case: bool) -> Iterator[tuple[int, int]]:
    """Yield the sentences of one paragraph, cut to at most LONGEST characters."""
    paragraph = text[start:end]
    cuts = {0, *row_cuts(paragraph), *stops(paragraph, lower_case), len(paragraph)}
    edges = sorted(start + cut for cut in cuts)
    spans = _trimmed(text, pairwise(edges))
    for first, last in spans:
        yield from _trimmed(text, _bounded(text, first, last))


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield pieces of at most LONGEST characters, cut at ; or : or else at white space."""
    while end - start > LONGEST:
        limit = start + LONGEST
        half = start + LONGEST // 2
        cut = _last(_CLAUSE_ENDS, text, half, limit) or _last(_WORD_ENDS, text, half, limit)
        yield start, cut or limit
        start = cut or limit
    yield start, end


def _last(signs: Iterable[str], text: str, start: int, end: int) -> int:
    """Return the offset after the last of `signs` in `text[start:end]`, or 0."""
    return max(text.rfind(sign, start, end) + 1 for sign in signs)


def _trimmed(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the spans without white space around; one without words joins the one before."""
    last: tuple[int, int] | None = None
    for start, end in spans:
        content = text[start:end]
        start += len(content) - len(content.lstrip())
        end -= len(content) - len(content.rstrip())
        if start >= end:
            continue
        if _WORD.search(_WITHOUT_WORDS.sub("", text[start:end])):
            if last:
                yield last
            last = (start, end)
        elif last and end - last[0] <= LONGEST:
            last = (last[0], end)
    if last:
        yield last


def _is_lower_case(sample: str) -> bool:
    """Tell whether a text has hardly any capitals, so that a small letter says nothing."""
    upper = sum(map(str.isupper, sample))
    return upper * 200 < sum(map(str.islower, sample))
