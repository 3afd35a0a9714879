"""Measures the kinds of vector index on the library itself: what they find, how fast, which to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.failures import draw_failure
from pages.shared.people import reader
from pages.sources import telling
from rag.errors import RagError
from rag.evaluation.index_advice import advise
from rag.evaluation.index_bench import IndexFigures, index_figures_to_json, measure_indexes
from rag.services import Services
from rag.types import Filters

KEPT_AS = "index_figures"
"""Name of the preference that holds the last measurement, for everybody."""
UNSAVED = "lab_unsaved_figures"
"""Session key of a measurement that could not be stored."""
NAMES = {"flat": "Flat", "ivf": "IVF", "hnsw": "HNSW"}
"""As the chart calls them, which has little room on a phone."""
COLOURS = {"flat": "#8b9896", "ivf": "#2b8cbe", "hnsw": "#d55e00"}
TICKS_MS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
SHAPES = {"flat": "diamond", "ivf": "square", "hnsw": "circle"}


def draw(ready: Services) -> None:
    """Draw the last measurement, the advice that follows from it, and the way to measure again."""
    index = ready.retriever.index
    vectors = len(index.vectors)
    in_use = ready.retrieval_config
    name, searched = telling.INDEXES[in_use.index], wording.count(vectors, "vector")
    st.markdown(
        f"An index finds the vectors nearest to a question. In use: **{name}**, over {searched}. Exact "
        "search compares all of them; IVF looks into a few cells, HNSW follows a graph. Both compare fewer "
        "and may miss something. The index is only a part of a search: matching words and weighing passages "
        "take as long with any of them."
    )
    if vectors < 2:
        st.markdown("There is nothing to measure on yet. Add documents in the library view first.")
        return
    if st.button("Measure on this library", key="lab_measure", icon=":material/speed:"):
        _measure(ready)
    kept = st.session_state.get(UNSAVED) or ready.preferences.get(KEPT_AS)
    figures = [] if kept is None else _figures(kept["figures"])
    if kept is None or not figures:
        st.caption("Not measured yet. It takes about 30 seconds for 12,000 vectors.")
        return
    if kept["version"] != index.version:
        st.caption("The library has changed since this was measured. Measure again to be sure.")
    advice = advise(figures, kept["vectors"])
    st.info(sanitise.label(advice.text), icon=":material/lightbulb:")
    _draw_chart(figures, advice.text)
    _draw_table(figures)
    _draw_choice(ready, figures)


def _measure(ready: Services) -> None:
    bar = st.progress(0.0, text="Measuring")

    def progress(kind: str, done: int, total: int) -> None:
        names: dict[str, str] = {
            known: f"Building and asking: {told}" for known, told in telling.INDEXES.items()
        }
        names |= {"search": "Timing whole searches", "done": "Done"}
        bar.progress(min(1.0, done / total), text=names.get(kind, "Measuring"))

    try:
        index = ready.retriever.refresh()
        figures = measure_indexes(
            ready.retriever, ready.library, ready.retrieval_config, Filters(reader=reader()), progress
        )
    except RagError as error:
        draw_failure(error)
        return
    finally:
        bar.empty()
    measured = {
        "version": index.version,
        "vectors": len(index.vectors),
        "figures": index_figures_to_json(figures),
    }
    try:
        ready.preferences.set(KEPT_AS, measured)
    except RagError as error:
        st.session_state[UNSAVED] = measured
        draw_failure(error)
        st.caption("The figures below could not be stored: they are gone when you close this page.")
    else:
        st.session_state.pop(UNSAVED, None)


def _figures(rows: Sequence[dict[str, Any]]) -> list[IndexFigures]:
    """Return the figures that were stored; empty when an earlier version of Viva stored other ones."""
    try:
        return [IndexFigures(**row) for row in rows]
    except TypeError:
        return []


def _draw_chart(figures: Sequence[IndexFigures], told: str) -> None:
    """Draw what is found against how long it takes, one point an index and effort."""
    rows = pd.DataFrame(
        {
            "Index": NAMES[figure.kind],
            "Effort": str(figure.effort or "all"),
            "Order": figure.effort,
            "Found": figure.recall_at_10,
            "Milliseconds": figure.p50_ms,
            "Slow": figure.p95_ms,
            "Whole": figure.search_p50_ms,
            "Build": figure.build_ms,
        }
        for figure in figures
    )
    names = list(NAMES.values())
    times = [figure.p50_ms for figure in figures]
    base = alt.Chart(rows).encode(
        x=alt.X(
            "Milliseconds:Q",
            scale=alt.Scale(type="log", nice=False, domain=[min(times) / 1.5, max(times) * 1.5]),
            title="Milliseconds in the index alone (log)",
            axis=alt.Axis(format="~g", values=list(TICKS_MS), grid=False),
        ),
        y=alt.Y(
            "Found:Q",
            scale=alt.Scale(zero=False, padding=12),
            title="Found of the 10 nearest",
            axis=alt.Axis(format="%"),
        ),
        color=alt.Color(
            "Index:N",
            scale=alt.Scale(domain=names, range=list(COLOURS.values())),
            legend=alt.Legend(title=None, orient="top", symbolOpacity=1),
        ),
        tooltip=[
            alt.Tooltip("Index:N"),
            alt.Tooltip("Effort:N"),
            alt.Tooltip("Found:Q", format=".1%", title="Found of the 10 nearest"),
            alt.Tooltip("Milliseconds:Q", format=".2f", title="Index alone, half done in (ms)"),
            alt.Tooltip("Slow:Q", format=".2f", title="Index alone, 19 of 20 done in (ms)"),
            alt.Tooltip("Whole:Q", format=".1f", title="Whole search, half done in (ms)"),
            alt.Tooltip("Build:Q", format=",.0f", title="Building it takes (ms)"),
        ],
    )
    lines = base.mark_line(opacity=0.35, strokeWidth=1.5).encode(order="Order:Q")
    points = base.mark_point(size=90, filled=True, opacity=1).encode(
        shape=alt.Shape("Index:N", scale=alt.Scale(domain=names, range=list(SHAPES.values())))
    )
    labels = base.mark_text(dy=-12, fontSize=11).encode(text="Effort:N", color=alt.value("#8b9896"))
    chart = alt.layer(lines, points, labels).properties(height=340)
    st.altair_chart(chart, key="lab_indexes", alt=f"Recall against latency of each index. {told}")
    whole = [figure.search_p50_ms for figure in figures]
    st.caption(
        "Each point is an index with an effort (its number): IVF’s cells visited, HNSW’s list length. "
        f"A whole search with one of them takes {min(whole):.0f} to {max(whole):.0f} ms, embedding the "
        "question left out."
    )


def _draw_table(figures: Sequence[IndexFigures]) -> None:
    rows = "".join(
        f'<tr><th scope="row">{escape(telling.INDEXES[figure.kind])}</th><td>{figure.effort or "all"}</td>'
        f"<td>{figure.recall_at_10:.1%}</td><td>{figure.p50_ms:.2f} ms</td><td>{figure.p95_ms:.2f} ms</td>"
        f"<td>{figure.search_p50_ms:.1f} ms</td><td>{wording.duration(figure.build_ms)}</td></tr>"
        for figure in figures
    )
    head = (
        "<tr><th>Index</th><th>Effort</th><th>Found of the 10 nearest</th>"
        "<th>Index alone, half done in</th><th>Index alone, 19 of 20 done in</th>"
        "<th>Whole search, half done in</th><th>Building the index</th></tr>"
    )
    with st.expander("All figures", icon=":material/table:"):
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        st.html(f'<div class="viva-table" tabindex="0">{table}</div>')


def _draw_choice(ready: Services, figures: Sequence[IndexFigures]) -> None:
    """Draw the way to make one of the measured indexes the default."""
    in_use = ready.retrieval_config
    options = {(figure.kind, figure.effort): figure for figure in figures}

    def use() -> None:
        kind, effort = st.session_state["lab_index"]
        try:
            ready.set_retrieval_config(replace(ready.retrieval_config, index=kind, effort=effort))
        except RagError as error:
            st.session_state["lab_problem"] = error
        else:
            st.toast(f"{telling.INDEXES[kind]} is the default now.", icon=":material/check:")

    if problem := st.session_state.pop("lab_problem", None):
        draw_failure(problem)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Index for every search",
            list(options),
            format_func=lambda option: _option(options[option]),
            index=next((n for n, option in enumerate(options) if option == (in_use.index, in_use.effort)), 0),
            key="lab_index",
            width=420,
        )
        st.button("Make it the default", key="lab_index_default", on_click=use)
    st.caption("It holds at once, for everybody; “Two settings” leads back to the settings.")


def _option(figure: IndexFigures) -> str:
    effort = f", effort {figure.effort}" if figure.effort else ""
    return (
        f"{telling.INDEXES[figure.kind]}{effort}: finds {figure.recall_at_10:.1%}, "
        f"a search takes {figure.search_p50_ms:.0f} ms"
    )
