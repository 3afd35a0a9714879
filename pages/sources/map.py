"""The map: every passage as a point by what it means, with a question and its hits among them."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import wait

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.shared import sanitise, wording
from pages.shared.links import source_params
from pages.shared.people import reader
from pages.sources import telling
from pages.sources.hits import draw_hit
from pages.sources.map_chart import HEIGHT, WHOLE, Scene, around, chart
from rag.answering.asking import LONGEST_QUESTION
from rag.retrieval.index import CorpusIndex
from rag.retrieval.projection import Projection, picture
from rag.services import Services
from rag.types import Filters, Hit, Retrieval

MOST_TOPICS = 6
"""Topics that are coloured at once: as many colours as all eyes tell apart, each with a shape of its own."""
POLL_S = 0.2


def draw(ready: Services) -> None:
    """Draw the map of what the reader may see."""
    with st.container(key="sources_map"):
        readable = Filters(reader=reader())
        query = st.query_params.get("q", "").strip()[:LONGEST_QUESTION]
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
    scene = Scene(
        _points(ready, index, shown, allowed, topics),
        topics,
        place,
        hits,
        around(place, hits) if place and is_near else WHOLE,
    )
    event = st.altair_chart(
        chart(scene),
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


def _described(scene: Scene, kept: tuple[Hit, ...]) -> str:
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
    st.markdown("## Passages used for this question", anchors=False)
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
