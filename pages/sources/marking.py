"""Chooses what is marked in an open document: the words of the link, and all evidence of an answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from pages.shared.links import Place
from pages.shared.reading import Layer, Mark
from rag.answering.evidence import Evidence
from rag.types import Answer, Document, Span

LONG, PART = 300_000, 150_000
"""A document of more than LONG characters is shown in parts of PART, so that the browser stays quick."""


class Told(NamedTuple):
    """A stored answer, where it was given, and what of the open document it rests on."""

    conversation_id: str
    question: str
    answer: Answer
    evidence: Evidence


def marks(evidence: Evidence | None, place: Place | None, layers: Collection[Layer]) -> list[Mark]:
    """Return what to mark; offsets count in the text of the document.

    place: None when its words are gone. layers: the ones to show.
    """
    found: list[Mark] = []
    if evidence is not None:
        spans: tuple[tuple[Layer, tuple[Span, ...]], ...] = (
            ("aside", evidence.aside),
            ("found", evidence.found),
            ("sent", evidence.sent),
        )
        found += [Mark(s.start, s.end, layer) for layer, of in spans if layer in layers for s in of]
        if "cited" in layers:
            found += [Mark(c.start, c.end, "cited", c.markers) for c in evidence.cited]
    if place is not None and place.start is not None and place.end is not None:
        found.append(Mark(place.start, place.end))
    return found


def stands(document: Document, place: Place) -> bool:
    """Tell whether the words that a link points at are where it says."""
    return place.start is not None and place.start >= document.body_start and place.holds_in(document.text)


def part(document: Document, place: Place | None, moved: int) -> Span | None:
    """Return which characters of a long document to show; None: all of it.

    That is the part around the marked words, or the one `moved` parts after it (before it if negative).
    """
    first, last = document.body_start, len(document.text)
    if last - first <= LONG:
        return None
    middle = first if place is None or place.start is None else place.start
    start = max(first, middle - PART // 2) + moved * PART
    start = max(first, min(start, last - 1))
    return Span(start, min(last, start + PART))
