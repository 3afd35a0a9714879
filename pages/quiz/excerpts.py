"""Draws the words of a source: a quote with its link, or the passage around it with the quote marked."""

from __future__ import annotations

import streamlit as st

from pages.shared import people, reading, sanitise
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.links import source_params
from rag.quiz_types import Evidence
from rag.services import Services

AROUND, TABLE_AROUND = 450, 3_000
"""Characters before and after a quote that are shown at most; a longer passage is cut between sentences.

A table needs its head, so more of it is shown.
"""
_ENDS = ("\n\n", "\n", ". ", " ")
"""Where a passage may begin or end, best first."""


def quotation(quote: str) -> str:
    """Return the words of a source as Markdown that shows them in quotation marks."""
    return f"“{sanitise.label(sanitise.plain(quote))}”"


def draw_quote(evidence: Evidence) -> None:
    """Draw a quote and the link to its place in the source."""
    st.markdown(quotation(evidence.quote))
    draw_link(evidence)


def draw_link(evidence: Evidence, label: str = "") -> None:
    """Draw the link to a quote in its source; the label is the source's title if none is given."""
    st.page_link(
        SOURCES_PAGE,
        label=sanitise.label(label or evidence.title),
        icon=":material/menu_book:",
        query_params=source_params(evidence.document_id, evidence.start, evidence.end, evidence.quote),
    )


def draw_excerpt(services: Services, evidence: Evidence) -> None:
    """Draw the passage around a quote, marked as in the reader; the quote alone where it is gone."""
    with st.container(border=True, gap="small"):
        st.caption(f"The source: {sanitise.label(evidence.title)}")
        passage = excerpt(services, evidence)
        if passage:
            st.html(f'<article class="viva-page viva-excerpt">{passage}</article>')
        else:
            st.markdown(quotation(evidence.quote))
            st.caption("The document has changed since, or is gone: these are its words when you were asked.")
        draw_link(evidence, "Open in sources")


def excerpt(services: Services, evidence: Evidence) -> str:
    """Return the passage as HTML with the quote marked; empty where the words don't stand there any more."""
    document = services.document(evidence.document_id)
    if document is None or not people.may_read(document.owner):
        return ""
    text = document.text
    if text[evidence.start : evidence.end] != evidence.quote:
        return ""
    line = text[text.rfind("\n", 0, evidence.start) + 1 : evidence.end]
    reach = TABLE_AROUND if line.lstrip().startswith("|") else AROUND
    start = _start(text, evidence.start, reach, document.body_start)
    end = _end(text, evidence.end, reach)
    mark = reading.Mark(evidence.start - start, evidence.end - start, "cited")
    return reading.layers(text[start:end], [mark], is_plain=document.format == "text").html


def _start(text: str, quote: int, reach: int, body: int) -> int:
    """Return where the passage begins: with the block of the quote if that fits."""
    first = max(body, quote - reach)
    for end in _ENDS:
        found = text.find(end, first, quote) if end == ". " else text.rfind(end, first, quote)
        if found >= 0:
            return found + len(end)
        if first == body:
            return body
    return quote


def _end(text: str, quote: int, reach: int) -> int:
    """Return where the passage ends: with the block of the quote if that fits."""
    last = min(len(text), quote + reach)
    for end in _ENDS:
        found = text.rfind(end, quote, last) if end == ". " else text.find(end, quote, last)
        if found >= 0:
            return found + len(end.rstrip())
        if last == len(text):
            return last
    return quote
