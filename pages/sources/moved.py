"""Says which cited words a document no longer has at their place, what they were, and where they are now."""

from __future__ import annotations

import streamlit as st

from pages.shared import links, people, sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.sources import marking
from pages.sources.marking import Told
from rag.answering.evidence import places_of
from rag.services import Services
from rag.types import Document

QUOTED = 600
"""Characters of a quote that are shown."""


def draw(ready: Services, document: Document, place: links.Place, told: Told | None) -> None:
    """Draw what is to be said about a document that has changed since it was cited; nothing if it has not."""
    if place.start is not None and not marking.stands(document, place):
        with st.container(gap="xsmall", key="sources_gone"):
            st.warning(
                "The cited words are no longer at this place: the document has changed since the answer was "
                "written. Nothing is marked there.",
                icon=":material/history:",
            )
            if quote := _stored_quote(ready, document, place, told):
                _draw_quote(document, quote, place.trace)
    gone = told.evidence.gone if told else ()
    others = [one for one in gone if (one.start, one.end) != (place.start, place.end)]
    if not others:
        return
    sentences = wording.count(len(others), "cited sentence is", "cited sentences are")
    with st.expander(
        f"{sentences} no longer at the place where the answer found them", icon=":material/history:"
    ):
        for one in others:
            with st.container(gap="xsmall"):
                _draw_quote(document, one.quote, place.trace)


def _stored_quote(ready: Services, document: Document, place: links.Place, told: Told | None) -> str:
    """Return the words that a link pointed at, as an answer stored them; empty when none did."""
    known = [(one.start, one.end, one.quote) for one in ready.citations.of(document.id, people.reader())]
    if told is not None and told.answer.retrieval is not None:
        chunks = [hit.chunk for hit in told.answer.retrieval.hits if hit.chunk.document_id == document.id]
        known += [(chunk.start, chunk.end, chunk.text) for chunk in chunks]
    fitting = (
        words
        for start, end, words in known
        if (start, end) == (place.start, place.end) and place.check in ("", links.fingerprint(words))
    )
    return next(fitting, "")


def _draw_quote(document: Document, quote: str, trace: str) -> None:
    """Draw words that are gone; where they stand now is offered, and only if there is no doubt about it."""
    st.markdown(f"They were: “{sanitise.label(sanitise.plain(quote)[:QUOTED])}”")
    now = places_of(document, quote)
    if len(now) == 1:
        st.page_link(
            SOURCES_PAGE,
            label="Open where these words stand now",
            icon=":material/my_location:",
            query_params=links.source_params(document.id, now[0].start, now[0].end, quote, trace),
        )
    elif now:
        st.caption(f"The same words stand at {len(now)} places of the document now.")
    else:
        st.caption("The document does not have these words any more.")
