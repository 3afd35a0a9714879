"""Parses Markdown or plain text so that every visible character knows its offset in the source.

The parser tells of a block only its lines, and of what stands in a line nothing. Both are found out here:
the text of a block is looked up in its lines, and the parser of lines notes where it is as it reads.
What is found is compared with the source; text that does not compare has no offsets and is never marked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count, groupby, pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

_NOWHERE = -1
_CONTAINERS = re.compile(r"[ \t>*+\-.)\d]*")
"""What may stand before a table in its line: the signs of quotations and lists."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Text as it is seen, with the offset in the source of each of its characters."""

    text: str
    offsets: Sequence[int]
    """Empty when they are not known."""
    width: int = 1
    """Characters of the source that each character stands for; more than 1 for `&amp;` and the like."""


@dataclass(frozen=True, slots=True)
class Block:
    """A token of the document with what is seen of it."""

    token: Token
    line: Sequence[tuple[Token, Leaf]] = ()
    """The tokens inside an inline token; those that are no text have an empty leaf."""
    code: Leaf | None = None
    """The text of a block of code, or of a paragraph of plain text; None for other blocks."""
    start: int | None = None
    """Offset of the block's first line; None when it is not known."""


class _State(StateInline):
    """Notes in the meta data of every token where in the line its text begins, as far as is known."""

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self._pending_at = _NOWHERE

    def append_pending(self, text: str) -> None:
        if self._pending_at == _NOWHERE:
            self._pending_at = self.pos
        super().append_pending(text)

    def pushPending(self) -> Token:
        token = super().pushPending()
        token.meta["at"] = self._pending_at
        self._pending_at = _NOWHERE
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        self._pending_at = _NOWHERE
        token.meta |= {"at": self.pos, "rule": self.pos}
        before = self.tokens[-2] if len(self.tokens) > 1 else None
        if before is not None and before.meta.get("rule") == self.pos:  # one of several signs, as in **
            token.meta["at"] = before.meta["at"] + (len(before.content) or before.info == "auto")
        return token


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _parser() -> MarkdownIt:
    made = MarkdownIt()
    made.inline = _Inline()
    made.configure("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.disable(["reference", "fragments_join"])
    made.core.ruler.enableOnly(["block"])
    return made


_PARSER = _parser()


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The blocks of a text; what stands in their lines is parsed when it is asked for."""

    text: str
    tokens: Sequence[Token]
    line_starts: Sequence[int]
    """Offset of each line; the last one is that of the end."""

    def blocks(self, start: int, end: int) -> Iterator[Block]:
        """Yield the blocks that reach into characters `start` to `end`, in order.

        Paragraphs are whole; of lists, tables and code only the items, rows and lines are there that reach
        into the range. A table keeps its head, and a numbered list its numbers.
        """
        first = bisect_right(self.line_starts, start) - 1
        last = max(first + 1, bisect_right(self.line_starts, end - 1))
        tokens = _within(self.tokens, first, last)
        cells = self._cells(tokens)
        holder = None
        for token in tokens:
            begin = self.line_starts[token.map[0]] if token.map else None
            if token.type == "inline":
                origin = cells.get(id(token))
                if origin is None:
                    origin = self._origin(token, holder)
                children = _children(token.content)
                line = [(child, _leaf(child, token.content, origin)) for child in children]
                yield Block(token, line, start=begin)
            elif token.type in ("fence", "code_block", "plain"):
                yield Block(token, code=self._code(token, first, last), start=begin)
            else:
                holder = token
                yield Block(token, start=begin)

    def _code(self, token: Token, first: int, last: int) -> Leaf:
        begin = (token.map or [0, 0])[0] + (token.type == "fence")
        rows = token.content.rstrip("\n").split("\n")
        kept = rows[max(0, first - begin) : max(0, last - begin)]
        return Leaf("\n".join(kept), self._rows(kept, max(first, begin)))

    def _origin(self, token: Token, holder: Token | None) -> Sequence[int]:
        """Return the offset of each character of a paragraph or heading; empty when it is not found."""
        first, last = token.map or [0, 0]
        if holder is not None and holder.type == "heading_open" and holder.markup.startswith("#"):
            line, start = self._line(first), self.line_starts[first]
            at = line.find("#") + len(holder.markup)
            at += len(line[at:]) - len(line[at:].lstrip(MD_TRIM_CHARS))
            is_there = line.startswith(token.content, at)
            return range(start + at, start + at + len(token.content)) if is_there else ()
        while first + 1 < last and not self._line(first).strip(MD_TRIM_CHARS):
            first += 1
        return self._rows(token.content.split("\n"), first)

    def _rows(self, rows: Sequence[str], first: int) -> Sequence[int]:
        """Return the offsets of rows that are the ends of the lines from `first` on, line ends included."""
        offsets: list[int] = []
        for number, row in enumerate(rows, first):
            if number + 1 >= len(self.line_starts):
                return ()
            line, start = self._line(number), self.line_starts[number]
            line_end = start + len(line)
            words = row if line.endswith(row) else row.lstrip(" \t")  # a tab may have become spaces
            if number == first + len(rows) - 1 and not line.endswith(words):
                line = line.rstrip(MD_TRIM_CHARS)
            if not line.endswith(words):
                return ()
            at = start + len(line) - len(words)
            offsets += [max(start, at - back) for back in range(len(row) - len(words), 0, -1)]
            offsets += range(at, at + len(words))
            offsets.append(line_end)
        return offsets[:-1]

    def _line(self, number: int) -> str:
        return self.text[self.line_starts[number] : self.line_starts[number + 1]].removesuffix("\n")

    def _cells(self, tokens: Sequence[Token]) -> Mapping[int, Sequence[int]]:
        """Return the offsets of the characters of every cell of a table by the id of its token."""
        found: dict[int, Sequence[int]] = {}
        row: list[Token] | None = None
        for token in tokens:
            if token.type == "tr_open":
                row = []
            elif token.type == "inline" and row is not None:
                row.append(token)
            elif token.type == "tr_close" and row:
                number = (row[0].map or [0, 0])[0]
                places = _places_in_row(self._line(number), [cell.content for cell in row])
                start = self.line_starts[number]
                for cell, of_cell in zip(row, places, strict=True):
                    found[id(cell)] = [start + place for place in of_cell]
                row = None
        return found


@lru_cache(maxsize=8)
def source_map(text: str, is_plain: bool = False) -> SourceMap:
    """Return the blocks of a text; one that is not Markdown has paragraphs alone, of type "plain"."""
    line_starts = [*accumulate((len(line) + 1 for line in text.split("\n")), initial=0)]
    line_starts[-1] = len(text)
    if is_plain:
        return SourceMap(text, _paragraphs(text, line_starts), line_starts)
    # the parser counts \n alone as the end of a line; every character keeps its place
    text = text.replace("\r", " ").replace("\0", "\ufffd")
    return SourceMap(text, _PARSER.parse(text), line_starts)


@lru_cache(maxsize=2000)
def _children(line: str) -> tuple[Token, ...]:
    """Return the tokens of a line; the same document is drawn again and again with other marks."""
    return tuple(_PARSER.inline.parse(line, _PARSER, {}, []))


def _paragraphs(text: str, line_starts: Sequence[int]) -> list[Token]:
    """Return a token for every run of lines that are not empty."""
    tokens = []
    lines = zip(count(), pairwise(line_starts))
    for is_empty, run in groupby(lines, lambda line: not text[slice(*line[1])].strip()):
        if not is_empty:
            numbers, spans = zip(*run, strict=True)
            content = text[spans[0][0] : spans[-1][1]]
            tokens.append(Token("plain", "p", 0, content=content, map=[numbers[0], numbers[-1] + 1]))
    return tokens


def _within(tokens: Sequence[Token], first: int, last: int) -> list[Token]:
    """Return the blocks that reach into lines `first` to `last` (exclusive), with those around them."""
    found: list[Token] = []
    lists: list[Token] = []
    skipped = in_head = 0
    for token in tokens:
        if skipped:
            skipped += token.nesting
            continue
        in_head += token.nesting * (token.type in ("thead_open", "thead_close"))
        begin, end = token.map or (first, last)
        if (end <= first or begin >= last) and not in_head:
            if token.type == "list_item_open" and lists[-1].tag == "ol" and end <= first:
                lists[-1].attrs["start"] = int(lists[-1].attrs.get("start", 1)) + 1
            skipped = token.nesting
            continue
        if token.type in ("ordered_list_open", "bullet_list_open"):
            token = token.copy(attrs=dict(token.attrs))
            lists.append(token)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            lists.pop()
        found.append(token)
    return found


def _leaf(token: Token, line: str, origin: Sequence[int]) -> Leaf:
    """Return what is seen of a token of `line`, whose characters have the offsets `origin`."""
    content, at = token.content, int(token.meta.get("at", _NOWHERE))
    if token.type in ("softbreak", "hardbreak"):
        return Leaf("\n", [origin[line.index("\n", at)]] if origin else ())
    if token.nesting or not origin or at < 0:
        return Leaf(content, ())
    begins = [at]
    if token.type == "text_special" and token.info == "entity":
        return Leaf(content, [origin[at]] * len(content), len(token.markup))
    if token.type == "text_special":
        begins = [at + len(token.markup) - len(content)]
    elif token.type == "code_inline":  # one space on each side is not seen
        begins = [at + len(token.markup), at + len(token.markup) + 1]
        line = line.replace("\n", " ")
    elif token.type == "image":
        begins = [at + len("![")]
    for begin in begins:
        if line.startswith(content, begin):
            return Leaf(content, origin[begin : begin + len(content)])
    return Leaf(content, ())


def _places_in_row(line: str, cells: Sequence[str]) -> list[Sequence[int]]:
    """Return where in a table's line the characters of each cell stand; empty where they do not."""
    pieces: list[list[int]] = [[]]
    is_escaped = False
    for at, sign in enumerate(line):
        if sign == "|" and not is_escaped:
            pieces.append([])
        elif sign == "|":
            pieces[-1][-1:] = [at]  # the backslash before it is not seen
        else:
            pieces[-1].append(at)
        is_escaped = sign == "\\"
    words = ["".join(line[at] for at in piece).rstrip(MD_TRIM_CHARS) for piece in pieces]
    # the first piece is empty before an opening pipe, or it ends with the first cell
    for skipped in (1, 0) if _CONTAINERS.fullmatch(words[0]) else (0,):
        there = words[skipped:] + [""] * len(cells)
        is_same = [seen.lstrip(MD_TRIM_CHARS) == cell for seen, cell in zip(there, cells, strict=False)]
        if all(is_same[1:]) and (is_same[0] or (not skipped and there[0].endswith(cells[0]))):
            held = [*pieces[skipped:], *([] for _ in cells)]
            return [
                piece[len(seen) - len(cell) : len(seen)]
                for piece, seen, cell in zip(held, there, cells, strict=False)
            ]
    return [[] for _ in cells]
