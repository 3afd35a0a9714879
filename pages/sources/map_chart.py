"""Draws the map as a chart: all points, topics in colour and by name, hits, the question."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st

from pages.shared import wording

COLOURS = ("#1f83c4", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""After Okabe and Ito, "Color Universal Design", 2008; the first is lighter, to be seen on black, too."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
HEIGHT = 560
WHOLE = ((-1.05, 1.05), (-1.05, 1.05))
"""The frame that holds every point."""
LEAST_REACH = 0.12
"""Half the width of the closest view, of a map that is 2 wide."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is on the map."""

    points: pd.DataFrame
    """One row a passage: x, y, topic, title, heading, words, number, coloured."""
    topics: tuple[str, ...]
    """Those in colour."""
    query: tuple[float, float] | None
    """None: there is no question, or nothing to place it by."""
    hits: pd.DataFrame
    """x, y and rank of the passages used."""
    frame: tuple[tuple[float, float], tuple[float, float]]
    """Least and greatest x, then y, that are in view."""


def around(place: tuple[float, float], hits: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the frame that holds the question and the passages used, with some room around."""
    sides = []
    for own, others in zip(place, (hits["x"], hits["y"]), strict=True):
        every = [own, *others]
        middle, reach = (min(every) + max(every)) / 2, (max(every) - min(every)) / 2
        room = max(LEAST_REACH, reach * 1.25)
        sides.append((middle - room, middle + room))
    return sides[0], sides[1]


def _labels(scene: Scene) -> pd.DataFrame:
    """Return the topics with the middle of their passages, moved apart where names would overlap."""
    (left, right), (low, high) = scene.frame
    points = scene.points[scene.points["x"].between(left, right) & scene.points["y"].between(low, high)]
    middles = points.groupby("topic", as_index=False)[["x", "y"]].median().sort_values("y")
    character, line = 0.0075 * (right - left), 0.028 * (high - low)
    set_down: list[tuple[float, float, float]] = []
    for row in middles.itertuples():
        half, y = len(row.topic) * character / 2, row.y
        for x, other_y, other_half in set_down:
            if abs(row.x - x) < half + other_half and y < other_y + line:
                y = other_y + line
        set_down.append((row.x, y, half))
    return middles.assign(y=[y for _, y, _ in set_down])


def chart(scene: Scene) -> alt.LayerChart:
    """Return the chart: all points, topics in colour and by name, hits, the question, what can be clicked."""
    ink, paper = ("#e3e9e8", "#13191a") if st.context.theme.type == "dark" else ("#101819", "#fdfdfc")
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=list(scene.frame[0]), nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=list(scene.frame[1]), nice=False))
    others = scene.points[~scene.points["coloured"]]
    coloured = scene.points[scene.points["coloured"]]
    names = [wording.topic(topic) for topic in scene.topics]
    layers: list[alt.Chart] = [
        alt.Chart(others).mark_circle(size=26, color="#8b9896", opacity=0.45, clip=True).encode(x, y),
        alt.Chart(coloured)
        .mark_point(size=46, filled=True, opacity=0.85, clip=True)
        .encode(
            x,
            y,
            color=alt.Color(
                "topic:N",
                scale=alt.Scale(domain=names, range=list(COLOURS[: len(names)])),
                legend=alt.Legend(title=None, orient="top", columns=3, symbolSize=80, labelLimit=200),
            ),
            shape=alt.Shape("topic:N", scale=alt.Scale(domain=names, range=list(SHAPES[: len(names)]))),
        ),
    ]
    names_at = alt.Chart(_labels(scene)).encode(x, y, text="topic:N")
    # a phone has room for the points alone
    roomy = alt.ExprRef("width > 560 ? 0.95 : 0")
    layers += [
        names_at.mark_text(fontSize=11, fontWeight=600, stroke=paper, strokeWidth=4, opacity=roomy),
        names_at.mark_text(fontSize=11, fontWeight=600, color=ink, opacity=roomy),
    ]
    hits = alt.Chart(scene.hits).encode(x, y)
    layers += [
        hits.mark_circle(size=190, color=paper, stroke=ink, strokeWidth=1.4, opacity=1),
        hits.mark_text(fontSize=10, fontWeight=700, color=ink).encode(text="rank:N"),
    ]
    if scene.query is not None:
        at = alt.Chart(pd.DataFrame({"x": [scene.query[0]], "y": [scene.query[1]]})).encode(x, y)
        layers += [
            at.mark_point(shape="diamond", size=200, filled=True, color=ink, stroke=paper, strokeWidth=2),
            at.mark_text(
                text="your question", dy=-19, fontSize=12, fontWeight=700, stroke=paper, strokeWidth=4
            ),
            at.mark_text(text="your question", dy=-19, fontSize=12, fontWeight=700, color=ink),
        ]
    opened = alt.selection_point("opened", fields=["number"], on="click", empty=False, toggle=False)
    layers.append(
        alt.Chart(scene.points)
        .mark_circle(size=130, opacity=0, clip=True)
        .encode(
            x,
            y,
            tooltip=[
                alt.Tooltip("title:N", title="Document"),
                alt.Tooltip("heading:N", title="Section"),
                alt.Tooltip("topic:N", title="Topic"),
                alt.Tooltip("words:N", title="Begins"),
            ],
        )
        .add_params(opened)
    )
    drawn: alt.LayerChart = alt.layer(*layers).properties(height=HEIGHT).configure_view(strokeOpacity=0)
    return drawn
