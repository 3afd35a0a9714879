"""Turns untrusted Markdown (answers, sources, names) into Markdown that can only show text.

The text is parsed and written anew, so nothing of its syntax reaches the page as it came: images are
their alternative text, HTML is text, foreign links are text with the address in view, and what
Streamlit would turn into formulas, icons, colours, diagrams or arrows stays the characters it is.
Citation markers become links to the cited sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from pages.shared.links import own_source_url

LONGEST = 200_000
"""Characters that are shown of one text."""
HIGHEST_HEADING = 4
"""Headings inside an answer are no larger than this level."""

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.disable("reference")  # [1]: https://... would turn markers into links
_PARSER.core.ruler.disable("text_join")  # keeps \[1\] apart from [1]

_LITERAL_BRACKET = "\ue000"
"""Stands for a [ that was escaped and so begins no marker, until it is written."""
_CONTROLS = dict.fromkeys(
    ord(sign)
    for sign in map(chr, [*range(0xA0), *range(0x2000, 0x2070), 0xFEFF, 0xE000])
    if unicodedata.category(sign) in ("Cc", "Cf", "Co") and sign not in "\t\n\r\u200c\u200d"
)
"""Control characters, and those that change the direction of writing and so can hide a name."""
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\[\]\ue000]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_TRAILING = re.compile(r"[.,;:!?)'\"*_~]+$")
_MARKER = re.compile(r"\[(\d{1,3})\]")
_SPECIAL = re.compile(r"[\\`*\[\]<$~|]|(?<!\w)_|_(?!\w)|&(?=[#\w])|:(?=[\w:+-])|!(?=\[|\Z)")
_REPLACED = re.compile(
    r"(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S)"  # arrows, dashes, comparisons
    r"|:(?=[\w+-]+:|material/)"  # :emoji:, :material_icon:, :streamlit:
)
_LINE_START = re.compile(r"^[ \t]*(?:(\d{1,9})([.)])|([-+=#>]))", re.MULTILINE)
_LANGUAGE = re.compile(r"[a-z0-9+#]{1,20}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chip:
    """How a citation marker looks and where it leads."""

    url: str
    quote: str
    """Shown when the pointer rests on the marker."""
    colour: str = "gray"


def markdown(text: str, chips: Mapping[int, Chip] | None = None) -> str:
    """Return Markdown for `st.markdown` that shows `text` and does nothing else.

    chips: by marker. A marker without one is left out; None means that the citations are not known
    yet, and all markers are shown without a link.
    """
    tree = SyntaxTreeNode(_PARSER.parse(text[:LONGEST].translate(_CONTROLS)))
    return _blocks(tree.children, chips)


def label(text: str) -> str:
    """Return a one-line text, such as a title, for places that take Markdown."""
    return _starts_escaped(_literal(" ".join(text[:LONGEST].translate(_CONTROLS).split())))


def plain(text: str) -> str:
    """Return the words of a Markdown text on one line, without its signs and its headings.

    The result is still untrusted: it needs `label` where Markdown is shown.
    """
    tokens = _PARSER.parse(text[:LONGEST])
    words = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in ("fence", "code_block"):
            words.append(token.content)
        elif token.type == "inline" and (before is None or before.type != "heading_open"):
            words.append("".join(_seen(child) for child in token.children or ()))
    return " ".join(" ".join(words).split()) or " ".join(text.split())


def _seen(token: Token) -> str:
    return " " if token.type in ("softbreak", "hardbreak") else token.content


def _blocks(nodes: Iterable[SyntaxTreeNode], chips: Mapping[int, Chip] | None, tight: bool = False) -> str:
    written = [block for node in nodes if (block := _block(node, chips))]
    return ("\n" if tight else "\n\n").join(written)


def _block(node: SyntaxTreeNode, chips: Mapping[int, Chip] | None) -> str:
    match node.type:
        case "paragraph":
            return _lines(node, chips)
        case "heading":
            level = max(HIGHEST_HEADING, int(node.tag[1:]))
            return f"{'#' * level} " + _lines(node, chips).replace("\n", " ")
        case "bullet_list" | "ordered_list":
            return _list(node, chips)
        case "blockquote":
            return _indented(_blocks(node.children, chips), "> ", "> ")
        case "fence" | "code_block":
            return _fence(node)
        case "table":
            return _table(node, chips)
        case "hr":
            return "***"
        case _:
            return _blocks(node.children, chips) if node.children else _literal(node.content)


def _list(node: SyntaxTreeNode, chips: Mapping[int, Chip] | None) -> str:
    items = []
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
    for number, item in enumerate(node.children, first):
        tight = any(child.hidden for child in item.children if child.type == "paragraph")
        bullet = "- " if node.type == "bullet_list" else f"{number}. "
        items.append(_indented(_blocks(item.children, chips, tight), bullet, " " * len(bullet)))
    return "\n".join(items)


def _indented(block: str, first: str, rest: str) -> str:
    lines = block.split("\n")
    return "\n".join([first + lines[0], *(rest + line for line in lines[1:])])


def _fence(node: SyntaxTreeNode) -> str:
    """Write code with a language only if it is a plain name; a diagram stays its source text."""
    named = _LANGUAGE.match(node.info.strip()) if node.type == "fence" else None
    language = named.group() if named and not named.group().lower().startswith("mermaid") else "text"
    content = node.content.rstrip("\n")
    return f"{_ticks(content, 3)}{language}\n{content}\n{_ticks(content, 3)}"


def _ticks(content: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    return "`" * max(least, longest + 1)


def _table(node: SyntaxTreeNode, chips: Mapping[int, Chip] | None) -> str:
    rows = [row for part in node.children for row in part.children]
    cells = [[_cell(_lines(cell, chips)) for cell in row.children] for row in rows]
    written = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([written[0], "|" + " --- |" * len(cells[0]), *written[1:]])


def _cell(content: str) -> str:
    """Keep a cell in one piece: a bar would end it, even inside code."""
    return re.sub(r"(?<!\\)\|", r"\\|", content.replace("\n", " "))


def _lines(node: SyntaxTreeNode, chips: Mapping[int, Chip] | None) -> str:
    inline = [child for holder in node.children for child in holder.children]
    return _starts_escaped(_line(inline, chips)).strip()


def _line(nodes: Iterable[SyntaxTreeNode], chips: Mapping[int, Chip] | None) -> str:
    """Write what stands in a line; neighbouring texts are read as one, escaped signs included."""
    written, text = [], ""
    for node in nodes:
        if node.type == "text":
            text += node.content
        elif node.type == "text_special":
            text += node.content.replace("[", _LITERAL_BRACKET)
        else:
            written += [_marked(text, chips), _inline(node, chips)]
            text = ""
    return "".join([*written, _marked(text, chips)])


def _inline(node: SyntaxTreeNode, chips: Mapping[int, Chip] | None) -> str:
    inner = _line(node.children, chips)
    match node.type:
        case "strong" | "em" | "s":
            return f"{node.markup}{inner}{node.markup}" if inner.strip() else inner
        case "code_inline":
            return _code(node.content)
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "\\\n"
        case "link":
            return _link(str(node.attrs.get("href", "")), inner, node.info == "auto")
        case "image":
            return _literal(node.content)
        case _:
            return inner or _literal(node.content)


def _link(href: str, inner: str, is_bare: bool) -> str:
    if url := own_source_url(href):
        return f"[{inner}]({url})"
    if is_bare or not inner:
        return _code(href)
    try:
        host = urlsplit(href).hostname
    except ValueError:  # e.g. an unclosed [ of an IPv6 address
        host = None
    return f"{inner} ({_code(host or href)})"


def _code(content: str) -> str:
    content = " ".join(content.split("\n"))
    ticks = _ticks(content, 1)
    padding = " " if content.startswith(("`", " ")) or content.endswith(("`", " ")) else ""
    return f"{ticks}{padding}{content}{padding}{ticks}" if content.strip() else ""


def _marked(text: str, chips: Mapping[int, Chip] | None) -> str:
    """Write text with its citation markers as links."""
    parts = _MARKER.split(text)
    written = [_literal(parts[0])]
    for number, following in zip(parts[1::2], parts[2::2], strict=True):
        chip = _chip(int(number), chips)
        if not chip:
            written[-1] = written[-1].rstrip(" ")
        written += [chip, _literal(following)]
    return "".join(written)


def _chip(number: int, chips: Mapping[int, Chip] | None) -> str:
    if chips is None:
        return f":gray-badge[{number}]"
    if number not in chips:
        return ""
    chip = chips[number]
    title = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(chip.quote.translate(_CONTROLS).split()))
    return f'[:{chip.colour}-badge[{number}]]({chip.url} "{title}")'


def _literal(text: str) -> str:
    """Write text so that Markdown and Streamlit show its very characters; addresses as code."""
    written, at = [], 0
    for found in _ADDRESS.finditer(text):
        address = _TRAILING.sub("", found.group())
        written += [_escaped(text[at : found.start()]), _code(address)]
        at = found.start() + len(address)
    return "".join([*written, _escaped(text[at:])])


def _escaped(text: str) -> str:
    """Escape syntax, and split what Streamlit replaces in plain text with a colour of no colour."""
    written, at = [], 0
    for found in _REPLACED.finditer(text):
        sign = text[found.start()]
        written += [_backslashed(text[at : found.start()]), f":color[\\{sign}]"]
        at = found.start() + 1
    return "".join([*written, _backslashed(text[at:])])


def _backslashed(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text).replace(_LITERAL_BRACKET, "\\[")


def _starts_escaped(lines: str) -> str:
    """Escape what would make a line a list item, a heading, a quotation or an underline."""
    return _LINE_START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", lines)
