"""Turns a Word document (.docx) into Markdown: headings, lists, tables and footnotes where they stand."""

from __future__ import annotations

import io
import zipfile
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
from rag.ingestion.parsing.word_styles import Markers, Style, numbering_of, styles_of, value_at

_MOST_UNPACKED = 200 * 2**20
"""Bytes that all parts together may have; a thousand pages of text have about 20 MB."""
_PIECE = 2**20
_LONGEST_BOLD_HEADING = 100
_LONGEST_CELL = 1000
"""Characters; a cell with more is not one of a table of facts but of a page's layout."""
_DEEPEST = 30
"""Tables within tables that are read."""
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


class _Reader:
    """Reads the body of one document in order."""

    def __init__(self, part: DocumentPart) -> None:
        self._body = part.element.body
        self._styles = styles_of(part.styles.element)
        self._markers = Markers(_related(part, RT.NUMBERING))
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
        style = self._styles.get(value_at(element, "w:pPr/w:pStyle"), Style(0, None, False))
        if style.is_contents:
            return
        text = _text(element).strip()
        outline = value_at(element, "w:pPr/w:outlineLvl")
        level = int(outline) + 1 if outline in tuple("012345678") else style.level
        place = numbering_of(element.find(qn("w:pPr"))) or style.numbering
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
                span = value_at(cell, "w:tcPr/w:gridSpan")
                texts += [text, *[""] * (min(int(span), 50) - 1 if span.isdecimal() else 0)]
            written.append(texts)
        if any(map(str.isalnum, "".join(map("".join, written)))):
            yield _Block("table", markup.table(written))


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
    gallery = value_at(element, "w:sdtPr/w:docPartObj/w:docPartGallery") if element.tag == _SDT else ""
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


def _related(part: DocumentPart, kind: str) -> _Element | None:
    """Return the XML of the part that this one refers to as `kind`; None when it has none."""
    related = next((rel for rel in part.rels.values() if rel.reltype == kind and not rel.is_external), None)
    return None if related is None else parse_xml(related.target_part.blob)
