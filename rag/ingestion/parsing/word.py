"""Turns a Word document (.docx) into Markdown: headings, lists, tables and footnotes where they stand."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.package import OpcPackage
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.package import Package
from docx.parts.document import DocumentPart
from lxml.etree import _Element

from rag.ingestion.parsing import markup
from rag.ingestion.parsing.reasons import Unreadable

_MOST_UNPACKED = 200 * 2**20
"""Bytes that all parts together may have; a thousand pages of text have about 20 MB."""
_PIECE = 2**20
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list (?:bullet|number) ([2-5])", re.IGNORECASE)
_LONGEST_BOLD_HEADING = 100
_LONGEST_CELL = 1000
"""Characters; a cell with more is not one of a table of facts but of a page's layout."""
_DEEPEST = 30
"""Styles that a style may rest on, and tables within tables."""
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = {*map(qn, "w:del w:moveFrom w:txbxContent w:pPr w:rPr w:sdtPr w:instrText".split()), _FALLBACK}
_HOLDERS = frozenset(map(qn, "w:sdt w:sdtContent w:ins w:moveTo w:customXml w:smartTag".split()))
_SIGNS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_TEXTS = {qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}
_P, _TBL, _R, _SDT = qn("w:p"), qn("w:tbl"), qn("w:r"), qn("w:sdt")


def read(content: bytes) -> tuple[str, str]:
    """Return the Markdown of a document and its title, which may be empty.

    Raises Unreadable.
    """
    _check_package(content)
    part = _main_part(Package.open(io.BytesIO(content)))
    blocks = _Reader(part).blocks()
    text = _joined(blocks)
    title = part.core_properties.title.strip() if part.core_properties.title else ""
    if not title:
        title = next((block.text for block in blocks if block.kind == "title"), "")
    return text, " ".join(title.split())


def _check_package(content: bytes) -> None:
    """Unpack everything once, piece by piece, before anything keeps it: it may be a bomb."""
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.flag_bits & 1:
                raise Unreadable("encrypted")
            head = b""
            with archive.open(entry) as part:
                while piece := part.read(_PIECE):
                    head = head or piece
                    unpacked += len(piece)
                    if unpacked > _MOST_UNPACKED:
                        raise Unreadable("unpacks", limit=_MOST_UNPACKED / 2**20)
            head = head.replace(b"\0", b"")  # without the zero bytes of UTF-16
            if entry.filename.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in head or b"<!ENTITY" in head):
                raise Unreadable("declares_entities")
            if entry.filename == "_rels/.rels" and b"purl.oclc.org/ooxml" in head:
                raise Unreadable("strict_docx")


def _main_part(package: OpcPackage) -> DocumentPart:
    part = package.main_document_part
    if isinstance(part, DocumentPart):
        return part
    kind = "a Word document with macros" if "macro" in part.content_type else "a Word template"
    raise Unreadable("other_kind", kind=kind, advice="Save it in Word as “Word Document (.docx)”.")


@dataclass(frozen=True, slots=True)
class _Block:
    kind: str
    """title, heading, item, paragraph or table."""
    text: str
    level: int = 0
    """Of a heading, from 1; of a list item, from 0."""
    marker: str = ""
    """Of a list item: "-" or "3."."""


@dataclass(frozen=True, slots=True)
class _Style:
    level: int
    """Of the headings it makes, from 1; 0: none; -1: the title."""
    numbering: tuple[str, int] | None
    """The list its paragraphs are in, and how deep; None: in none."""
    is_contents: bool


class _Reader:
    """Reads the body of one document in order."""

    def __init__(self, part: DocumentPart) -> None:
        self._body = part.element.body
        self._styles = _styles(part.styles.element)
        self._markers = _Markers(_related(part, RT.NUMBERING))
        notes = _related(part, RT.FOOTNOTES)
        self._notes = {} if notes is None else {note.get(qn("w:id")): note for note in notes}

    def blocks(self) -> list[_Block]:
        return list(self._in(self._body))

    def _in(self, holder: _Element, depth: int = 0) -> Iterator[_Block]:
        for element in _content(holder):
            if element.tag == _P:
                yield from self._paragraph(element)
            elif depth < _DEEPEST:
                yield from self._table(element, depth)

    def _paragraph(self, element: _Element) -> Iterator[_Block]:
        style = self._styles.get(_value(element, "w:pPr/w:pStyle"), _Style(0, None, False))
        if style.is_contents:
            return
        text = _text(element).strip()
        outline = _value(element, "w:pPr/w:outlineLvl")
        level = int(outline) + 1 if outline in tuple("012345678") else style.level
        place = _numbering(element.find(qn("w:pPr"))) or style.numbering
        if any(map(str.isalnum, text)):
            if level == -1:
                yield _Block("title", text)
            elif level:
                yield _Block("heading", text, level)
            elif place and place[0] != "0":  # 0 takes a paragraph out of its style's list
                yield _Block("item", text, place[1], self._markers.next(*place))
            elif _is_bold(element) and len(text) <= _LONGEST_BOLD_HEADING and text[-1] not in ".!?,;":
                yield _Block("paragraph", f"**{markup.one_line(text)}**", -1)
            else:
                yield _Block("paragraph", text)
        for box in element.iter(qn("w:txbxContent")):
            if not any(holder.tag == _FALLBACK for holder in box.iterancestors()):
                yield from self._in(box, _DEEPEST)
        for reference in element.iter(qn("w:footnoteReference")):
            note = self._notes.get(reference.get(qn("w:id")))
            if note is not None and (words := _text(note).strip()):
                yield _Block("paragraph", f"Footnote: {words}")

    def _table(self, element: _Element, depth: int) -> Iterator[_Block]:
        rows = [list(_content(row, qn("w:tc"))) for row in _content(element, qn("w:tr"))]
        cells = [cell for row in rows for cell in row]
        if not cells:
            return
        is_layout = len(cells) == 1 or any(cell.find(f".//{_TBL}") is not None for cell in cells)
        if is_layout or any(len(_text(cell)) > _LONGEST_CELL for cell in cells):
            for cell in cells:
                yield from self._in(cell, depth + 1)
            return
        written: list[list[str]] = []
        for row in rows:
            texts: list[str] = []
            for cell in row:
                place = len(texts)
                text = _text(cell)
                merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
                if merged is not None and merged.get(qn("w:val")) != "restart" and written:
                    text = written[-1][place] if place < len(written[-1]) else ""
                span = _value(cell, "w:tcPr/w:gridSpan")
                texts += [text, *[""] * (min(int(span), 50) - 1 if span.isdecimal() else 0)]
            written.append(texts)
        if any(map(str.isalnum, "".join(map("".join, written)))):
            yield _Block("table", markup.table(written))


class _Markers:
    """Counts the numbers that Word shows in front of list items."""

    def __init__(self, numbering: _Element | None) -> None:
        self._formats: dict[tuple[str, int], str] = {}
        self._counts: dict[str, Counter[int]] = {}
        if numbering is None:
            return
        kinds: dict[str, dict[int, str]] = {}
        for kind in numbering.findall(qn("w:abstractNum")):
            levels = {_level(level): _value(level, "w:numFmt") for level in kind.findall(qn("w:lvl"))}
            kinds[kind.get(qn("w:abstractNumId"), "")] = levels
        for number in numbering.findall(qn("w:num")):
            name = number.get(qn("w:numId"), "")
            for depth, shown in kinds.get(_value(number, "w:abstractNumId"), {}).items():
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


def _joined(blocks: list[_Block]) -> str:
    """Return the Markdown of the blocks; a title makes all headings one level lower."""
    lower = any(block.kind == "title" for block in blocks)
    written: list[str] = []
    indents: list[int] = []
    before = ""
    for block in blocks:
        match block.kind:
            case "title":
                text = markup.heading(1, block.text)
            case "heading":
                text = markup.heading(block.level + lower, block.text)
            case "item":
                if before != "item":
                    indents = []
                del indents[block.level :]
                indent = sum(indents)
                indents += [len(block.marker) + 1] * (block.level + 1 - len(indents))
                text = f"{' ' * indent}{block.marker} {markup.one_line(block.text)}"
            case "paragraph" if block.level == 0:
                text = markup.paragraph(block.text)
            case _:
                text = block.text
        if written:
            written.append("\n" if before == block.kind == "item" else "\n\n")
        written.append(text)
        before = block.kind
    return "".join(written)


def _content(holder: _Element, *tags: str) -> Iterator[_Element]:
    """Yield the paragraphs and tables (or `tags`) in a part, also those inside content controls."""
    wanted = tags or (_P, _TBL)
    waiting = list(reversed(holder))
    while waiting:
        element = waiting.pop()
        if element.tag in wanted:
            yield element
        elif element.tag in _HOLDERS and not _is_contents(element):
            waiting += reversed(element)


def _is_contents(element: _Element) -> bool:
    gallery = _value(element, "w:sdtPr/w:docPartObj/w:docPartGallery") if element.tag == _SDT else ""
    return gallery == "Table of Contents"


def _text(element: _Element) -> str:
    """Return the words of a paragraph or a cell as they are shown: without deleted and hidden ones."""
    parts: list[str] = []
    waiting = [element]
    while waiting:
        current = waiting.pop()
        if current.tag in _TEXTS:
            parts.append(current.text or "")
        elif current.tag in _SIGNS:
            parts.append(_SIGNS[current.tag])
        elif current.tag not in _SKIPPED and not (current.tag == _R and _is_hidden(current)):
            if current.tag == _P and parts:
                parts.append("\n")
            waiting += reversed(current)
    return "".join(parts)


def _is_hidden(run: _Element) -> bool:
    return _is_on(run.find(f"{qn('w:rPr')}/{qn('w:vanish')}"))


def _is_bold(element: _Element) -> bool:
    """Tell whether every word of a paragraph is bold, as in headings made by hand."""
    runs = [run for run in element.iter(_R) if _text(run).strip()]
    return bool(runs) and all(_is_on(run.find(f"{qn('w:rPr')}/{qn('w:b')}")) for run in runs)


def _is_on(switch: _Element | None) -> bool:
    return switch is not None and switch.get(qn("w:val"), "1") not in ("0", "false", "off")


def _styles(element: _Element) -> dict[str, _Style]:
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
            called = _value(current, "w:name")
            outline = _value(current, "w:pPr/w:outlineLvl")
            if called.lower() == "title":
                level = level or -1
            elif heading := _HEADING.fullmatch(called):
                level = level or int(heading.group(1))
            elif outline in tuple("012345678"):
                level = level or int(outline) + 1
            if numbering is None and (numbering := _numbering(current.find(qn("w:pPr")))):
                deeper = _LIST_STYLE.fullmatch(called)
                numbering = (numbering[0], int(deeper.group(1)) - 1) if deeper else numbering
            is_contents = is_contents or bool(re.fullmatch(r"toc \d", called.lower()))
            current = by_id.get(_value(current, "w:basedOn"))
        found[name] = _Style(level, numbering, is_contents)
    return found


def _numbering(properties: _Element | None) -> tuple[str, int] | None:
    """Return the list that a paragraph or style is in and how deep; None: it says none."""
    number = "" if properties is None else _value(properties, "w:numPr/w:numId")
    if not number:
        return None
    depth = _value(properties, "w:numPr/w:ilvl")
    return number, min(int(depth), 8) if depth.isdecimal() else 0


def _level(element: _Element) -> int:
    depth = element.get(qn("w:ilvl"), "")
    return int(depth) if depth.isdecimal() else 0


def _value(element: _Element | None, path: str) -> str:
    """Return the w:val of the element at `path`; empty when there is none."""
    if element is None:
        return ""
    found = element.find("/".join(map(qn, path.split("/"))))
    return "" if found is None else found.get(qn("w:val"), "")


def _related(part: DocumentPart, kind: str) -> _Element | None:
    """Return the XML of the part that this one refers to as `kind`; None when it has none."""
    related = next((rel for rel in part.rels.values() if rel.reltype == kind and not rel.is_external), None)
    return None if related is None else parse_xml(related.target_part.blob)
