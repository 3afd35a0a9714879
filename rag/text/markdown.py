"""Turns Markdown or plain text into its blocks, each with exact character offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

BlockKind = Literal[
    "heading", "paragraph", "list_item", "table", "table_row", "fence", "html", "quote", "rule"
]

_PARSER = MarkdownIt("commonmark").enable("table")
_PARSER.core.ruler.enableOnly(["block"])
_TITLES = MarkdownIt("commonmark")
_LONGEST_TITLE = 200
_WRAP_WIDTH = 200
"""No editor wraps lines at more characters than this."""
_WIKI_HEADING = re.compile(r"(=(?: =){1,5}|={1,6}) +([^\s=;][^=;]*?) +\1")
_CODE_SIGNS = re.compile(r"[{}()<>=;\[\]|\\/_$#]")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of whole lines, without the blank space around it.

    Blocks are leaves: a list is its items, a table its rows, a quotation its paragraphs ("quote").
    Every paragraph of a list item is a "list_item"; the first one starts at its bullet.
    """

    kind: BlockKind
    """"table" is a table's head row with the delimiter row; the rows below it are "table_row"."""
    start: int
    end: int
    level: int = 0
    """1 to 6 for a heading, the depth (from 1) for a list item, else 0."""
    title: str = ""
    """A heading's words without markup; empty for other kinds."""
    list_id: int | None = None
    """Number of the innermost list that a list item belongs to; None outside lists."""


def blocks(text: str, start: int = 0) -> list[Block]:
    """Return the blocks of `text[start:]` in order; offsets count in `text` and never overlap.

    Link reference definitions and empty list items belong to no block. Any input is accepted.
    """
    body = text[start:].replace("\r", " ")  # same length; the parser counts \n alone
    lines = body.split("\n")
    line_starts = list(accumulate((len(line) + 1 for line in lines), initial=start))
    found: list[Block] = []
    containers: list[tuple[str, int]] = []  # open quotes and list items, innermost last
    lists: list[int] = []
    list_count = 0
    in_head = False
    end_of_last = start
    for token, following in _with_following(_PARSER.parse(body)):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append(list_count)
                list_count += 1
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                containers.append(("list_item", lists[-1]))
            case "blockquote_open":
                containers.append(("quote", -1))
            case "list_item_close" | "blockquote_close":
                containers.pop()
            case "thead_open" | "thead_close":
                in_head = token.nesting == 1
        if token.map is None:
            continue
        kind: BlockKind
        level, title, list_id = 0, "", None
        first, last = token.map
        match token.type:
            case "heading_open" if len(following.content) > _LONGEST_TITLE and token.markup != "#":
                kind, last = "paragraph", last - 1  # a paragraph above a line of === or ---
            case "heading_open":
                kind, level, title = "heading", int(token.tag[1:]), _title(following)
            case "paragraph_open" if not containers:
                kind = "paragraph"
            case "paragraph_open" if containers[-1][0] == "quote":
                kind = "quote"
            case "paragraph_open":
                kind, list_id = "list_item", containers[-1][1]
                level = sum(1 for container, _ in containers if container == "list_item")
            case "tr_open":
                kind = "table" if in_head else "table_row"
                last += in_head  # the delimiter row
            case "fence":
                kind = "fence"
            case "code_block":
                kind = "paragraph" if _is_indented_prose(token.content) else "fence"
            case "html_block":
                kind = "html"
            case "hr":
                kind = "rule"
            case _:
                continue
        block_start = max(line_starts[min(first, len(lines))], end_of_last)
        block_end = min(line_starts[min(last, len(lines))], len(text))
        content = text[block_start:block_end]
        if token.type != "code_block":  # the first line of indented code keeps its indentation
            block_start += len(content) - len(content.lstrip())
        block_end -= len(content) - len(content.rstrip())
        if kind == "paragraph":
            found += _paragraph(text, block_start, block_end)
        elif block_start < block_end:
            found.append(Block(kind, block_start, block_end, level, title, list_id))
        end_of_last = max(end_of_last, block_end)
    return found


def _with_following(tokens: list[Token]) -> zip[tuple[Token, Token]]:
    return zip(tokens, tokens[1:] + tokens[-1:], strict=True)


def _paragraph(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield a paragraph, or its wiki headings, and its lines if none was wrapped."""
    lines = text[start:end].split("\n")
    unwrapped = max(map(len, lines)) > _WRAP_WIDTH
    found: list[Block] = []
    for line in lines:
        content = line.strip()
        first = start + len(line) - len(line.lstrip())
        last = first + len(content)
        start += len(line) + 1
        if heading := _WIKI_HEADING.fullmatch(content):
            level = heading.group(1).count("=")
            found.append(Block("heading", first, last, level, heading.group(2)))
        elif (
            found
            and found[-1].kind == "paragraph"
            and not (unwrapped and not content[:1].islower() and text[found[-1].end - 1] not in ",;-")
        ):
            found[-1] = replace(found[-1], end=max(last, found[-1].end))
        elif content:
            found.append(Block("paragraph", first, last))
    yield from found


def _title(inline: Token) -> str:
    """Return the words of a heading: `code`, *emphasis* and [links](...) without their signs."""
    source = " ".join(inline.content.split())
    if len(source) > _LONGEST_TITLE:
        return source[:_LONGEST_TITLE]
    children = _TITLES.parseInline(source)[0].children or []
    words = "".join(child.content for child in children if child.type in ("text", "code_inline"))
    return words.strip() or source


def _is_indented_prose(content: str) -> bool:
    """Tell whether four-space-indented text reads like sentences, as in typewritten plain text."""
    words = len(_WORD.findall(content))
    return (
        words >= 6 * max(1, content.count("\n"))
        and len(_CODE_SIGNS.findall(content)) * 40 < len(content)
        and content.rstrip()[-1:] in ".!?:\"'”’)"
    )
