"""Reads the lines of a PDF with their places, and turns them into Markdown with the offsets of its pages."""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

import pypdfium2
from pypdfium2 import raw

from rag.ingestion.parsing.layout import written
from rag.ingestion.parsing.lines import Line
from rag.ingestion.parsing.reasons import Unreadable

_TAIL = 2048
"""Bytes at the end of a file in which it says that this is the end."""
_LINE_END = re.compile("\r\n|[\n\r\ufffe\x02]")
_BROKEN_WORD = ("\ufffe", "\x02")
"""What PDFium writes for a hyphen at a line's end together with that end."""
_LIGATURES = {ord(sign): unicodedata.normalize("NFKC", sign) for sign in "ﬀﬁﬂﬃﬄﬅﬆ"}
_BULLETS = dict.fromkeys(map(ord, "\uf0b7\uf0a7\uf0d8\uf076\uf06e\uf0a8\uf0fc"), "•")
"""What the symbol fonts of Word have at these private code points."""
_CLEANED = {**_LIGATURES, **_BULLETS, 0xA0: " ", 0xAD: None, 0x200B: None, 0xFEFF: None}
_ACCENTED = re.compile("([¨´ˆ˜ˇ])([A-Za-zı])")
_COMBINING = dict(zip("¨´ˆ˜ˇ", "\u0308\u0301\u0302\u0303\u030c", strict=True))
"""TeX puts an accent in front of its letter as a sign of its own."""
_MONOSPACED = re.compile(
    rb"mono|courier|consol|menlo|typewriter|cmtt|inconsolata|(?:fira|source) ?code", re.I
)
_UPRIGHT = 0.1
"""Sine of half the angle, in which 0 and 360 degrees are the same."""
_SAME_LINE = 0.7
"""How much the heights of words in one line may differ, in sizes of the letters."""
_FIXED_PITCH = 1
"""Flag of a font descriptor (ISO 32000-1, table 123)."""
_LONGEST_FONT_NAME = 80
_MOST_UNKNOWN = 0.3
"""Share of signs that stand for no letter, from which on what can be read is no text."""
_NO_TITLE = re.compile(
    r"(?:untitled|microsoft (?:word|powerpoint)|slide \d|unknown).*|\S*"
    r"|.*\.(?:docx?|dvi|tex|indd|qxd|pptx?|xlsx?)",
    re.IGNORECASE,
)
_LONGEST_TITLE = 200
_WORD = re.compile(r"\w{3,}")
_TITLE_SEARCH = 5000
"""Characters in which the words of a title have to occur."""


def read(content: bytes) -> tuple[str, str, list[int]]:
    """Return the Markdown of a PDF, its title, which may be empty, and where each page starts in the text.

    Raises Unreadable.
    """
    tail = content.rstrip(b"\0 \r\n\t")[-_TAIL:]
    if b"%%EOF" not in tail and b"startxref" not in tail:
        raise Unreadable("cut_short")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Unreadable("encrypted" if is_locked else "damaged") from None
    if not len(document):
        raise Unreadable("no_pages")
    pages = [_page_lines(document, number) for number in range(len(document))]
    signs = "".join(line.text for lines in pages for line in lines)
    if not any(map(str.isalnum, signs)):
        raise Unreadable("scanned" if _shows_something(document) else "no_words")
    if sum(map(_is_unknown, signs)) > _MOST_UNKNOWN * len(signs):
        raise Unreadable("undeclared_letters")
    text, starts, largest = written(pages)
    given = " ".join(document.get_metadata_value("Title").translate(_CLEANED).split())
    return text, given if _is_title(given, text) else largest, starts


def _page_lines(document: pypdfium2.PdfDocument, number: int) -> list[Line]:
    try:
        page = document[number]
        if page.get_rotation() and _is_upright(page.get_textpage()):
            page.set_rotation(0)  # as it is shown, its text lies on its side or upside down
        lines = list(_lines(page.get_textpage(), page.get_rotation()))
    except pypdfium2.PdfiumError:
        raise Unreadable("bad_page", number=number + 1) from None
    page.close()  # and with it its text
    return lines


def _lines(textpage: pypdfium2.PdfTextPage, rotation: int) -> Iterator[Line]:
    """Yield the lines of a page in the order in which they were written into it."""
    text = textpage.get_text_range(errors="surrogatepass")
    start = units = 0
    while start < len(text):
        end = _LINE_END.search(text, start)
        content = text[start : end.start() if end else len(text)]
        line = _line(textpage, rotation, content, units)
        if line and line.is_turned:
            yield from _split(textpage, rotation, content, units) or [line]
        elif line:
            yield replace(line, is_broken=end is not None and end.group() in _BROKEN_WORD)
        units += _units(content) + (_units(end.group()) if end else 0)
        start = end.end() if end else len(text)


def _line(textpage: pypdfium2.PdfTextPage, rotation: int, content: str, units: int) -> Line | None:
    """Return text that begins `units` into the page's as a line; None when it is blank."""
    words = " ".join(_cleaned(content).split())
    if not words:
        return None
    places = (units + _units(content) - _units(content.lstrip()), units + _units(content.rstrip()) - 1)
    first, last = (raw.FPDFText_GetCharIndexFromTextIndex(textpage, place) for place in places)
    left, y, _ = _box(textpage, first, rotation)
    _, last_y, right = _box(textpage, last, rotation)
    size = sorted(_size(textpage, index) for index in (first, (first + last) // 2, last))[1]
    is_code = _is_monospaced(textpage, first) and _is_monospaced(textpage, last)
    return Line(words, left, right, y, size, is_code, is_turned=abs(last_y - y) > _SAME_LINE * size)


def _split(textpage: pypdfium2.PdfTextPage, rotation: int, content: str, units: int) -> list[Line]:
    """Return the lines in a text that PDFium took for one; none when every word has its own height."""
    pieces = re.findall(r"\s*\S+", content)
    lines: list[Line] = []
    begun, begun_units, at, height = "", units, units, 0.0
    for piece in pieces:
        word = _line(textpage, rotation, piece, at)
        if word and begun and abs(word.y - height) > _SAME_LINE * word.size:
            lines += filter(None, [_line(textpage, rotation, begun, begun_units)])
            begun, begun_units = "", at
        begun += piece
        height = word.y if word else height
        at += _units(piece)
    lines += filter(None, [_line(textpage, rotation, begun, begun_units)])
    return lines if len(lines) * 2 <= len(pieces) else []


def _is_upright(textpage: pypdfium2.PdfTextPage) -> bool:
    """Tell whether most letters of a page stand upright before the page is rotated."""
    angles = [raw.FPDFText_GetCharAngle(textpage, index) for index in range(0, textpage.count_chars(), 20)]
    return sum(abs(math.sin(angle / 2)) < _UPRIGHT for angle in angles) * 2 > len(angles)


def _box(textpage: pypdfium2.PdfTextPage, index: int, rotation: int) -> tuple[float, float, float]:
    """Return left, baseline and right of a sign on the page as it is shown, upwards and to the right."""
    x, y, box = ctypes.c_double(), ctypes.c_double(), raw.FS_RECTF()
    raw.FPDFText_GetCharOrigin(textpage, index, x, y)
    raw.FPDFText_GetLooseCharBox(textpage, index, box)
    match rotation:
        case 90:
            return box.bottom, -x.value, box.top
        case 180:
            return -box.right, -y.value, -box.left
        case 270:
            return -box.top, x.value, -box.bottom
        case _:
            return box.left, y.value, box.right


def _size(textpage: pypdfium2.PdfTextPage, index: int) -> float:
    matrix = raw.FS_MATRIX()
    scale = math.hypot(matrix.c, matrix.d) if raw.FPDFText_GetMatrix(textpage, index, matrix) else 1.0
    return float(raw.FPDFText_GetFontSize(textpage, index)) * scale


def _is_monospaced(textpage: pypdfium2.PdfTextPage, index: int) -> bool:
    name, flags = ctypes.create_string_buffer(_LONGEST_FONT_NAME), ctypes.c_int()
    length = raw.FPDFText_GetFontInfo(textpage, index, name, _LONGEST_FONT_NAME, flags)
    known = 0 < length <= _LONGEST_FONT_NAME and bool(_MONOSPACED.search(name.value))
    return known or bool(flags.value & _FIXED_PITCH)


def _units(text: str) -> int:
    """Return the length in UTF-16, in which PDFium counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cleaned(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    signs = _ACCENTED.sub(_composed, text.translate(_CLEANED))
    return "".join(
        sign for sign in signs if sign.isprintable() or sign.isspace() or unicodedata.category(sign) == "Co"
    )


def _composed(accented: re.Match[str]) -> str:
    accent, letter = accented.groups()
    return unicodedata.normalize("NFC", letter.replace("ı", "i") + _COMBINING[accent])


def _is_unknown(sign: str) -> bool:
    return sign == "\ufffd" or unicodedata.category(sign) == "Co"


def _shows_something(document: pypdfium2.PdfDocument) -> bool:
    """Tell whether a page holds a picture, or letters drawn as shapes."""
    return any(next(page.get_objects(max_depth=2), None) is not None for page in document)


def _is_title(given: str, text: str) -> bool:
    """Tell whether a title from the metadata is one: most of its words stand at the beginning."""
    if not given or len(given) > _LONGEST_TITLE or _NO_TITLE.fullmatch(given):
        return False
    seen = set(_WORD.findall(text[:_TITLE_SEARCH].lower()))
    words = _WORD.findall(given.lower())
    return bool(words) and sum(word in seen for word in words) * 2 > len(words)
