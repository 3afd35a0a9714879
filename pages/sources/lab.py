"""The search lab: one search from query to prompt, and what else can be tried with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.links import lab_params
from pages.shared.people import may_read, reader
from pages.sources import comparing, lost
from pages.sources.trace import draw_trace
from rag.answering.asking import LONGEST_QUESTION
from rag.answering.prompt_preview import what_is_sent
from rag.answering.used import used
from rag.services import Services
from rag.storage.conversations import StoredAnswer
from rag.storage.library import DocumentSummary
from rag.types import Filters, Retrieval

CHAT_PAGE = "chat/page.py"
PARTS = {
    "search": ":material/manage_search: The search",
    "compare": ":material/compare_arrows: Two settings",
    "lost": ":material/route: Lost passage",
    "chunks": ":material/content_cut: Chunk sizes",
    "indexes": ":material/speed: Index types",
}


def draw(ready: Services) -> None:
    """Draw the search that the address names, or one of the other parts of the lab."""
    with st.container(key="sources_results"):
        trace = st.query_params.get("trace", "")
        found = ready.conversations.by_trace(trace, reader()) if trace else None
        searched = found[2].answer.retrieval if found else None
        asked = st.query_params.get("q", "").strip()[:LONGEST_QUESTION]
        query = asked or (searched.query if searched else "")
        summaries = [summary for summary in ready.library.summaries() if may_read(summary.owner)]
        part = _chosen_part()
        if part == "chunks":
            from pages.sources import chunk_sizes  # its charts take a second to import

            chunk_sizes.draw(ready, summaries)
        elif part == "indexes":
            from pages.sources import indexes

            indexes.draw(ready)
        elif part == "search" and found and searched:
            _draw_stored(ready, found[0], found[2], searched, summaries)
        else:
            if trace and not searched:
                st.info(
                    "There is no search of this answer: it is not stored any more, or it searched nothing."
                )
            if query:
                draw_part = {"compare": comparing.draw, "lost": lost.draw}.get(part, _draw_search)
                draw_part(ready, query, summaries)
            else:
                lost.remember(st.query_params.get("chunk", ""))
                _draw_empty(ready, part)


def _chosen_part() -> str:
    """Draw the choice of parts; a link to a search, or to a passage in it, chooses its part."""
    arrived = (st.query_params.get("trace", ""), st.query_params.get("chunk", ""))
    if any(arrived) and st.session_state.get("lab_arrived") != arrived:
        st.session_state["lab_part"] = "lost" if arrived[1] else "search"
    st.session_state["lab_arrived"] = arrived
    if "lab_part" not in st.session_state:
        st.session_state["lab_part"] = "search"
    st.pills(
        "Part of the lab",
        list(PARTS),
        format_func=PARTS.__getitem__,
        key="lab_part",
        label_visibility="collapsed",
        required=True,
        wrap=False,  # a phone scrolls the row
        persist_state="session",
    )
    return str(st.session_state["lab_part"])


def _draw_empty(ready: Services, part: str) -> None:
    """Say what to do, with questions to begin with."""
    if part == "lost":
        st.markdown(
            "Type the question that a passage should answer into the field above, to see what became of it."
        )
    elif part == "compare":
        st.markdown("Type a question into the field above to search for it with two settings, side by side.")
    else:
        st.markdown(
            "Type a question into the field above to see every step of its search: what was found by meaning "
            "and by words, how both were merged, what was set aside and why, and what a model would be sent."
        )
    if "lab_suggestions" not in st.session_state:
        st.session_state["lab_suggestions"] = ready.suggested_questions(3)
    with st.container(gap="xxsmall"):
        for position, question in enumerate(st.session_state["lab_suggestions"]):
            st.button(
                sanitise.label(question),
                key=f"lab_suggestion_{position}",
                icon=":material/search:",
                type="tertiary",
                on_click=st.query_params.from_dict,
                args=(lab_params(question),),
            )


def _draw_search(ready: Services, query: str, summaries: Sequence[DocumentSummary]) -> None:
    """Draw what a search for the query finds now."""
    retrieval = ready.retriever.retrieve(query, filters=Filters(reader=reader()))
    passages = wording.count(int(ready.retriever.index.allowed(retrieval.filters).sum()), "passage")
    draw_trace(
        retrieval,
        searched=f"{passages} of {wording.count(len(summaries), 'document')}",
        titles={summary.id: summary.title for summary in summaries},
        preview=what_is_sent(retrieval, ready.settings.chat.context_tokens),
    )


def _draw_stored(
    ready: Services,
    conversation_id: str,
    stored: StoredAnswer,
    retrieval: Retrieval,
    summaries: Sequence[DocumentSummary],
) -> None:
    """Draw the search behind a stored answer, as it was then."""
    day = wording.day(stored.created_at)
    st.markdown(f"The search behind an answer of {day}, as it was then.")
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            CHAT_PAGE,
            label="Back to the conversation",
            icon=":material/forum:",
            query_params={"c": conversation_id},
        )
        st.page_link(
            SOURCES_PAGE,
            label="Search again now",
            icon=":material/refresh:",
            query_params=lab_params(retrieval.query),
        )
    if told := _changed_since(ready, stored, retrieval, summaries):
        st.info(told, icon=":material/history:")
    readable = {summary.id for summary in summaries}
    foreign = {summary.id for summary in ready.library.summaries()} - readable
    hits = tuple(hit for hit in retrieval.hits if hit.chunk.document_id not in foreign)
    draw_trace(
        replace(retrieval, hits=hits),
        searched=f"the library of {day}",
        titles={summary.id: summary.title for summary in summaries},
        answer=stored.answer,
        became=used(stored.answer),
    )


def _changed_since(
    ready: Services, stored: StoredAnswer, retrieval: Retrieval, summaries: Sequence[DocumentSummary]
) -> str:
    """Return how the library differs from that of the answer; empty when it does not."""
    present = ready.library.chunks_by_id([hit.chunk.id for hit in retrieval.hits])
    changed = sum(
        (now := present.get(hit.chunk.id)) is None
        or (now.start, now.end, now.text) != (hit.chunk.start, hit.chunk.end, hit.chunk.text)
        for hit in retrieval.hits
    )
    newer = sum(summary.updated_at > stored.created_at for summary in summaries)
    parts = []
    if newer:
        parts.append(f"{wording.count(newer, 'document')} {'is' if newer == 1 else 'are'} newer")
    if changed:
        found = wording.count(len(retrieval.hits), "passage")
        parts.append(f"{changed} of the {found} found read differently or are gone")
    return f"The library has changed since this answer: {', and '.join(parts)}." if parts else ""
