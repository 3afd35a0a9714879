"""Two settings of the search side by side for one query, and the way to make the better one the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Literal

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.failures import attempt, draw_failure, draw_kept
from pages.shared.people import reader
from pages.sources import telling
from pages.sources.hits import draw_hit
from rag.errors import RagError
from rag.evaluation.index_bench import EFFORTS
from rag.retrieval.difference import Difference, Moved, difference
from rag.services import Services
from rag.settings import RetrievalSettings
from rag.storage.library import DocumentSummary
from rag.types import Filters, IndexKind, Retrieval, RetrievalConfig

_FAILURE = "lab_problem"


def draw(ready: Services, query: str, summaries: Sequence[DocumentSummary]) -> None:
    """Draw the settings of B, and how its search differs from that of A, which is in use."""
    in_use = ready.retrieval_config
    st.markdown("**A** is what every search uses now. " + sanitise.label(telling.setting(in_use)))
    config = _edited(in_use)
    topics, documents = _chosen_filters(summaries)
    readable = Filters(reader=reader())
    a = ready.retriever.retrieve(query, filters=readable, config=in_use)
    try:
        b = ready.retriever.retrieve(
            query,
            filters=Filters(topics=topics, document_ids=documents, reader=readable.reader),
            config=config,
        )
    except RagError as error:
        draw_failure(error)
        return
    _draw_difference(a, b, query)
    _draw_actions(ready, in_use, config, query)


def _edited(in_use: RetrievalConfig) -> RetrievalConfig:
    """Draw the settings of B, which begin as those of A, and return them."""
    for name, value in asdict(in_use).items():
        st.session_state.setdefault(f"lab_b_{name}", value)
    with st.container(border=True, key="lab_b"):
        st.markdown("**B** is for trying out.")
        left, right = st.columns(2, gap="large")
        with left:
            st.slider(
                "Passages used (top-k)",
                *_allowed("top_k"),
                key="lab_b_top_k",
                persist_state="session",
                help="More passages can hold more of the answer, cost more tokens and distract more.",
            )
            st.slider(
                "Candidates per list",
                *_allowed("candidates"),
                key="lab_b_candidates",
                persist_state="session",
                help="How many the search by meaning and the search by words each hand to the fusion.",
            )
            st.slider(
                "Weight of words",
                0.0,
                1.0,
                step=0.05,
                key="lab_b_words_weight",
                persist_state="session",
                help="0: only the meaning counts. 1: only shared words count.",
            )
        with right:
            kind = st.selectbox(
                "Index",
                list(telling.INDEXES),
                format_func=telling.INDEXES.__getitem__,
                key="lab_b_index",
                persist_state="session",
                help="Exact compares all vectors. The others look at a part: faster, and they may miss some.",
            )
            efforts = {0, *EFFORTS[kind], *([in_use.effort] if kind == in_use.index else [])}
            if st.session_state["lab_b_effort"] not in efforts:
                st.session_state["lab_b_effort"] = 0
            if kind != "flat":  # an exact search has no such choice
                st.selectbox(
                    "Effort",
                    sorted(efforts),
                    key="lab_b_effort",
                    persist_state="session",
                    format_func=lambda effort: _effort(kind, effort),
                    help="Cells that IVF visits, or the length of HNSW’s list. More finds more, slower.",
                )
    state = st.session_state
    return RetrievalConfig(
        top_k=state["lab_b_top_k"],
        candidates=state["lab_b_candidates"],
        words_weight=state["lab_b_words_weight"],
        index=kind,
        effort=state["lab_b_effort"],
    )


@cache
def _allowed(name: Literal["top_k", "candidates"]) -> tuple[int, int]:
    """Return the least and the most that the settings take."""
    field = RetrievalSettings.model_json_schema()["properties"][name]
    return field["minimum"], field["maximum"]


def _effort(kind: IndexKind, effort: int) -> str:
    if not effort:
        return "its default"
    return wording.count(effort, "cell") if kind == "ivf" else f"list of {effort}"


def _chosen_filters(summaries: Sequence[DocumentSummary]) -> tuple[frozenset[str], frozenset[str]]:
    """Draw the filters of B and return topics and document ids; filters never become the default."""
    titles = {summary.id: summary.title for summary in summaries}
    with st.expander("Search a part of the library with B", icon=":material/filter_alt:"):
        topics = st.multiselect(
            "Topics",
            sorted({summary.topic for summary in summaries}),
            format_func=wording.topic,
            key="lab_b_topics",
            persist_state="session",
        )
        documents = st.multiselect(
            "Documents",
            sorted(titles, key=titles.__getitem__),
            format_func=lambda document: titles.get(document, document),
            key="lab_b_documents",
            persist_state="session",
        )
    return frozenset(topics), frozenset(documents)


def _draw_difference(a: Retrieval, b: Retrieval, query: str) -> None:
    found = difference(a, b)
    st.markdown("## What changes", anchors=False)
    st.markdown(sanitise.label(_summed_up(found, a, b)))
    for name, retrieval in (("A", a), ("B", b)):
        total = wording.duration(retrieval.timings_ms.get("total", 0.0))
        st.caption(sanitise.label(f"{name}: {telling.verdict(retrieval)} Took {total}."))
    with st.container(gap="xsmall"):
        for number, moved in enumerate(found.passages):
            place = f"{moved.b}." if moved.b else "–"
            draw_hit(moved.hit, _told(moved), key=f"lab_moved_{number}", query=query, number=place)


def _summed_up(found: Difference, a: Retrieval, b: Retrieval) -> str:
    if not found.passages:
        return "Neither uses a passage."
    if all(moved.a == moved.b for moved in found.passages):
        return (
            f"Nothing: both use the same {wording.count(len(found.passages), 'passage')} in the same order."
        )
    parts = [f"{found.shared} of {wording.count(len(found.passages), 'passage')} are used by both"]
    if only_b := len(b.kept) - found.shared:
        parts.append(f"{only_b} only by B")
    if only_a := len(a.kept) - found.shared:
        parts.append(f"{only_a} only by A")
    return ", ".join(parts) + "."


def _told(moved: Moved) -> str:
    if moved.a is None or moved.b is None:
        colour = "blue" if moved.a is None else "orange"
        other = "A" if moved.a is None else "B"
        told = f"{telling.change(moved.a, moved.b)}; in {other}: {moved.why_not}"
        return f":{colour}-badge[{sanitise.label(told)}]"
    return f":gray-badge[{sanitise.label(telling.change(moved.a, moved.b))}]"


def _draw_actions(ready: Services, in_use: RetrievalConfig, config: RetrievalConfig, query: str) -> None:
    """Draw how to take B over, how to go back, and the way to the chat."""
    told = telling.changes(in_use, config)
    st.markdown("## What to do with it", anchors=False)
    if told:
        st.markdown(
            sanitise.label(f"Making B the default changes: {told}.")
            + " It holds at once for every search: in the chat, on the command line, for everybody."
        )

    def take_over() -> None:
        ready.set_retrieval_config(config)
        st.toast("B is the default now.", icon=":material/check:")

    def go_back() -> None:
        ready.set_retrieval_config(None)
        reset()
        st.toast("The search is as the settings say.", icon=":material/check:")

    def reset() -> None:
        for name in asdict(config):
            st.session_state.pop(f"lab_b_{name}", None)

    def ask() -> None:
        st.session_state["chat_input"] = query
        st.switch_page("chat/page.py")

    draw_kept(_FAILURE)
    from_settings = ready.settings.retrieval.config
    with st.container(horizontal=True):
        st.button(
            "Make B the default",
            key="lab_make_default",
            type="primary",
            disabled=not told,
            on_click=attempt,
            args=(_FAILURE, take_over),
        )
        if told:
            st.button("Set B like A", key="lab_reset", on_click=reset)
        if in_use != from_settings:
            st.button(
                "Back to the settings",
                key="lab_back",
                icon=":material/undo:",
                on_click=attempt,
                args=(_FAILURE, go_back),
                help=f"The settings: {telling.changes(in_use, from_settings)}.",
            )
        st.button("Open in chat", key="lab_chat", icon=":material/forum:", on_click=ask)
