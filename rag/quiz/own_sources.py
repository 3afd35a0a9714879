"""Finds the sources that own questions name: a document by id or title, and the words quoted of it."""

from __future__ import annotations

from collections.abc import Iterator

from rag.quiz.form_gates import Failure
from rag.quiz.validation import section_with
from rag.quiz_types import Evidence
from rag.storage.library import Library
from rag.text.quoting import locate
from rag.types import Document


class OwnSources:
    """The documents that a person may read, by id or title; each is read once."""

    def __init__(self, library: Library, owner: str) -> None:
        self._library = library
        summaries = [one for one in library.summaries() if one.owner in ("", owner)]
        titles = {one.title.casefold(): one.id for one in summaries}
        self._ids = titles | {one.id: one.id for one in summaries}
        self._read: dict[str, Document | None] = {}

    def named(self, name: str) -> Document | None:
        """Return the document with this id or title; None when there is none."""
        document_id = self._ids.get(name) or self._ids.get(name.casefold())
        if document_id is None:
            return None
        if document_id not in self._read:
            self._read[document_id] = self._library.document(document_id)
        return self._read[document_id]

    def faults(self, name: str, quote: str) -> Iterator[Failure]:
        """Yield what is wrong with a source; without document and quote there is nothing wrong."""
        if not name and quote:
            yield Failure("document", "it has a quote and names no document")
        elif name and self.named(name) is None:
            yield Failure("document", f"the library has no document {name[:60]!r}")
        elif name and not quote:
            yield Failure("quote", f"it names {name[:60]!r} and quotes nothing of it")
        elif name and self.find(name, quote) is None:
            yield Failure("quote", f"{name[:60]!r} does not say {quote[:60]!r}")

    def find(self, name: str, quote: str) -> Evidence | None:
        """Return where the quote stands below the front matter; None when it stands nowhere."""
        document = self.named(name)
        if document is None or not quote:
            return None
        body = document.text[document.body_start :]
        start = body.find(quote)
        span = (start, start + len(quote)) if start >= 0 else locate(quote, body)
        if span is None:
            return None
        first, last = (place + document.body_start for place in span)
        return Evidence(document.id, document.title, first, last, document.text[first:last])

    def section(self, evidence: Evidence | None) -> str:
        """Return the section that holds the evidence; empty without evidence."""
        document = self.named(evidence.document_id) if evidence else None
        if document is None or evidence is None:
            return ""
        return section_with(document, evidence.quote) or document.text
