"""Addresses inside the app: the sentence of a source, a document, a conversation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode, urlsplit

SOURCES = "/sources"
_NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link into the sources points."""

    document_id: str
    start: int | None = None
    """Offset of the first marked character; None: nothing is marked."""
    end: int | None = None
    check: str = ""
    """Fingerprint of the words that were cited; empty when the link has none."""

    def holds_in(self, text: str) -> bool:
        """Tell whether `text` still has the cited words at this place."""
        if self.start is None or self.end is None or not self.start < self.end <= len(text):
            return False
        return not self.check or fingerprint(text[self.start : self.end]) == self.check


def fingerprint(words: str) -> str:
    """Return 8 hexadecimal digits that change when the words change."""
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def source_params(document_id: str, start: int, end: int, words: str) -> dict[str, str]:
    """Return the query of a link to characters `start` to `end`, which are `words`."""
    return {"doc": document_id, "start": str(start), "end": str(end), "check": fingerprint(words)}


def source_url(document_id: str, start: int, end: int, words: str) -> str:
    """Return the address that opens a document with these words marked."""
    query = urlencode(source_params(document_id, start, end, words), quote_via=quote, safe="")
    return f"{SOURCES}?{query}"


def place(query: Mapping[str, str]) -> Place | None:
    """Read the place from the address; None when it names no document.

    An offset that is not a number is an offset that does not fit: nothing will be marked.
    """
    document_id = query.get("doc", "")
    if not document_id:
        return None
    if "start" not in query and "end" not in query:
        return Place(document_id)
    start, end = (
        int(text) if _NUMBER.fullmatch(text) else -1
        for text in (query.get("start", ""), query.get("end", ""))
    )
    return Place(document_id, start, end, query.get("check", ""))


def own_source_url(href: str) -> str | None:
    """Return an address of our own sources page, rebuilt from its parts; None for any other."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or parts.path != SOURCES or parts.fragment:
        return None
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = place(query)
    if found is None:
        return None
    names: tuple[str, ...] = ("doc", "start", "end", "check")
    kept = {name: query[name] for name in names if name in query}
    return f"{SOURCES}?{urlencode(kept, quote_via=quote, safe='')}"
