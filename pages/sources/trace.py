"""Draws one search from the query to what is sent to the model, stage by stage, words before numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.evidence import waterfall
from pages.sources import telling
from pages.sources.hits import draw_hit
from rag.answering.prompt_preview import PromptPart, PromptPreview
from rag.answering.used import Used
from rag.text.words import content_words
from rag.types import Answer, Hit, Retrieval

LISTED = 5
"""Places of each list that are shown before it is opened."""
ASIDE_SHOWN = 6


def draw_trace(
    retrieval: Retrieval,
    *,
    searched: str,
    titles: Mapping[str, str],
    preview: PromptPreview | None = None,
    answer: Answer | None = None,
    became: Mapping[str, Used] | None = None,
) -> None:
    """Draw all stages of a search.

    searched: how much was searched, in words. titles: of documents by id. preview: what would be sent to a
    model. answer, became: the answer that the search was made for, and by chunk id what it made of each.
    """
    _draw_verdict(retrieval)
    _draw_query(retrieval, searched, titles)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_list(
            "2. By meaning",
            "Nearest vectors first: the mean of a passage’s closest window and closest sentence.",
            _ordered(retrieval.hits, lambda hit: hit.dense_rank),
            lambda hit: f"cosine {hit.dense_score or 0:.2f} of 1",
        )
    with right:
        _draw_list(
            "3. By words",
            "Most of the query’s words first, rare ones counting more (BM25 over word stems).",
            _ordered(retrieval.hits, lambda hit: hit.lexical_rank),
            lambda hit: f"{', '.join(hit.matched_terms)} · {hit.lexical_score or 0:.0%} of the highest score",
        )
    _draw_merged(retrieval, answer, became or {})
    _draw_aside(retrieval)
    st.markdown("## 6. Good enough?", anchors=False)
    st.markdown(sanitise.label(telling.weighed(retrieval)))
    if answer is not None:
        _draw_answered(answer, became or {})
    elif preview is not None:
        _draw_sent(preview, is_enough=retrieval.sufficient)
    if retrieval.timings_ms:
        st.markdown("## 8. Where the time went", anchors=False)
        with st.container(width=640):
            st.html(waterfall(retrieval.timings_ms))


def _draw_verdict(retrieval: Retrieval) -> None:
    told = sanitise.label(telling.verdict(retrieval))
    if not retrieval.sufficient:
        nearest = ", ".join(retrieval.nearest_topics)
        st.warning(
            told + (f" Nearest are: {sanitise.label(nearest)}." if nearest else ""),
            icon=":material/block:",
        )
    elif retrieval.borderline:
        st.info(told, icon=":material/incomplete_circle:")
    else:
        st.success(told, icon=":material/check_circle:")


def _draw_query(retrieval: Retrieval, searched: str, titles: Mapping[str, str]) -> None:
    st.markdown("## 1. What was searched", anchors=False)
    missing = set(retrieval.missing_terms)
    words = [
        f":orange-badge[{sanitise.label(word)}: in no passage used]"
        if word in missing
        else f":gray-badge[{sanitise.label(word)}]"
        for word in content_words(retrieval.query)
    ]
    st.markdown(
        f"“{sanitise.label(retrieval.query)}” in {sanitise.label(searched)}, "
        f"{sanitise.label(telling.restricted(retrieval.filters, titles))}."
    )
    if words:
        st.markdown("Words that count: " + " ".join(words))
    else:
        st.caption("It has no word that counts in the search by words; only its meaning is searched for.")
    st.caption(sanitise.label(telling.setting(retrieval.config)))


def _ordered(hits: Sequence[Hit], place: Callable[[Hit], int | None]) -> list[tuple[int, Hit]]:
    """Return place and hit of those that have a place in a list, the first first."""
    placed = [(found, hit) for hit in hits if (found := place(hit)) is not None]
    return sorted(placed, key=lambda pair: pair[0])


def _draw_list(
    head: str, explained: str, placed: Sequence[tuple[int, Hit]], why: Callable[[Hit], str]
) -> None:
    st.markdown(f"## {head}", anchors=False)
    st.caption(explained)
    if not placed:
        st.markdown("Nothing was found this way.")
        return
    rows = [
        f'<li value="{place}">{escape(telling.passage(hit.title, hit.chunk.heading_path))} '
        f"<small>{escape(why(hit))}</small></li>"
        for place, hit in placed
    ]
    html = f'<ol class="viva-ranked">{"".join(rows[:LISTED])}</ol>'
    if more := rows[LISTED:]:
        html += (
            f'<details class="viva-more"><summary>{len(more)} more</summary>'
            f'<ol class="viva-ranked">{"".join(more)}</ol></details>'
        )
    st.html(html)


def _draw_merged(retrieval: Retrieval, answer: Answer | None, became: Mapping[str, Used]) -> None:
    kept = "used" if retrieval.sufficient else "that come nearest"
    st.markdown(f"## 4. Merged: the passages {kept}", anchors=False)
    if not retrieval.kept:
        st.markdown("There is none.")
        return
    st.caption("Both scores are added by their weights. Arrows show the move from the place by meaning.")
    with st.container(gap="xsmall", key="lab_used"):
        for hit in retrieval.kept:
            draw_hit(
                hit,
                f"· {sanitise.label(telling.moved(hit))}{_became(became.get(hit.chunk.id), answer)}",
                key=f"lab_hit_{hit.rank}",
                query=retrieval.query,
                trace=answer.trace_id if answer else "",
            )


def _became(found: Used | None, answer: Answer | None) -> str:
    """Return what an answer made of a passage, as a badge."""
    if found is None or answer is None:
        return ""
    if found.markers:
        markers = " ".join(map(str, found.markers))
        return f" :green-badge[cited as {markers}]"
    is_quoted = answer.basis == "quotes"
    if found.sentences == 0:
        return f" :orange-badge[{'not looked into for quotes' if is_quoted else 'not sent'}]"
    return f" :gray-badge[{'not quoted' if is_quoted else 'sent, not cited'}]"


def _draw_aside(retrieval: Retrieval) -> None:
    aside = [hit for hit in retrieval.hits if hit.cut is not None]
    st.markdown("## 5. Set aside", anchors=False)
    if not aside:
        st.markdown("Nothing was set aside.")
        return
    shown = len(aside) if st.session_state.get("lab_aside_all") == retrieval.query else ASIDE_SHOWN
    with st.container(gap="xsmall", key="lab_aside"):
        for hit in aside[:shown]:
            draw_hit(
                hit,
                f"· {sanitise.label(hit.cut or '')}",
                key=f"lab_hit_{hit.rank}",
                query=retrieval.query,
            )
    if len(aside) > shown:

        def show_all() -> None:
            st.session_state["lab_aside_all"] = retrieval.query

        st.button(
            f"Show all {len(aside)}",
            key="lab_show_aside",
            type="tertiary",
            icon=":material/unfold_more:",
            on_click=show_all,
        )


def _draw_sent(preview: PromptPreview, *, is_enough: bool) -> None:
    """Draw what a model would be sent, passage by passage."""
    st.markdown("## 7. What would be sent to a model", anchors=False)
    sent = sum(part.fits for part in preview.parts)
    if not is_enough:
        st.markdown("Nothing: what was found is not good enough, so no model is asked.")
        return
    if not sent:
        st.markdown(f"Nothing: no passage fits into a prompt of {preview.budget:,} tokens.")
        return
    st.markdown(
        f"{wording.count(sent, 'passage')} and the instructions, about {preview.tokens:,} tokens of at most "
        f"{preview.budget:,}. Quotes are chosen from the best of them, without a model and without tokens."
    )
    rows = "".join(
        f'<tr><td>{part.hit.rank}</td><th scope="row">'
        f"{escape(telling.passage(part.hit.title, part.hit.chunk.heading_path))}</th>"
        f"<td>{part.tokens:,} tokens</td><td>{_fits(part)}</td></tr>"
        for part in preview.parts
    )
    head = "<tr><th>Rank</th><th>Passage</th><th>Takes</th><th>Fits</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    st.html(f'<div class="viva-table" tabindex="0">{table}</div>')
    with st.expander("The passages as a model reads them", type="compact", icon=":material/data_object:"):
        st.code(preview.passages, language=None, wrap_lines=True)


def _fits(part: PromptPart) -> str:
    if not part.fits:
        return "no: dropped"
    return "its beginning" if part.shortened else "yes"


def _draw_answered(answer: Answer, became: Mapping[str, Used]) -> None:
    """Draw what the answer made of what was found."""
    st.markdown("## 7. What the answer made of it", anchors=False)
    cited = sum(bool(found.markers) for found in became.values())
    told = [
        f"{wording.count(len(answer.citations), 'citation')} from {wording.count(cited, 'passage')}."
        if answer.citations
        else "It cites nothing."
    ]
    if answer.sent:
        sentences = wording.count(len(answer.sent), "sentence")
        if answer.basis == "quotes":
            told.append(f"{sentences} of the passages stood to choice for quoting; no model was asked.")
        else:
            told.append(f"{sentences} were sent to {answer.model or answer.provider}.")
    if answer.dropped_passages:
        told.append(f"{wording.count(answer.dropped_passages, 'passage')} did not fit into the token budget.")
    if answer.dropped_markers:
        told.append(f"{wording.count(answer.dropped_markers, 'invented citation')} were removed.")
    told.append(wording.support(answer.claims).capitalize() + "." if answer.claims else "")
    st.markdown(sanitise.label(" ".join(filter(None, told))))
