"""Tells what a file is from its bytes; its name only tells kinds of text apart."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rag.ingestion.parsing.reasons import Unreadable

if TYPE_CHECKING:
    from rag.types import Format

_AS_PDF = "Save it as PDF."
_AS_DOCX = "Save it as DOCX or PDF."
_AS_CSV = "Save the sheet as CSV."
_UNPACK = "Unpack it and use the files inside."
_OCR = "Run text recognition (OCR) on it and save the result as PDF or text."
_NO_DOCUMENT = "Export what it says as text."

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a picture (PNG)", _OCR),
    (0, b"\xff\xd8\xff", "a picture (JPEG)", _OCR),
    (0, b"GIF8", "a picture (GIF)", _OCR),
    (0, b"II*\0", "a picture (TIFF)", _OCR),
    (0, b"MM\0*", "a picture (TIFF)", _OCR),
    (8, b"WEBP", "a picture (WebP)", _OCR),
    (4, b"ftyphei", "a picture (HEIC)", _OCR),
    (4, b"ftypavif", "a picture (AVIF)", _OCR),
    (0, b"\0\0\1\0", "an icon", _OCR),
    (4, b"ftyp", "a video or sound recording", "Use its transcript."),
    (8, b"WAVE", "a sound recording", "Use its transcript."),
    (0, b"ID3", "a sound recording", "Use its transcript."),
    (0, b"OggS", "a sound recording", "Use its transcript."),
    (0, b"{\\rtf", "an RTF document", _AS_DOCX),
    (0, b"%!PS", "a PostScript file", _AS_PDF),
    (0, b"AT&TFORM", "a DjVu document", _AS_PDF),
    (60, b"BOOKMOBI", "an e-book (MOBI)", "Convert it to PDF or HTML."),
    (0, b"From: <Saved by ", "a web archive (MHTML)", "Save the page as “HTML only”."),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"BZh", "a bzip2 archive", _UNPACK),
    (0, b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x7fELF", "a program", _NO_DOCUMENT),
    (0, b"\xca\xfe\xba\xbe", "a program", _NO_DOCUMENT),
    (0, b"\xcf\xfa\xed\xfe", "a program", _NO_DOCUMENT),
    (0, b"\0asm", "a program (WebAssembly)", _NO_DOCUMENT),
    (0, b"SQLite format 3\0", "an SQLite database", "Export its tables as CSV."),
    (0, b"PAR1", "a Parquet file", "Export it as CSV."),
    (0, b"\x93NUMPY", "a NumPy array", _NO_DOCUMENT),
    (0, b"GGUF", "a language model (GGUF)", _NO_DOCUMENT),
)
"""Offset, the bytes there, what the file is, what to do."""
_WRITTEN = (b"{\\rtf", b"%!PS", b"From: <Saved by ")
"""The formats among them whose files are text; all others hold a zero byte near their start."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_KINDS = (
    ("WordDocument", "an old Word document (.doc)", _AS_DOCX),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt)", _AS_PDF),
    ("Workbook", "an old Excel workbook (.xls)", _AS_CSV),
    ("__nameid_version1.0", "an Outlook message", "Save it as text or PDF."),
)
_ZIP_KINDS = (
    ("xl/", "an Excel workbook", _AS_CSV),
    ("ppt/", "a PowerPoint presentation", _AS_PDF),
    ("META-INF/container.xml", "an e-book (EPUB)", "Convert it to PDF or HTML."),
    ("Index/Document.iwa", "an Apple Pages document", _AS_DOCX),
    ("Index/Presentation.iwa", "an Apple Keynote presentation", _AS_PDF),
    ("content.xml", "an OpenDocument file", "Save it as DOCX, PDF or CSV."),
)
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s|<\?xml[^>]{0,200}\?>|<!--.{0,2000}?-->)*"
    rb"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 8192
_TAIL = 2048
_BY_SUFFIX: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".csv": "csv",
    ".tsv": "csv",
}


def format_of(content: bytes, suffix: str) -> Format:
    """Return the format of a file with the name ending `suffix`; text of no known kind is plain text.

    Raises Unreadable for what is known not to be readable; what is returned may still turn out not to be.
    """
    start = content[:_HEAD]
    if start.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"%PDF-") or _is_late_pdf(content):
        return "pdf"
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip_format(content, suffix)
    if start.startswith(_OLE):
        raise _ole_kind(content)
    for offset, magic, kind, advice in _MAGIC:
        if not start.startswith(magic, offset) or (offset == 8 and not start.startswith(b"RIFF")):
            continue
        is_binary = not magic.isascii() or b"\0" in start  # a text may begin with the word GGUF
        if is_binary or magic in _WRITTEN:
            raise Unreadable("other_kind", kind=kind, advice=advice)
    if start.startswith(b"MZ") and b"\0" in start:
        raise Unreadable("other_kind", kind="a program", advice=_NO_DOCUMENT)
    if start.startswith(b"BM") and start[6:10] == b"\0\0\0\0":
        raise Unreadable("other_kind", kind="a picture (BMP)", advice=_OCR)
    if _PAGE.match(start.replace(b"\0", b"")):  # without the zero bytes of UTF-16
        return "html"
    return _BY_SUFFIX.get(suffix, "text")


def _is_late_pdf(content: bytes) -> bool:
    """Tell whether a PDF begins after other bytes, as readers allow it to within the first 1024."""
    return b"%PDF-" in content[:1024] and b"startxref" in content[-_TAIL:] and b"%%EOF" in content[-_TAIL:]


def _zip_format(content: bytes, suffix: str) -> Format:
    import zipfile  # takes longer than sniffing all else

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        raise Unreadable("cut_short" if b"PK\5\6" not in content else "damaged") from None
    if "word/document.xml" in names or ("[Content_Types].xml" in names and suffix == ".docx"):
        return "docx"
    for sign, kind, advice in _ZIP_KINDS:
        if any(name.startswith(sign) for name in names):
            raise Unreadable("other_kind", kind=kind, advice=advice)
    raise Unreadable("other_kind", kind="a ZIP archive", advice=_UNPACK)


def _ole_kind(content: bytes) -> Unreadable:
    if "EncryptedPackage".encode("utf-16-le") in content:  # a DOCX with a password
        return Unreadable("encrypted")
    for name, kind, advice in _OLE_KINDS:
        if name.encode("utf-16-le") in content:
            return Unreadable("other_kind", kind=kind, advice=advice)
    return Unreadable("other_kind", kind="an old Office document", advice=_AS_DOCX)
