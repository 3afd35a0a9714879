"""Addresses inside the app: a document, the words of a source that an answer rests on, a search."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode, urlsplit

SOURCES = "/sources"
_NUMBER = re.compile(r"\d{1,9}")
_TRACE = re.compile(r"[0-9A-Za-z-]{0,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link into the sources points."""

    document_id: str
    start: int | None = None
    """Offset of the first marked character; None: nothing is marked."""
    end: int | None = None
    check: str = ""
    """Fingerprint of the words that were cited; empty when the link has none."""
    trace: str = ""
    """Trace id of the answer whose evidence is shown; empty: only the place itself is marked."""

    def holds_in(self, text: str) -> bool:
        """Tell whether `text` still has the cited words at this place."""
        if self.start is None or self.end is None or not self.start < self.end <= len(text):
            return False
        return not self.check or fingerprint(text[self.start : self.end]) == self.check


def fingerprint(words: str) -> str:
    """Return 8 hexadecimal digits that change when the words change."""
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def source_params(document_id: str, start: int, end: int, words: str, trace: str = "") -> dict[str, str]:
    """Return the query of a link to characters `start` to `end`, which are `words`.

    trace: the id of the answer that rests on them, to show all its evidence in the document.
    """
    query = {"doc": document_id, "start": str(start), "end": str(end), "check": fingerprint(words)}
    return query | ({"trace": trace} if trace else {})


def source_url(document_id: str, start: int, end: int, words: str, trace: str = "") -> str:
    """Return the address that opens a document with these words marked."""
    return _url(source_params(document_id, start, end, words, trace))


def lab_params(query: str = "", *, trace: str = "", chunk: str = "") -> dict[str, str]:
    """Return the query of a link to the retrieval lab: a search to run, or the stored one of an answer.

    chunk: the id of a passage whose way through the search is shown.
    """
    given = {"q": query, "trace": trace, "chunk": chunk}
    return {"view": "lab"} | {name: value for name, value in given.items() if value}


def place(query: Mapping[str, str]) -> Place | None:
    """Read the place from the address; None when it names no document.

    An offset that is not a number is an offset that does not fit: nothing will be marked.
    """
    document_id = query.get("doc", "")
    if not document_id:
        return None
    trace = query.get("trace", "")
    if not _TRACE.fullmatch(trace):
        trace = ""
    if "start" not in query and "end" not in query:
        return Place(document_id, trace=trace)
    start, end = (
        int(text) if _NUMBER.fullmatch(text) else -1
        for text in (query.get("start", ""), query.get("end", ""))
    )
    return Place(document_id, start, end, query.get("check", ""), trace)


def own_source_url(href: str) -> str | None:
    """Return an address of our own sources page, rebuilt from its parts; None for any other."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or parts.path != SOURCES or parts.fragment:
        return None
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = place(query)
    if found is None:
        return None
    names: tuple[str, ...] = ("doc", "start", "end", "check", "trace")
    return _url({name: query[name] for name in names if name in query})


def _url(query: Mapping[str, str]) -> str:
    return f"{SOURCES}?{urlencode(query, quote_via=quote, safe='')}"
