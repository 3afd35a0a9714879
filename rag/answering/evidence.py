"""Finds in one document everything that an answer rests on, as far as it still stands there."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types import Answer, Citation, Document, Hit, Span


@dataclass(frozen=True, slots=True)
class CitedPlace:
    """A sentence that an answer cites, once however often it is cited."""

    document_id: str
    title: str
    start: int
    end: int
    quote: str
    markers: tuple[int, ...]
    """The numbers it has in the answer, ascending."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What of a document an answer was made of. All spans still hold the words they held then."""

    cited: tuple[CitedPlace, ...]
    """By place in the document."""
    gone: tuple[CitedPlace, ...]
    """Cited sentences that the document no longer has at their place."""
    elsewhere: tuple[CitedPlace, ...]
    """Cited sentences of other documents, in the order of the answer."""
    sent: tuple[Span, ...]
    """Sentences that the model was given, or that stood to choice for quoting."""
    found: tuple[Span, ...]
    """Passages that the answer could use."""
    aside: tuple[Span, ...]
    """Passages that were found and set aside."""


def evidence_in(answer: Answer, document: Document) -> Evidence:
    """Return what the answer took from the document."""
    places = _cited(answer)
    here = [place for place in places if place.document_id == document.id]
    hits = [hit for hit in answer.retrieval.hits if _stands(hit, document)] if answer.retrieval else []
    found = [Span(hit.chunk.start, hit.chunk.end) for hit in hits if hit.cut is None]
    return Evidence(
        cited=tuple(place for place in sorted(here, key=_by_place) if _reads(document, place)),
        gone=tuple(place for place in sorted(here, key=_by_place) if not _reads(document, place)),
        elsewhere=tuple(place for place in places if place.document_id != document.id),
        sent=tuple(
            Span(sent.start, sent.end)
            for sent in answer.sent
            if sent.document_id == document.id
            and any(span.start <= sent.start and sent.end <= span.end for span in found)
        ),
        found=tuple(found),
        aside=tuple(Span(hit.chunk.start, hit.chunk.end) for hit in hits if hit.cut is not None),
    )


def places_of(document: Document, words: str) -> list[Span]:
    """Return where exactly these words stand in the document, in order; overlapping ones are all listed."""
    places: list[Span] = []
    at = document.text.find(words, document.body_start) if words else -1
    while at >= 0:
        places.append(Span(at, at + len(words)))
        at = document.text.find(words, at + 1)
    return places


def _cited(answer: Answer) -> list[CitedPlace]:
    by_place: dict[tuple[str, int, int], list[Citation]] = {}
    for cited in answer.citations:
        by_place.setdefault((cited.document_id, cited.start, cited.end), []).append(cited)
    return [
        CitedPlace(
            document_id,
            of_place[0].title,
            start,
            end,
            of_place[0].quote,
            tuple(sorted(cited.marker for cited in of_place)),
        )
        for (document_id, start, end), of_place in by_place.items()
    ]


def _by_place(place: CitedPlace) -> tuple[int, int]:
    return place.start, place.end


def _reads(document: Document, place: CitedPlace) -> bool:
    return document.text[place.start : place.end] == place.quote


def _stands(hit: Hit, document: Document) -> bool:
    """Tell whether a passage is of the document and still reads as it did."""
    chunk = hit.chunk
    return chunk.document_id == document.id and document.text[chunk.start : chunk.end] == chunk.text != ""
