"""Follows the passage that somebody expected through a search, to where it got lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.shared import sanitise
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.failures import draw_failure
from pages.shared.links import source_params
from pages.shared.people import reader
from pages.sources import telling
from rag.errors import RagError
from rag.retrieval.advice import advice
from rag.retrieval.whereabouts import NOT_REACHED, Stage, StageName, Whereabouts
from rag.services import Services
from rag.storage.library import DocumentSummary
from rag.types import Chunk, Filters

STAGES: Mapping[StageName, str] = {
    "filters": "Filters",
    "meaning": "By meaning",
    "words": "By words",
    "fusion": "Merged",
    "cut-off": "Cut-off",
    "prompt": "Prompt",
}


LOST: Mapping[str, str] = {
    "": "It is used.",
    "filters": "It got lost at the filters.",
    "fusion": "It got lost before the merge: neither list has it.",
    "cut-off": "It got lost at the cut-off.",
    "prompt": "It got lost in the prompt.",
}


def draw(ready: Services, query: str, summaries: Sequence[DocumentSummary]) -> None:
    """Draw the choice of a passage and its way through the search for `query`."""
    st.markdown("Choose the passage that should have answered. Its way through the search is shown.")
    chunk = _chosen(ready, summaries)
    if chunk is None:
        return
    config = ready.retrieval_config
    try:
        found = ready.retriever.whereabouts(query, chunk.id, filters=Filters(reader=reader()), config=config)
    except RagError as error:
        draw_failure(error)
        return
    _draw_way(query, found)
    st.info(f"**What to change.** {sanitise.label(advice(found, config))}", icon=":material/lightbulb:")
    with st.expander("Read the passage", type="compact", icon=":material/article:"):
        st.markdown(sanitise.markdown(found.chunk.text), anchors=False)
    st.page_link(
        SOURCES_PAGE,
        label="Open in the reader",
        icon=":material/menu_book:",
        query_params=source_params(chunk.document_id, chunk.start, chunk.end, chunk.text),
    )


def _chosen(ready: Services, summaries: Sequence[DocumentSummary]) -> Chunk | None:
    """Draw the choice of a document and of its passage; the address keeps it."""
    asked = st.query_params.get("chunk", "") or st.session_state.get("lab_chunk", "")
    titles = {summary.id: summary.title for summary in summaries}
    known = ready.library.chunks_by_id([asked]).get(asked) if asked else None
    if known is None or known.document_id not in titles:
        known = None
        if asked:
            st.info("The passage of this link is not in the library any more. Choose another one.")
    document = known.document_id if known else None
    chunks = {chunk.id: chunk for chunk in ready.library.chunks(document)} if document else {}

    def document_chosen() -> None:
        first = ready.library.chunks(st.session_state["lab_lost_document"] or "")
        _choose(first[0].id if first else "")

    def chunk_chosen() -> None:
        _choose(st.session_state["lab_lost_chunk"] or "")

    st.session_state["lab_chunk"] = known.id if known else ""
    st.session_state["lab_lost_document"] = document
    left, right = st.columns(2)
    left.selectbox(
        "Document",
        sorted(titles, key=titles.__getitem__),
        format_func=titles.__getitem__,
        key="lab_lost_document",
        placeholder="Choose a document",
        index=None,
        on_change=document_chosen,
    )
    if known is None:
        return None
    st.session_state["lab_lost_chunk"] = known.id
    numbers = {chunk_id: number for number, chunk_id in enumerate(chunks, start=1)}
    right.selectbox(
        "Passage",
        list(chunks),
        format_func=lambda chunk_id: _name(numbers[chunk_id], chunks[chunk_id]),
        key="lab_lost_chunk",
        on_change=chunk_chosen,
    )
    return known


def remember(chunk_id: str) -> None:
    """Keep the passage of a link for the question that is typed next."""
    if chunk_id:
        st.session_state["lab_chunk"] = chunk_id


def _choose(chunk_id: str) -> None:
    st.session_state["lab_chunk"] = chunk_id
    if chunk_id:
        st.query_params["chunk"] = chunk_id
        # the choice is no new arrival from elsewhere
        st.session_state["lab_arrived"] = (st.query_params.get("trace", ""), chunk_id)
    else:
        st.query_params.pop("chunk", None)


def _name(number: int, chunk: Chunk) -> str:
    heading = chunk.heading_path[-1] if chunk.heading_path else "Beginning"
    return f"{number}. {heading}: {telling.first_words(chunk)}"


def _draw_way(query: str, found: Whereabouts) -> None:
    st.markdown(f"## {LOST[found.lost_at]}", anchors=False)
    st.caption(sanitise.label(f"In the search for “{query}”, with the settings in use."))
    with st.container(gap="xsmall", key="lab_way"):
        for stage in found.stages:
            st.markdown(_line(stage, found.lost_at))


def _line(stage: Stage, lost_at: str) -> str:
    name, told = STAGES[stage.name], sanitise.label(stage.told)
    if stage.told == NOT_REACHED:
        return f":gray[:material/radio_button_unchecked: **{name}** · {told}]"
    if stage.name == lost_at:
        return f":red[:material/cancel: **{name} · lost here**] · {told}"
    if not stage.passed:
        return f":orange[:material/remove_circle: **{name} · not on this list**] · {told}"
    return f":green[:material/check_circle: **{name}**] · {told}"
