"""Builds files that are damaged, mislabelled or made to exhaust what reads them. All are quick to build."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONSHIPS = (
    '<?xml version="1.0"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r" Target="word/document.xml" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
)
TRICKY_NAMES = (
    "../../etc/passwd.md",
    "/etc/passwd.md",
    "..\\..\\windows\\system32\\drivers.md",
    "\\\\server\\share\\secret.md",
    "C:\\Users\\me\\notes.md",
    "C:notes.md",
    "a\0b.md",
    "\u202egpj.exe.md",
    "in\u200bvisible\u2066.md",
    "line\nbreak\r.md",
    "x" * 4096 + ".md",
    "CON.md",
    "nul",
    "..",
    ".",
    "",
    " ",
    "/",
    "<script>alert(1)</script>.md",
    "[link](javascript:alert(1)).md",
    "\ud800.md",
    "uploads.other.md",
)
"""Names that try to be a path, a device or markup, or to look like another name."""


EXHAUSTING = "could not be read: it is damaged or made to exhaust the reader."
TOO_LONG = "holds more than 4,000,000 characters of text, which is the limit."


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file and what is said of it."""

    name: str
    build: Callable[[], bytes]
    says: str
    """What follows its name in the error; empty when the file is read all the same."""


def pdf(objects: Iterable[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of numbered objects; the first is its catalog."""
    written = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(offsets) + 1, trailer)
    return bytes(written + b"startxref\n%d\n%%%%EOF\n" % start)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object of already encoded content."""
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(content), content)


def text_pdf(*pages: str) -> bytes:
    """Return a PDF with one line of text a page (Latin letters)."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        escaped = text.encode("latin-1").translate(None, b"()\\")
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> >> >>" % (5 + 2 * number),
            stream(b"BT /F 12 Tf 72 700 Td (%b) Tj ET" % escaped),
        ]
    return pdf(objects)


def docx(body: str, **parts: str | bytes) -> bytes:
    """Return a Word document with this XML inside its body; other parts by their names."""
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELATIONSHIPS,
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
        **parts,
    }
    return archive(files)


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """Return a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


@cache
def encrypted_pdf() -> bytes:
    """Return a PDF that opens with a password alone."""
    from fpdf import FPDF

    page = FPDF()
    page.set_encryption(owner_password="owner", user_password="user")
    page.add_page()
    page.set_font("helvetica", size=12)
    page.cell(text="Secret text.")
    return bytes(page.output())


def truncated_pdf() -> bytes:
    """Return the first half of a PDF."""
    whole = text_pdf(*("Only half of this arrives." for _ in range(20)))
    return whole[: len(whole) // 2]


def scanned_pdf() -> bytes:
    """Return a PDF whose page is one picture."""
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R"
            b" /Resources << /XObject << /P 4 0 R >> >> >>",
            stream(
                zlib.compress(bytes(100 * 100)),
                b"/Type /XObject /Subtype /Image /Width 100 /Height 100 /ColorSpace /DeviceGray"
                b" /BitsPerComponent 8 /Filter /FlateDecode",
            ),
            stream(b"q 612 0 0 792 0 0 cm /P Do Q"),
        ]
    )


def looping_pdf() -> bytes:
    """Return a PDF whose page tree holds itself."""
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Parent 2 0 R /Count 1000000 >>",
        ]
    )


def inflating_pdf() -> bytes:
    """Return a PDF of 2 MB whose page unpacks to 2 GB of white space, a thousand times as much."""
    piece, count = b" " * 2**20, 256
    packer = zlib.compressobj(9)
    first = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)  # repeats as it is, without a header
    check = 1
    for _ in range(count):
        check = zlib.adler32(piece, check)
    packed = first + again * (count - 1) + b"\3\0" + struct.pack(">I", check)
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents [%b] /Resources << >> >>"
            % b" ".join(b"4 0 R" for _ in range(8)),
            stream(packed, b"/Filter /FlateDecode"),
        ]
    )


def noise_pdf() -> bytes:
    """Return what begins and ends like a PDF, with nothing that makes sense between."""
    return b"%PDF-1.7\n" + bytes(range(256)) * 99 + b"\nstartxref\n9\n%%EOF"


def old_word() -> bytes:
    """Return the beginning of a Word document as it was saved before 2007."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le")


def zip_bomb() -> bytes:
    """Return a Word document of 1 MB that unpacks to 256 MB."""
    buffer = io.BytesIO(docx("<w:p/>"))
    piece = bytes(2**20)
    zipped = zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1)
    with zipped, zipped.open("word/a.xml", "w") as part:
        for _ in range(256):
            part.write(piece)
    return buffer.getvalue()


def billion_laughs() -> bytes:
    """Return a Word document whose XML entities expand to a billion words."""
    names = "abcdefghij"
    entities = '<!ENTITY a "laugh ">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise(names)
    )
    document = (
        f'<?xml version="1.0"?><!DOCTYPE w:document [{entities}]><w:document xmlns:w="{WORD}">'
        "<w:body><w:p><w:r><w:t>&j;</w:t></w:r></w:p></w:body></w:document>"
    )
    return docx("", **{"word/document.xml": document})


def png() -> bytes:
    """Return a picture of one grey point."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def million_rows() -> bytes:
    """Return a CSV file with a head and a million rows."""
    return b"name,value\n" + b"a,1\n" * 1_000_000


def nested_list(depth: int) -> bytes:
    """Return Markdown whose every line is a list in the list before."""
    return "".join("  " * level + "- item\n" for level in range(depth)).encode()


HOSTILE = (
    Hostile("empty.pdf", lambda: b"", "is empty."),
    Hostile("blank.txt", lambda: b" \n\t\n", "has no text."),
    Hostile("locked.pdf", encrypted_pdf, "needs a password."),
    Hostile("half.pdf", truncated_pdf, "is damaged: its end is missing."),
    Hostile("scan.pdf", scanned_pdf, "is scanned: it holds pictures of pages, no text."),
    Hostile("loop.pdf", looping_pdf, "can't be read: its page 1 is damaged."),
    Hostile("noise.pdf", noise_pdf, "can't be read: it is damaged."),
    Hostile("inflating.pdf", inflating_pdf, EXHAUSTING),
    Hostile("zip.pdf", lambda: archive({"a.txt": "a"}), "is a ZIP archive, which can't be read."),
    Hostile("picture.txt", png, "is a picture (PNG), which can't be read."),
    Hostile("old.docx", old_word, "is an old Word document (.doc), which can't be read."),
    Hostile("sheet.docx", lambda: archive({"xl/a.xml": ""}), "is an Excel workbook, which can't be read."),
    Hostile("rich.txt", lambda: b"{\\rtf1 Text.}", "is an RTF document, which can't be read."),
    Hostile("half.docx", lambda: docx("<w:p/>")[:-90], "is damaged: its end is missing."),
    Hostile("broken.docx", lambda: docx("<w:p>"), "can't be read: it is damaged."),
    Hostile(
        "bomb.docx",
        zip_bomb,
        "would unpack to more than 200 MB: it is damaged or made to exhaust the reader.",
    ),
    Hostile(
        "laughs.docx",
        billion_laughs,
        "declares XML entities, which no Word document needs: it is made to exhaust the reader.",
    ),
    Hostile("deep.docx", lambda: docx("<w:tbl><w:tr><w:tc>" * 20_000), "can't be read: it is damaged."),
    Hostile("line.txt", lambda: b"word " * 2_000_000, TOO_LONG),
    Hostile("rows.csv", million_rows, "has 1,000,000 rows; the limit is 5,000."),
    Hostile("deep.html", lambda: b"<div>" * 50_000 + b"Deep.", "is nested more than 500 levels deep."),
    Hostile("quotes.md", lambda: b">" * 20_000 + b" Deep.", "has no text."),
    Hostile("brackets.md", lambda: b"[" * 20_000 + b"Deep.", ""),
    Hostile("lists.md", lambda: nested_list(1000), ""),
    Hostile("binary.md", lambda: bytes(range(256)) * 9, "is not a text file."),
    Hostile("latin.txt", lambda: "Café à la crème, s'il vous plaît.".encode("latin-1"), ""),
    Hostile("wide.txt", lambda: "Grüße aus Köln.".encode("utf-16"), ""),
)
