"""Draws how the figures went from run to run: a line for each figure, and a table of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import streamlit as st

from pages.shared import wording
from pages.sources.evaluate_result import by, when
from rag.evaluation.figures import figures
from rag.storage.evaluations import Run

LINES = {
    "ranked_right_document_first": "Right document first",
    "answerable_key_facts": "Key facts in the answer",
    "refusal_recall": "Refused as it should be",
    "citations_exact": "Citations equal to the source",
}
COLOURS = ("#14877d", "#b7791f", "#5b7fa6", "#a8577e")
"""At least 3 to 1 against both backgrounds; each line has a shape of its own as well."""
SHAPES = ("circle", "square", "triangle-up", "diamond")
INK = {"light": "#101819", "dark": "#e3e9e8"}
"""The theme's colour of text: labels of charts are too faint by default."""
STATES = {"running": "under way", "done": "done", "failed": "failed", "interrupted": "not finished"}


def draw(stored: Sequence[Run]) -> None:
    """Draw the history of one set of questions, and below it all runs."""
    if not stored:
        st.markdown("No run yet. From the second run of the same questions on, lines show what changed.")
        return
    done = [run for run in reversed(stored) if run.metrics is not None]
    if done:
        _draw_lines(done)
    st.dataframe(
        [_row(run) for run in stored],
        hide_index=True,
        alt="All evaluation runs, newest first",
        height="content" if len(stored) < 12 else 420,
    )


def _draw_lines(done: Sequence[Run]) -> None:
    sets: dict[str, list[Run]] = {}
    for run in done:
        sets.setdefault(str(run.config.get("set_sha256")), []).append(run)
    newest = str(done[-1].config.get("set_sha256"))
    keys = [newest, *(key for key in reversed(sets) if key != newest)]
    chosen = keys[0]
    if len(keys) > 1:
        chosen = st.selectbox(
            "History of",
            keys,
            format_func=lambda key: f"{sets[key][-1].name}, {wording.count(len(sets[key]), 'run')}",
            key="evaluate_history_set",
            width=480,
        )
    runs = sets.get(chosen, sets[newest])
    points = _points(runs)
    if len(runs) == 1:
        st.caption("One run of these questions so far. After the next one, lines show what changed.")
    if points:
        st.altair_chart(_chart(points), alt=_chart_words(runs))


def _points(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a row for each figure of each run; runs of the same minute are told apart by a number."""
    names: dict[str, int] = {}
    points = []
    for run in runs:
        moment = when(run.started_at)
        names[moment] = names.get(moment, 0) + 1
        label = moment if names[moment] == 1 else f"{moment} ({names[moment]})"
        found = figures(run.metrics or {})
        for key, told in LINES.items():
            if (figure := found.get(key)) and figure.interval:
                low, high = figure.interval
                points.append(
                    {
                        "run": label,
                        "figure": told,
                        "share": figure.value,
                        "low": low,
                        "high": high,
                        "told": figure.words,
                        "by": by(run),
                        "documents": run.config.get("documents"),
                        "top": run.config.get("top_k"),
                    }
                )
    return points


def _chart(points: list[dict[str, Any]]) -> alt.LayerChart | alt.FacetChart:
    shown = [told for told in LINES.values() if any(point["figure"] == told for point in points)]
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("run:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        color=alt.Color(
            "figure:N",
            sort=shown,
            scale=alt.Scale(domain=shown, range=list(COLOURS[: len(shown)])),
            legend=alt.Legend(title=None, orient="top", columns=1, labelLimit=260, symbolOpacity=1),
        ),
    )
    share = alt.Y("share:Q", title="Share", axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False))
    lines = base.mark_line(strokeWidth=2).encode(y=share)
    ranges = base.mark_rule(opacity=0.35, strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q")
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        y=share,
        shape=alt.Shape(
            "figure:N", sort=shown, scale=alt.Scale(domain=shown, range=list(SHAPES[: len(shown)]))
        ),
        tooltip=[
            alt.Tooltip("figure:N", title="Figure"),
            alt.Tooltip("told:N", title="Value"),
            alt.Tooltip("run:N", title="Run"),
            alt.Tooltip("by:N", title="Answers from"),
            alt.Tooltip("documents:Q", title="Documents"),
            alt.Tooltip("top:Q", title="Top"),
        ],
    )
    ink = INK.get(st.context.theme.type or "light", INK["light"])
    chart: alt.LayerChart | alt.FacetChart = (
        alt.layer(ranges, lines, marks)
        .properties(height=380)
        .configure_axis(labelColor=ink, titleColor=ink)
        .configure_legend(labelColor=ink)
    )
    return chart


def _chart_words(runs: Sequence[Run]) -> str:
    """Return what the chart shows, for those who do not see it: first and last value of each line."""
    first, last = figures(runs[0].metrics or {}), figures(runs[-1].metrics or {})
    told = [
        f"{label} {first[key].amount} in the first run, {last[key].amount} in the last"
        for key, label in LINES.items()
        if key in first and key in last
    ]
    return f"Figures of {wording.count(len(runs), 'run')}. " + "; ".join(told)


def _row(run: Run) -> dict[str, object]:
    found = figures(run.metrics or {})
    row: dict[str, object] = {
        "When": when(run.started_at),
        "Questions": f"{run.name} ({run.total:,})",
        "Answers from": by(run),
        "State": STATES[run.state] if run.state != "running" else f"{run.done:,} of {run.total:,} asked",
    }
    row |= {label: found[key].amount if key in found else "" for key, label in LINES.items()}
    return row | {
        "Documents": run.config.get("documents"),
        "Top": run.config.get("top_k"),
        "Run id": run.id[:8],
    }
