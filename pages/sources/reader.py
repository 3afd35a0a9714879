"""The reader: one document as a whole, with what an answer found, was given and cited marked in it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

import streamlit as st

from pages.shared import links, people, reading, sanitise, wording
from pages.shared.scrolling import scroll_to
from pages.sources import cuts, legend, marking, moved, original, resting
from pages.sources.marking import Told
from rag.answering.evidence import evidence_in
from rag.services import Services
from rag.storage.library import DocumentSummary, Original
from rag.types import Document, Span


def draw(ready: Services, place: links.Place) -> None:
    """Draw the document that an address names, with the words marked that it points at."""
    with st.container(key="sources_reader"):
        st.button(
            "Library", icon=":material/arrow_back:", type="tertiary", key="sources_back", on_click=_leave
        )
        document = ready.document(place.document_id)
        if document is None or not people.may_read(document.owner):
            st.warning("This document is not in the library any more.", icon=":material/history:")
            return
        told = _told(ready, document, place)
        kept = ready.library.original(document.id)
        shows_chunks = _draw_head(ready, document, place, kept)
        chunks = ready.library.chunks(document.id) if shows_chunks else []
        text, company = st.columns([1, 1] if document.format == "pdf" else [5, 3], gap="large")
        with text:
            layers = legend.draw(ready, told, place)
            notes = [*cuts.notes(document, chunks), *original.notes(kept)]
            _draw_text(ready, document, place, told, layers, notes)
        with company, st.container(key="sources_beside"):
            original.draw_page(document, kept, place)
            if shows_chunks:
                cuts.draw(document, chunks)
            resting.draw(ready, document, place)


def _leave() -> None:
    st.query_params.clear()


def _told(ready: Services, document: Document, place: links.Place) -> Told | None:
    """Return the answer whose evidence is to be shown; None when there is none or it is gone."""
    found = ready.conversations.by_trace(place.trace, people.reader()) if place.trace else None
    if found is None:
        return None
    conversation_id, turn, stored = found
    return Told(conversation_id, turn.question, stored.answer, evidence_in(stored.answer, document))


def _draw_head(ready: Services, document: Document, place: links.Place, kept: Original | None) -> bool:
    """Draw what the document is and what can be done with it; tell whether its chunks are to be shown."""
    summary = next((one for one in ready.library.summaries() if one.id == document.id), None)
    if document.title not in document.text[document.body_start :][: len(document.title) + 20]:
        st.markdown(f"### {sanitise.label(document.title)}", anchors=False)
    st.caption(sanitise.label(" · ".join(_facts(document, summary))))
    with st.container(horizontal=True, vertical_alignment="center", key="sources_actions"):
        if st.button("Ask about this document", icon=":material/forum:", key="sources_ask"):
            title = wording.in_sentence(document.title)
            st.session_state["chat_input"] = f"What do the sources say about {title}?"
            st.switch_page(legend.CHAT_PAGE)
        with st.popover("Copy link", icon=":material/link:", key="sources_copy"):
            st.caption("Opens this document as it is marked now, also after a restart.")
            st.code(_address(document, place), language=None, wrap_lines=True)
        original.draw_download(document, kept)
        return st.toggle("Show chunks", key="sources_chunks", help="Where the text is cut for searching.")


def _facts(document: Document, summary: DocumentSummary | None) -> list[str]:
    facts = [wording.topic(document.topic), f"{document.level} level" if document.level else ""]
    facts.append(wording.FORMATS[document.format])
    if summary is not None:
        facts += [
            wording.count(summary.chunks, "chunk"),
            wording.count(summary.tokens, "token"),
            wording.size(summary.bytes),
            f"changed {wording.day(summary.updated_at)}",
            f"cited {wording.count(summary.cited, 'time')}" if summary.cited else "not cited yet",
        ]
    if document.owner:
        facts.append("only you can read it")
    return list(filter(None, facts))


def _address(document: Document, place: links.Place) -> str:
    """Return the whole address of what is shown; with the fingerprint of the words, if they are there."""
    here = urlsplit(st.context.url or "")
    origin = f"{here.scheme}://{here.netloc}" if here.netloc else ""
    if place.start is not None and place.end is not None and marking.stands(document, place):
        words = document.text[place.start : place.end]
        return origin + links.source_url(document.id, place.start, place.end, words, place.trace)
    query = urlencode(st.query_params.to_dict())
    return origin + (links.own_source_url(f"{links.SOURCES}?{query}") or links.SOURCES)


def _draw_text(
    ready: Services,
    document: Document,
    place: links.Place,
    told: Told | None,
    layers: Sequence[reading.Layer],
    notes: Sequence[reading.Note],
) -> None:
    """Draw the text, or a part of a long one, and say what could not be marked."""
    stands = marking.stands(document, place)
    moved.draw(ready, document, place, told)
    state = f"sources_part {document.id} {place.start}"
    parts_on = int(st.session_state.get(state, 0))
    shown = marking.part(document, place if stands else None, parts_on)
    marks = marking.marks(told.evidence if told else None, place if stands else None, layers)
    page = reading.layers(
        document.text[document.body_start :],
        [mark.moved(-document.body_start) for mark in marks],
        [note.moved(-document.body_start) for note in notes],
        shown=Span(shown.start - document.body_start, shown.end - document.body_start) if shown else None,
        is_plain=document.format == "text",
    )
    unseen = [mark for mark, seen in zip(marks, page.seen, strict=True) if not seen]
    for start, end in sorted({(mark.start, mark.end) for mark in unseen if mark.layer in (None, "cited")}):
        if shown is None or shown.start <= start < shown.end:
            quote = sanitise.label(document.text[start:end][: moved.QUOTED])
            st.info(f"The cited words can’t be marked in place. They are: “{quote}”", icon=":material/info:")
    if shown is not None:
        _draw_part(document, shown, state, "before")
    st.html(f'<article class="viva-page">{page.html}</article>')
    if shown is not None:
        _draw_part(document, shown, state, "after")
    occasion = f"{document.id} {place.start} {place.end} {parts_on}"
    if page.marked:
        scroll_to(f".{reading.MARK_CLASS}", occasion, "center")
    else:
        scroll_to(".st-key-sources_reader", occasion)


def _draw_part(document: Document, shown: Span, state: str, which: str) -> None:
    """Draw the way to the part of a long document before or after the one that is shown."""
    is_end = shown.end >= len(document.text) if which == "after" else shown.start <= document.body_start
    if is_end:
        return

    def go() -> None:
        st.session_state[state] = int(st.session_state.get(state, 0)) + (1 if which == "after" else -1)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Show the part {which}", key=f"sources_{which}", on_click=go)
        st.caption(
            f"This is a long document: shown are characters {shown.start:,} to {shown.end:,} "
            f"of {len(document.text):,}.",
            width="content",
        )
