"""Draws passages that a search found: one line each, which opens to read them in place."""

from __future__ import annotations

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.links import lab_params, source_params
from pages.sources import telling
from rag.types import Hit


def draw_hit(hit: Hit, told: str, *, key: str, number: str = "", query: str = "", trace: str = "") -> None:
    """Draw one passage.

    told: what its line says behind its name, Markdown that is safe to show. number: its place; empty: its
    rank. query: leads on to where this passage stands in a search for it. trace: of the answer whose
    evidence the reader is to mark.
    """
    name = sanitise.label(telling.passage(hit.title, hit.chunk.heading_path))
    with st.expander(f"{number or f'{hit.rank}.'} **{name}** {told}", type="compact", key=key):
        places = [wording.ranks(hit), wording.scores(hit), wording.count(hit.chunk.tokens, "token")]
        if hit.matched_terms:
            places.insert(1, "shared words: " + ", ".join(hit.matched_terms))
        st.caption(sanitise.label(" · ".join(places)))
        st.markdown(sanitise.markdown(hit.chunk.text), anchors=False)
        with st.container(horizontal=True, gap="medium"):
            st.page_link(
                SOURCES_PAGE,
                label="Open in the reader",
                icon=":material/menu_book:",
                query_params=source_params(
                    hit.chunk.document_id, hit.chunk.start, hit.chunk.end, hit.chunk.text, trace
                ),
            )
            if query:
                st.page_link(
                    SOURCES_PAGE,
                    label="Follow it through the search",
                    icon=":material/route:",
                    query_params=lab_params(query, chunk=hit.chunk.id),
                )
