"""Draws what an answer rests on: cited sentences, passages with their ranks, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.links import lab_params, source_params
from rag.types import Answer, Citation, Hit, Retrieval

SOURCES_PAGE = "sources/page.py"
EXCERPT = 320
"""Characters of a passage that are shown."""
CUT_SHOWN = 6


def draw_citations(n: int, citations: Sequence[Citation], trace_id: str = "") -> None:
    """Draw every cited sentence with a link to its place in the source."""
    with st.container(key=f"chat_citations_{n}", gap="small"):
        if not citations:
            return
        st.markdown("**Cited sentences**")
        for citation in citations:
            with st.container(gap="xxsmall"):
                st.page_link(
                    SOURCES_PAGE,
                    label=f"**{citation.marker}. {sanitise.label(citation.title)}**",
                    query_params=source_params(
                        citation.document_id, citation.start, citation.end, citation.quote, trace_id
                    ),
                )
                st.markdown(_as_quotation(citation.quote))


def draw_hits(n: int, answer: Answer) -> None:
    """Draw the passages that were found, in words, and why some were not used."""
    retrieval = answer.retrieval
    if retrieval is None:
        return
    kept = retrieval.kept
    cut = [hit for hit in retrieval.hits if hit.cut is not None]
    label = f"{wording.count(len(kept), 'passage')} read, {len(cut)} set aside"
    if not retrieval.sufficient:
        label = f"{wording.count(len(retrieval.hits), 'passage')} found, none close enough"
    with st.expander(label, type="compact", key=f"chat_hits_{n}", icon=":material/manage_search:"):
        st.caption(_searched(retrieval, answer))
        for hit in kept:
            _draw_hit(hit)
        if cut:
            st.markdown("**Set aside**")
            st.caption(_set_aside(cut))
        if answer.trace_id:
            st.page_link(
                SOURCES_PAGE,
                label="See the whole search",
                icon=":material/manage_search:",
                query_params=lab_params(trace=answer.trace_id),
            )


def draw_usage(n: int, answer: Answer) -> None:
    """Draw one line of tokens, cost and time that opens to the steps."""
    with st.expander(
        wording.spent(answer), type="compact", key=f"chat_usage_{n}", icon=":material/schedule:"
    ):
        if answer.timings_ms:
            st.html(waterfall(answer.timings_ms))
        facts = [wording.tokens(answer.usage).capitalize(), wording.cost(answer.usage)]
        if answer.usage.estimated:
            facts.append("estimated, because the model did not report its counts")
        if answer.dropped_passages:
            facts.append(
                wording.count(answer.dropped_passages, "passage") + " did not fit into the token budget"
            )
        if answer.dropped_markers:
            facts.append(wording.count(answer.dropped_markers, "invented citation") + " removed")
        st.caption(" · ".join(sanitise.label(fact) for fact in facts))
        if answer.trace_id:
            st.caption("Trace id, to find this answer in the log")
            st.code(answer.trace_id, language=None)


def _draw_hit(hit: Hit) -> None:
    with st.container(gap="xxsmall"):
        st.page_link(
            SOURCES_PAGE,
            label=f"**{hit.rank}. {sanitise.label(hit.title)}**",
            query_params=source_params(hit.chunk.document_id, hit.chunk.start, hit.chunk.end, hit.chunk.text),
        )
        told = [" › ".join(_headings(hit)), wording.ranks(hit)]
        if hit.matched_terms:
            told.append(f"shared words: {', '.join(hit.matched_terms)}")
        st.caption(sanitise.label(" · ".join(filter(None, [*told, wording.scores(hit)]))))
        st.markdown(_as_quotation(hit.chunk.text))


def _headings(hit: Hit) -> list[str]:
    """Return the headings above a passage, without the title of its document."""
    return [heading for heading in hit.chunk.heading_path if heading != hit.title]


def _set_aside(cut: Sequence[Hit]) -> str:
    lines = [
        f"- {sanitise.label(' › '.join([hit.title, *_headings(hit)]))}: "
        f"{sanitise.label(hit.cut or '')} ({wording.ranks(hit)})"
        for hit in cut[:CUT_SHOWN]
    ]
    more = len(cut) - CUT_SHOWN
    return "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)


def _searched(retrieval: Retrieval, answer: Answer) -> str:
    """Return how good the match is, in words first."""
    parts = [f"Searched for “{sanitise.label(answer.searched_for or retrieval.query)}”."]
    parts.append(f"The passages hold {retrieval.word_cover:.0%} of its words by weight.")
    if retrieval.missing_terms:
        parts.append(f"None has: {sanitise.label(', '.join(retrieval.missing_terms))}.")
    parts.append(f"The closest is at cosine {retrieval.best_cosine:.2f} of 1.")
    return " ".join(parts)


def _as_quotation(text: str) -> str:
    words = sanitise.plain(text)
    shown = words if len(words) <= EXCERPT else words[:EXCERPT].rsplit(" ", 1)[0] + " …"
    return f":small[{sanitise.label(shown)}]"


def waterfall(timings_ms: Mapping[str, float]) -> str:
    """Return a table with one bar per step, each starting where the one before ended."""
    steps = {name: ms for name, ms in timings_ms.items() if name not in ("first_token", "total")}
    whole = max(timings_ms.get("total", 0.0), sum(steps.values()), 0.001)
    rows, at = [], 0.0
    for name, ms in steps.items():
        left, width = 100 * at / whole, 100 * ms / whole
        bar = f'<span class="bar" style="margin-left:{left:.1f}%;width:{width:.1f}%"></span>'
        rows.append(_row(wording.step(name), f'<span class="track">{bar}</span>', ms))
        at += ms
    if first := timings_ms.get("first_token"):
        rows.append(_row("First words after", "", first))
    if total := timings_ms.get("total"):
        rows.append(_row("All together", "", total))
    return f'<table class="viva-steps"><tbody>{"".join(rows)}</tbody></table>'


def _row(name: str, middle: str, ms: float) -> str:
    return f'<tr><th scope="row">{escape(name)}</th><td>{middle}</td><td>{wording.duration(ms)}</td></tr>'
