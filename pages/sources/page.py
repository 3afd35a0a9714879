"""The sources: every document by topic, and a reader that marks the sentence an answer cited."""

from __future__ import annotations

import streamlit as st

from pages.shared import links, reading, sanitise, wording
from pages.shared.scrolling import scroll_to
from pages.shared.services import services
from rag.storage.library import DocumentSummary
from rag.types import Document

ready = services()
summaries = ready.library.summaries()
place = links.place(st.query_params)
document = ready.document(place.document_id) if place else None


def draw_library(columns: int) -> None:
    """Draw all documents by topic, the open document's topic first."""
    topics: dict[str, list[DocumentSummary]] = {}
    if document is not None:
        topics[document.topic] = []
    for summary in sorted(summaries, key=lambda summary: (summary.path, summary.title)):
        topics.setdefault(summary.topic, []).append(summary)
    with st.container(key="sources_library"):
        if not topics:
            st.markdown("The library is empty. Add documents with `python -m rag ingest FOLDER`.")
        with st.grid(columns, min_column_width=240, gap="medium"):
            for topic, documents in topics.items():
                with st.container(gap=None):
                    st.markdown(f"**{sanitise.label(wording.topic(topic))}**")
                    for summary in documents:
                        is_open = place is not None and summary.id == place.document_id
                        title = sanitise.label(summary.title)
                        st.button(
                            f"**{title}**" if is_open else title,
                            key=f"sources_open_{summary.id}",
                            type="tertiary",
                            wrap=False,
                            on_click=open_document,
                            args=(summary.id,),
                        )


def open_document(document_id: str) -> None:
    """Show a document from its beginning."""
    st.query_params.from_dict({"doc": document_id})


def draw_reader(shown: Document, asked: links.Place) -> None:
    """Draw one document as a whole, with the cited words marked and in view."""
    level = f" · {shown.level} level" if shown.level else ""
    st.caption(sanitise.label(wording.topic(shown.topic)) + level)
    body = shown.text[shown.body_start :]
    page = reading.page(body)
    if asked.start is not None and asked.end is not None:
        is_there = asked.holds_in(shown.text) and asked.start >= shown.body_start
        if is_there:
            page = reading.page(body, asked.start - shown.body_start, asked.end - shown.body_start)
        if not is_there:
            st.warning(
                "The cited words are no longer at this place: the document has changed since the answer "
                "was written. Nothing is marked.",
                icon=":material/history:",
            )
        elif not page.marked:
            quote = sanitise.label(shown.text[asked.start : asked.end])
            st.info(f"The cited words can’t be marked in place. They are: “{quote}”", icon=":material/info:")
    st.html(f'<article class="viva-page">{page.html}</article>')
    if page.marked:
        scroll_to(f".{reading.MARK_CLASS}", f"{asked.document_id} {asked.start} {asked.end}", "center")


if place is None:
    st.title("Sources", anchor=False)
    st.markdown(
        f"{wording.count(len(summaries), 'document')}. Open one to read it, or follow a citation of an "
        "answer: it opens here with its sentence marked."
    )
    draw_library(3)
else:
    left, right = st.columns([5, 2], gap="large")
    with left, st.container(key="sources_reader"):
        if document is None:
            st.warning("This document is not in the library any more.", icon=":material/history:")
        else:
            draw_reader(document, place)
    with right:
        draw_library(1)
