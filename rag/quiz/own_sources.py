"""Finds the sources that own questions name: a document by id or title, and the words quoted of it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from rag.quiz.form_gates import Failure
from rag.quiz_types import Evidence
from rag.storage.library import Library
from rag.text.markdown import blocks
from rag.text.quoting import Quoted
from rag.types import Document

MOST_AROUND = 1_500
"""Characters of a section on each side of a quote: options are compared with all of them."""


@dataclass(frozen=True)
class _Source:
    """A document with what looking for many quotes in it needs."""

    document: Document

    @cached_property
    def quoted(self) -> Quoted:
        """The text below the front matter."""
        return Quoted(self.document.text[self.document.body_start :])

    @cached_property
    def headings(self) -> list[int]:
        """Where sections begin."""
        found = blocks(self.document.text, self.document.body_start)
        return [block.start for block in found if block.kind == "heading"]


class OwnSources:
    """The documents that a person may read, by id or title; each is read and parsed once."""

    def __init__(self, library: Library, owner: str) -> None:
        self._library = library
        summaries = [one for one in library.summaries() if one.owner in ("", owner)]
        titles = {one.title.casefold(): one.id for one in summaries}
        self._ids = titles | {one.id: one.id for one in summaries}
        self._read: dict[str, _Source | None] = {}

    def named(self, name: str) -> Document | None:
        """Return the document with this id or title; None when there is none."""
        source = self._source(name)
        return source.document if source else None

    def find(self, name: str, quote: str) -> Evidence | Failure | None:
        """Return where the quote stands below the front matter, or what is wrong with it; None: no source."""
        if not name:
            return Failure("document", "it has a quote and names no document") if quote else None
        source = self._source(name)
        if source is None:
            return Failure("document", f"the library has no document {name[:60]!r}")
        if not quote:
            return Failure("quote", f"it names {name[:60]!r} and quotes nothing of it")
        document = source.document
        first = document.text.find(quote, document.body_start)
        if first >= 0:
            last = first + len(quote)
        elif span := source.quoted.locate(quote):
            first, last = (place + document.body_start for place in span)
        else:
            return Failure("quote", f"{name[:60]!r} does not say {quote[:60]!r}")
        return Evidence(document.id, document.title, first, last, document.text[first:last])

    def section(self, evidence: Evidence | None) -> str:
        """Return what stands around the evidence between headings; empty without evidence."""
        source = self._source(evidence.document_id) if evidence else None
        if source is None or evidence is None:
            return ""
        document, headings = source.document, source.headings
        above, below = bisect_right(headings, evidence.start), bisect_right(headings, evidence.end - 1)
        start = headings[above - 1] if above else document.body_start
        end = headings[below] if below < len(headings) else len(document.text)
        return document.text[max(start, evidence.start - MOST_AROUND) : min(end, evidence.end + MOST_AROUND)]

    def _source(self, name: str) -> _Source | None:
        document_id = self._ids.get(name) or self._ids.get(name.casefold())
        if document_id is None:
            return None
        if document_id not in self._read:
            document = self._library.document(document_id)
            self._read[document_id] = _Source(document) if document else None
        return self._read[document_id]
