"""Turns a document into safe HTML in which the cited characters are marked.

Only tags and classes from this module reach the page; all else of the document is escaped text.
Two signs that occur in no text are put around the cited characters before the document is parsed and
become <mark> elements afterwards, so offsets of the source end up at the right words of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARK_CLASS = "st-key-sources_mark"
FROM, TO = "\ue000", "\ue001"
"""Private-use characters: neither space nor punctuation, so emphasis around them stays what it is."""

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.disable("reference")
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
_DELIMITERS = re.compile(r"[*_~]*")
_CODE_BLOCK = re.compile(r"(?:`{3,}|~{3,})[^\n]*\n(.*?)\n?[ \t>]*(?:`{3,}|~{3,})?", re.DOTALL)
_SIGNS = re.compile(f"({FROM}|{TO})")


@dataclass(frozen=True, slots=True)
class Page:
    """A document as HTML."""

    html: str
    marked: str
    """The visible text of the marks; empty when nothing is marked."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A leaf of a line (its HTML) or, with a tag, an element around other pieces."""

    html: str = ""
    text: str = ""
    """What a reader sees of a leaf."""
    is_marked: bool = False
    tag: str = ""
    title: str = ""
    parts: tuple[_Piece, ...] = ()

    def leaves(self) -> Iterator[_Piece]:
        if not self.tag:
            yield self
        for part in self.parts:
            yield from part.leaves()


def page(text: str, start: int | None = None, end: int | None = None) -> Page:
    """Return `text` as HTML with the visible ones of characters `start` to `end` marked.

    Nothing is marked when no range is given, or when marking would change how the text reads.
    """
    plain = _PARSER.parse(text)
    if start is not None and end is not None and not _SIGNS.search(text):
        shape, visible = _shape(plain), _visible(plain)
        for first, last in dict.fromkeys(_places(text, start, end)):
            tokens = _PARSER.parse(text[:first] + FROM + text[first:last] + TO + text[last:])
            signed = _visible(tokens)
            is_same = _shape(tokens) == shape and _SIGNS.sub("", signed) == visible
            if is_same and _SIGNS.findall(signed) == [FROM, TO]:
                return _Writer().page(tokens)
    return _Writer().page(plain)


def _places(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the signs may stand: at the offsets, or inside what begins and ends there."""
    if code := _CODE_BLOCK.fullmatch(text, start, end):
        yield code.span(1)
    opening = _DELIMITERS.match(text, start)
    inner_start = opening.end() if opening else start
    inner_end = start + len(text[start:end].rstrip("*_~"))
    yield from ((start, end), (inner_start, end), (start, inner_end), (inner_start, inner_end))


def _shape(tokens: Iterable[Token]) -> list[str]:
    """Return the types of all tokens but texts, which the signs may split or add."""
    return [token.type for token in _flat(tokens) if token.type != "text"]


def _visible(tokens: Iterable[Token]) -> str:
    leaves = (token for token in _flat(tokens) if token.type not in ("inline", "image"))
    return "".join(token.content for token in leaves)


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        if token.type != "image":
            yield from _flat(token.children or ())


class _Writer:
    """Writes tokens as HTML, remembering from block to block whether the mark is open."""

    def __init__(self) -> None:
        self._is_marking = False
        self._marked: list[str] = []

    def page(self, tokens: Sequence[Token]) -> Page:
        html = "".join(self._block(token) for token in tokens)
        return Page(html, " ".join("".join(self._marked).split()))

    def _block(self, token: Token) -> str:
        if token.hidden:  # the paragraphs of a tight list
            return ""
        name = token.type.removesuffix("_open").removesuffix("_close")
        tag = token.tag if name == "heading" else _BLOCK_TAGS.get(name)
        if tag and token.nesting == 1:
            start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
            return ('<div class="viva-table">' if tag == "table" else "") + f"<{tag}{start}>"
        if tag:
            return f"</{tag}>" + ("</div>" if tag == "table" else "")
        if token.type == "inline":
            return self._line(token.children or [])
        if token.type in ("fence", "code_block"):
            pieces = self._split(token.content.rstrip("\n"))
            self._marked.append(" ")
            return f"<pre><code>{_html(pieces)}</code></pre>"
        return "<hr>" if token.type == "hr" else _escaped(token.content)

    def _line(self, tokens: Sequence[Token]) -> str:
        stack: list[list[_Piece]] = [[]]
        titles: list[str] = []
        for token in tokens:
            if token.nesting == 1:
                stack.append([])
                titles.append(str(token.attrs.get("href", "")))
            elif token.nesting == -1:
                tag = "span" if token.tag == "a" else token.tag
                parts = tuple(stack.pop())
                stack[-1].append(_Piece(tag=tag, title=titles.pop(), parts=parts))
            else:
                stack[-1] += self._leaf(token)
        self._marked.append(" ")
        return _html([piece for level in stack for piece in level])

    def _leaf(self, token: Token) -> list[_Piece]:
        match token.type:
            case "code_inline":
                return [
                    _Piece(f"<code>{piece.html}</code>", piece.text, piece.is_marked)
                    for piece in self._split(token.content)
                ]
            case "softbreak" | "hardbreak":
                if self._is_marking:
                    self._marked.append(" ")
                html = "\n" if token.type == "softbreak" else "<br>"
                return [_Piece(html, "\n", self._is_marking)]
            case _:
                return self._split(token.content)

    def _split(self, content: str) -> list[_Piece]:
        pieces = []
        for part in _SIGNS.split(content):
            if part in (FROM, TO):
                self._is_marking = part == FROM
            elif part:
                pieces.append(_Piece(_escaped(part), part, self._is_marking))
                if self._is_marking:
                    self._marked.append(part)
        return pieces


def _html(pieces: Iterable[_Piece]) -> str:
    """Write pieces; neighbours that are marked throughout share one <mark>."""
    written: list[str] = []
    marked: list[str] = []
    for piece in pieces:
        leaves = list(piece.leaves())
        if leaves and all(leaf.is_marked for leaf in leaves):
            marked.append(_plain(piece))
            continue
        written += [_mark(marked), _element(piece, _html(piece.parts)) if piece.tag else piece.html]
        marked = []
    return "".join([*written, _mark(marked)])


def _mark(marked: Sequence[str]) -> str:
    return f'<mark class="{MARK_CLASS}">{"".join(marked)}</mark>' if marked else ""


def _plain(piece: _Piece) -> str:
    return _element(piece, "".join(map(_plain, piece.parts))) if piece.tag else piece.html


def _element(piece: _Piece, inner: str) -> str:
    title = f' title="{_escaped(piece.title)}"' if piece.title else ""
    return f"<{piece.tag}{title}>{inner}</{piece.tag}>"


def _escaped(text: str) -> str:
    return escape(text.replace("\0", ""))
