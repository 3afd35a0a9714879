"""Turns bytes into text, whatever their encoding."""

from __future__ import annotations

import codecs
import re

_BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENOUGH_TO_GUESS = 30
"""Bytes beyond ASCII below which a guess at the encoding is worse than assuming Windows-1252."""
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
_CHARSET_SEARCH = 4096
"""Bytes in which a page must declare its encoding; browsers look at 1024."""
_READ_AS_CP1252 = frozenset("ascii us-ascii iso-8859-1 iso8859-1 latin1 latin-1 l1".split())
"""As browsers do: Windows-1252 only adds to these ("Encoding", WHATWG)."""


def text_of(content: bytes, declared: str = "") -> str | None:
    """Return `content` as text with \\n line ends and no byte order mark; None when it is not text.

    `declared` is the encoding that the content claims to have; it counts when the bytes don't show theirs.
    """
    text = _decoded(content, declared)
    if text is None or "\0" in text or len(_CONTROL.findall(text)) * 100 > len(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def declared_encoding(page: bytes) -> str:
    """Return the encoding that an HTML page says it has; empty when it says none that is known."""
    found = _CHARSET.search(page[:_CHARSET_SEARCH])
    name = found.group(1).decode("ascii", "ignore").lower() if found else ""
    if name in _READ_AS_CP1252:
        return "cp1252"
    try:
        b"".decode(name or "unknown")
    except (LookupError, ValueError):
        return ""
    return name


def _decoded(content: bytes, declared: str) -> str | None:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    for name in (encoding, declared):
        try:
            if name:
                return content.decode(name)
        except UnicodeError:
            pass
    if b"\0" in content or content.startswith(b"%PDF-"):
        return None
    non_ascii = len(content) - len(content.decode("ascii", "ignore"))
    if non_ascii < _ENOUGH_TO_GUESS and non_ascii * 2 < len(content):
        return content.decode("cp1252", "replace")
    from charset_normalizer import from_bytes  # takes long to import and is seldom needed

    best = from_bytes(content).best()
    return str(best) if best else None
