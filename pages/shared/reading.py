"""Turns a document into safe HTML in which exact characters of the source are marked.

Only tags and classes from this module reach the page; all else of the document is escaped text. A mark is
put around the visible characters whose offsets lie inside it, and around nothing else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby, pairwise
from typing import Literal

from markdown_it.token import Token

from pages.shared.source_map import Leaf, SourceMap, source_map
from rag.types import Span

MARK_CLASS = "st-key-sources_mark"
"""Of the words that a link points at."""
Layer = Literal["aside", "found", "sent", "cited"]
LAYERS: tuple[Layer, ...] = ("aside", "found", "sent", "cited")
"""Weakest first: where several cover a character, it is painted as the last of them."""

_BLOCK_TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
}
_NO_NOTE_BEFORE = frozenset(("list_item", "thead", "tbody", "tr", "th", "td", "inline"))
"""HTML allows nothing of ours in front of them; the note goes inside, before the first word."""
_SCROLLS = 'tabindex="0"'
"""What may be wider than the screen takes the focus, so that the keyboard can scroll it, too."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters of the text to paint."""

    start: int
    end: int
    layer: Layer | None = None
    """None: the words that a link points at; they are painted as their layer, if they are in one."""
    numbers: tuple[int, ...] = ()
    """Written in front of the words."""

    def moved(self, by: int) -> Mark:
        """Return the same mark in a text that begins `by` characters earlier."""
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class Note:
    """A line of our own words, drawn before the first visible character at or after an offset."""

    at: int
    text: str

    def moved(self, by: int) -> Note:
        """Return the same note in a text that begins `by` characters earlier."""
        return replace(self, at=self.at + by)


@dataclass(frozen=True, slots=True)
class Page:
    """A document, or a part of it, as HTML."""

    html: str
    marked: str
    """The visible text of what the link points at; empty when nothing is marked."""
    seen: tuple[str, ...] = ()
    """The visible text of each mark that was asked for."""


@dataclass(frozen=True, slots=True)
class _Paint:
    """How a stretch of characters is drawn."""

    marks: tuple[int, ...] = ()
    """Which of the marks cover it; none: it is drawn as it is."""
    tag: str = ""
    classes: str = ""


_BARE = _Paint()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A leaf of a line (its HTML) or, with a tag, an element around other pieces."""

    html: str = ""
    paint: _Paint = _BARE
    tag: str = ""
    title: str = ""
    parts: tuple[_Piece, ...] = ()

    def paints(self) -> Iterator[_Paint]:
        if not self.tag:
            yield self.paint
        for part in self.parts:
            yield from part.paints()


def page(text: str, start: int | None = None, end: int | None = None) -> Page:
    """Return `text` as HTML with the visible ones of characters `start` to `end` marked."""
    return layers(text, [] if start is None or end is None else [Mark(start, end)])


def layers(
    text: str,
    marks: Sequence[Mark],
    notes: Sequence[Note] = (),
    *,
    shown: Span | None = None,
    is_plain: bool = False,
) -> Page:
    """Return a text as HTML with all marks and notes.

    shown: only the blocks that reach into these characters; None: all. is_plain: the text is no Markdown.
    """
    within = shown or Span(0, len(text))
    writer = _Writer(len(text), marks, [note for note in notes if within.start <= note.at < within.end])
    html = writer.html(source_map(text, is_plain), within)
    seen = tuple(" ".join("".join(words).split()) for words in writer.seen)
    places = (words for mark, words in zip(marks, seen, strict=True) if mark.layer is None)
    return Page(html, " ".join(filter(None, places)), seen)


class _Writer:
    """Writes blocks as HTML and remembers the visible text of every mark."""

    def __init__(self, length: int, marks: Sequence[Mark], notes: Sequence[Note]) -> None:
        self.seen: list[list[str]] = [[] for _ in marks]
        self._marks = marks
        self._unnumbered = {at for at, mark in enumerate(marks) if mark.numbers}
        self._open: set[int] = set()
        self._notes = sorted(notes, key=lambda note: note.at, reverse=True)
        self._paints = [_BARE]
        self._paint_at = array("L", bytes(array("L").itemsize * length)) if marks else None
        edges = sorted({edge for mark in marks for edge in (mark.start, mark.end)})
        for start, end in pairwise(edges):
            covering = [at for at, mark in enumerate(marks) if mark.start <= start and end <= mark.end]
            if covering and self._paint_at is not None:
                self._paint_at[start:end] = array("L", [len(self._paints)]) * (end - start)
                self._paints.append(_paint(marks, covering))

    def html(self, source: SourceMap, within: Span) -> str:
        written: list[str] = []
        for block in source.blocks(within.start, within.end):
            name = block.token.type.removesuffix("_open").removesuffix("_close")
            if block.start is not None and name not in _NO_NOTE_BEFORE and block.token.nesting >= 0:
                written += [piece.html for piece in self._notes_until(block.start)]
            if block.token.type == "inline":
                written.append(self._line(block.line))
            elif block.code is not None:
                written.append(self._code(block.token, block.code))
            else:
                written.append(_block(block.token, name))
        return "".join(written)

    def _code(self, token: Token, code: Leaf) -> str:
        written = self._written(self._pieces(code))
        self._end_block()
        if token.type == "plain":
            return f'<p class="viva-plain">{written}</p>'
        return f"<pre {_SCROLLS}><code>{written}</code></pre>"

    def _line(self, line: Sequence[tuple[Token, Leaf]]) -> str:
        stack: list[list[_Piece]] = [[]]
        titles: list[str] = []
        for token, leaf in line:
            if token.nesting == 1:
                stack.append([])
                titles.append(str(token.attrs.get("href", "")))
            elif token.nesting == -1:
                tag = "span" if token.tag == "a" else token.tag
                parts = tuple(stack.pop())
                stack[-1].append(_Piece(tag=tag, title=titles.pop(), parts=parts))
            else:
                stack[-1] += self._pieces(leaf, token.tag if token.type != "softbreak" else "")
        written = self._written([piece for level in stack for piece in level])
        self._end_block()
        return written

    def _pieces(self, leaf: Leaf, tag: str = "") -> list[_Piece]:
        """Cut the text of a leaf where its paint changes and where a note stands before it.

        tag: of the element around each piece: "code", or "br" in place of its text.
        """
        numbers = self._paint_numbers(leaf)
        cuts = {at for at, (before, after) in enumerate(pairwise(numbers), 1) if before != after}
        cuts |= {bisect_left(leaf.offsets, note.at) for note in self._notes if leaf.offsets}
        pieces: list[_Piece] = []
        for begin, end in pairwise(sorted({0, *cuts, len(leaf.text)})):
            if leaf.offsets:
                pieces += self._notes_until(leaf.offsets[begin])
            text, paint = leaf.text[begin:end], self._paints[numbers[begin]]
            for mark in paint.marks:
                self.seen[mark].append(text)
            self._open.update(paint.marks)
            html = "<br>" if tag == "br" else _escaped(text)
            pieces.append(_Piece(f"<code>{html}</code>" if tag == "code" else html, paint))
        return pieces

    def _paint_numbers(self, leaf: Leaf) -> list[int]:
        """Return the number of each character's paint; what is marked in part only is not painted."""
        if self._paint_at is None or not leaf.offsets:
            return [0] * len(leaf.text)
        if leaf.width == 1:
            return [self._paint_at[offset] for offset in leaf.offsets]
        covering = set(self._paint_at[leaf.offsets[0] : leaf.offsets[0] + leaf.width])
        return [covering.pop() if len(covering) == 1 else 0] * len(leaf.text)

    def _notes_until(self, offset: int) -> list[_Piece]:
        found = []
        while self._notes and self._notes[-1].at <= offset:
            found.append(_Piece(f'<span class="viva-note">{_escaped(self._notes.pop().text)}</span>'))
        return found

    def _end_block(self) -> None:
        for mark in self._open:
            self.seen[mark].append(" ")
        self._open.clear()

    def _written(self, pieces: Iterable[_Piece]) -> str:
        """Write pieces; neighbours that are painted alike throughout share one element."""
        written = []
        for paint, run in groupby(pieces, _common_paint):
            if paint.marks:
                written.append(self._painted(paint, "".join(map(_plain, run))))
            else:
                written += [_element(p, self._written(p.parts)) if p.tag else p.html for p in run]
        return "".join(written)

    def _painted(self, paint: _Paint, html: str) -> str:
        first = self._unnumbered.intersection(paint.marks)
        self._unnumbered -= first
        numbers = ", ".join(str(number) for at in sorted(first) for number in self._marks[at].numbers)
        in_front = f' data-numbers="{numbers}"' if numbers else ""
        return f'<{paint.tag} class="{paint.classes}"{in_front}>{html}</{paint.tag}>'


def _paint(marks: Sequence[Mark], covering: Sequence[int]) -> _Paint:
    """Return how characters under these marks are drawn: as the strongest of them."""
    layers = [layer for at in covering if (layer := marks[at].layer) is not None]
    strongest = max(layers, key=LAYERS.index, default=None)
    places = {(marks[at].start, marks[at].end) for at in covering if marks[at].layer is None}
    is_place = bool(places)
    is_sentence = strongest in ("sent", "cited")
    is_current = is_sentence and any(
        (marks[at].start, marks[at].end) in places for at in covering if marks[at].layer == strongest
    )
    classes = [MARK_CLASS] * is_place + [f"viva-{strongest}"] * (strongest is not None)
    classes += ["viva-current"] * is_current
    tag = "mark" if is_place or strongest == "cited" else "span"
    return _Paint(tuple(covering), tag, " ".join(classes))


def _common_paint(piece: _Piece) -> _Paint:
    """Return the paint that all of a piece has; bare when it has several or none."""
    paints = set(piece.paints())
    return paints.pop() if len(paints) == 1 else _BARE


def _plain(piece: _Piece) -> str:
    return _element(piece, "".join(map(_plain, piece.parts))) if piece.tag else piece.html


def _element(piece: _Piece, inner: str) -> str:
    title = f' title="{_escaped(piece.title)}"' if piece.title else ""
    return f"<{piece.tag}{title}>{inner}</{piece.tag}>"


def _block(token: Token, name: str) -> str:
    """Return the tag that begins or ends a block."""
    tag = token.tag if name == "heading" else _BLOCK_TAGS.get(name)
    if token.hidden:  # the paragraphs of a tight list
        return ""
    if not tag:
        return "<hr>" if name == "hr" else _escaped(token.content)
    if token.nesting == -1:
        return f"</{tag}>" + ("</div>" if tag == "table" else "")
    start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
    return (f'<div class="viva-table" {_SCROLLS}>' if tag == "table" else "") + f"<{tag}{start}>"


def _escaped(text: str) -> str:
    return escape(text.replace("\0", ""))
