"""How the charts of this page look, and the order of who judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import streamlit as st

from rag.quiz.figures import Figures, Tally

OPTIONS, POINTS, RATED = "Multiple choice right", "Points met, graded by a model", "Known by your own rating"
KINDS = (OPTIONS, POINTS, RATED)
COLOURS = ("#14877d", "#b7791f", "#5b7fa6")
"""At least 3 to 1 against both backgrounds."""
SHAPES = ("circle", "square", "triangle-up")
ACCENT = COLOURS[0]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart


def tallies(figures: Figures) -> dict[str, Tally]:
    """Return the tallies by who judged, those without an answer left out."""
    found = {OPTIONS: figures.options, POINTS: figures.points, RATED: figures.rated}
    return {kind: tally for kind, tally in found.items() if tally.answers}


def amount(tally: Tally) -> str:
    """Return e.g. "7 of 9"; empty without an answer."""
    return f"{tally.n} of {tally.of}" if tally.answers else ""


def ink() -> str:
    """Return the theme's colour of text: the labels of charts are too faint by default."""
    return "#e3e9e8" if st.context.theme.type == "dark" else "#101819"


def colour_of(kinds: Sequence[str]) -> alt.Color:
    """Return the colours of these kinds with a legend above the chart."""
    return alt.Color(
        "kind:N",
        sort=list(kinds),
        scale=alt.Scale(domain=list(kinds), range=[COLOURS[KINDS.index(kind)] for kind in kinds]),
        legend=alt.Legend(title=None, orient="top", columns=1, labelLimit=280, symbolOpacity=1),
    )


def draw(chart: Chart, height: int, words: str) -> None:
    """Draw a chart; `words` say what it shows to those who do not see it."""
    told: Any = chart.properties(height=height)
    st.altair_chart(
        told.configure_axis(labelColor=ink(), titleColor=ink()).configure_legend(labelColor=ink()),
        alt=words,
    )
