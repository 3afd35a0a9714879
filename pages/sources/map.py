"""The map: every passage as a point by what it means, with a question and its hits among them."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import wait
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.shared import sanitise, wording
from pages.shared.links import source_params
from pages.shared.people import reader
from pages.sources import telling
from pages.sources.hits import draw_hit
from rag.retrieval.index import CorpusIndex
from rag.retrieval.projection import Projection, picture
from rag.services import Services
from rag.types import Filters, Hit, Retrieval

MOST_TOPICS = 6
"""Topics that are coloured at once: as many colours as all eyes tell apart, each with a shape of its own."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Of Okabe and Ito, "Color Universal Design", 2008; visible on white and on black."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
HEIGHT = 560
LEAST_REACH = 0.12
"""Half the width of the closest view, of a map that is 2 wide."""
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class _Scene:
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


def draw(ready: Services) -> None:
    """Draw the map of what the reader may see."""
    with st.container(key="sources_map"):
        readable = Filters(reader=reader())
        query = st.query_params.get("q", "").strip()
        retrieval = ready.retriever.retrieve(query, filters=readable) if query else None
        index = ready.retriever.index
        allowed = index.allowed(readable)
        if not allowed.any():
            st.markdown("The map is empty, because the library is. Add documents in the library view.")
            return
        shown = _wait_for(index)
        _draw_map(ready, index, shown, allowed, retrieval)


def _wait_for(index: CorpusIndex) -> Projection:
    """Return the picture of an index; while it is being made, say so."""
    made = picture(index)
    if not wait([made], POLL_S).done:
        slot, started = st.empty(), time.monotonic()
        with slot.container():
            told = st.empty()
            st.skeleton(height=HEIGHT)
        while not wait([made], POLL_S).done:
            told.caption(
                f"Laying out {wording.count(len(index.chunks), 'passage')} by what they mean, "
                f"{time.monotonic() - started:.0f} s. This is done once and again when the library changes."
            )
        slot.empty()
    return made.result()


def _draw_map(
    ready: Services,
    index: CorpusIndex,
    shown: Projection,
    allowed: NDArray[np.bool_],
    retrieval: Retrieval | None,
) -> None:
    sizes = Counter(chunk.topic for chunk, may in zip(index.chunks, allowed, strict=True) if may)
    picked = st.multiselect(
        "Topics in colour",
        sorted(sizes),
        format_func=lambda topic: f"{wording.topic(topic)} ({sizes[topic]:,})",
        key="map_topics",
        max_selections=MOST_TOPICS,
        placeholder=f"{'Those of the passages used' if retrieval else 'The six largest'}; choose others",
        persist_state="session",
    )
    kept = retrieval.kept if retrieval else ()
    suggested = [hit.topic for hit in kept] if retrieval else [name for name, _ in sizes.most_common()]
    topics = tuple(picked) or tuple(dict.fromkeys(suggested))[:MOST_TOPICS]
    place = shown.place(ready.retriever.embed(retrieval.query), allowed) if retrieval else None
    hits = _hits_at(index, shown, kept)
    is_near = place is not None and st.toggle("Only around the question", key="map_near")
    scene = _Scene(
        _points(ready, index, shown, allowed, topics),
        topics,
        place,
        hits,
        _around(place, hits) if place and is_near else ((-1.05, 1.05), (-1.05, 1.05)),
    )
    event = st.altair_chart(
        _chart(scene),
        key="map_chart",
        on_select="rerun",
        selection_mode="opened",
        width="stretch",
        alt=_described(scene, kept),
    )
    if chosen := event["selection"].get("opened"):
        _open(ready, index, int(chosen[0]["number"]), allowed)
    method = (
        "Neighbours on the map mean similar things; distances across it say little (t-SNE)."
        if shown.method == "tsne"
        else "The two directions in which the passages differ most (PCA)."
    )
    st.caption(
        f"{wording.count(len(scene.points), 'passage')}, each a point. Click one to read it. {method} A "
        "question stands at the mean of the five passages nearest to it, weighted by how near they are."
    )
    _draw_text(retrieval, sizes)


def _points(
    ready: Services,
    index: CorpusIndex,
    shown: Projection,
    allowed: NDArray[np.bool_],
    topics: tuple[str, ...],
) -> pd.DataFrame:
    numbers = [int(number) for number in np.flatnonzero(allowed)]
    texts = ready.library.chunks_by_id([index.chunks[number].id for number in numbers])
    rows = []
    for number in numbers:
        place = index.chunks[number]
        chunk = texts.get(place.id)
        if chunk is None:  # removed since the index was built
            continue
        rows.append(
            {
                "x": float(shown.positions[number, 0]),
                "y": float(shown.positions[number, 1]),
                "topic": wording.topic(place.topic),
                "coloured": place.topic in topics,
                "title": place.title,
                "heading": " › ".join(name for name in chunk.heading_path if name != place.title),
                "words": telling.first_words(chunk),
                "number": number,
            }
        )
    return pd.DataFrame(rows)


def _hits_at(index: CorpusIndex, shown: Projection, kept: tuple[Hit, ...]) -> pd.DataFrame:
    number_of = {chunk.id: number for number, chunk in enumerate(index.chunks)}
    places = [(hit.rank, number_of[hit.chunk.id]) for hit in kept if hit.chunk.id in number_of]
    return pd.DataFrame(
        {
            "x": [float(shown.positions[number, 0]) for _, number in places],
            "y": [float(shown.positions[number, 1]) for _, number in places],
            "rank": [str(rank) for rank, _ in places],
        }
    )


def _around(
    place: tuple[float, float], hits: pd.DataFrame
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the frame that holds the question and the passages used, with some room around."""
    sides = []
    for own, others in zip(place, (hits["x"], hits["y"]), strict=True):
        every = [own, *others]
        middle, reach = (min(every) + max(every)) / 2, (max(every) - min(every)) / 2
        room = max(LEAST_REACH, reach * 1.25)
        sides.append((middle - room, middle + room))
    return sides[0], sides[1]


def _labels(scene: _Scene) -> pd.DataFrame:
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


def _chart(scene: _Scene) -> alt.LayerChart:
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
    chart: alt.LayerChart = alt.layer(*layers).properties(height=HEIGHT).configure_view(strokeOpacity=0)
    return chart


def _described(scene: _Scene, kept: tuple[Hit, ...]) -> str:
    told = f"Map of {len(scene.points)} passages by meaning, grouped by topic"
    if kept:
        told += "; the question stands near " + ", ".join(dict.fromkeys(hit.title for hit in kept[:3]))
    return told


def _open(ready: Services, index: CorpusIndex, number: int, allowed: NDArray[np.bool_]) -> None:
    """Open the passage with this number in the reader; the number comes from the browser."""
    if not 0 <= number < len(index.chunks) or not allowed[number]:
        return
    found = ready.library.chunks_by_id([index.chunks[number].id])
    for chunk in found.values():
        st.query_params.from_dict(source_params(chunk.document_id, chunk.start, chunk.end, chunk.text))
        st.rerun()


def _draw_text(retrieval: Retrieval | None, sizes: Counter[str]) -> None:
    """Draw what the picture shows as text."""
    if retrieval is None:
        st.markdown("Type a question above to see where it stands and which passages are nearest.")
        listed = ", ".join(f"{wording.topic(topic)} {number:,}" for topic, number in sizes.most_common())
        st.caption(f"Passages by topic: {sanitise.label(listed)}.")
        return
    st.markdown("##### Passages used for this question", anchors=False)
    if not retrieval.kept:
        st.markdown("None is near enough to be used.")
    with st.container(gap="xsmall"):
        for hit in retrieval.kept:
            draw_hit(
                hit,
                f"· {sanitise.label(wording.ranks(hit))}",
                key=f"map_hit_{hit.rank}",
                query=retrieval.query,
            )
