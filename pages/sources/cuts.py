"""Shows how a document is cut into chunks: rules in its text, their sizes, and what they repeat."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import median

import altair as alt
import pandas
import streamlit as st

from pages.shared import links, wording
from pages.shared.reading import Note
from rag.text.sentences import sentences
from rag.types import Chunk, Document

BAR = 50
"""Tokens that one bar of the histogram is wide."""
LISTED = 500
"""Chunks that are listed at most."""


def notes(document: Document, chunks: Sequence[Chunk]) -> list[Note]:
    """Return the rules that are drawn in the text: one where each chunk begins."""
    told = []
    for number, (chunk, repeated) in enumerate(zip(chunks, repeats(document, chunks), strict=True), 1):
        again = f" · repeats the last {wording.count(repeated, 'sentence')} of chunk {number - 1}"
        told.append(Note(chunk.start, f"Chunk {number} · {_tokens(chunk)}{again if repeated else ''}"))
    return told


def repeats(document: Document, chunks: Sequence[Chunk]) -> list[int]:
    """Return for each chunk how many sentences at its beginning are the last ones of the chunk before."""
    if not chunks:
        return []
    starts = _sentence_starts(document.text, document.body_start)
    return [
        0,
        *(
            max(0, bisect_left(starts, before.end) - bisect_left(starts, chunk.start))
            for before, chunk in pairwise(chunks)
        ),
    ][: len(chunks)]


@lru_cache(maxsize=4)
def _sentence_starts(text: str, body_start: int) -> list[int]:
    return [sentence.start for sentence in sentences(text, body_start)]


def draw(document: Document, chunks: Sequence[Chunk]) -> None:
    """Draw the sizes of the chunks in numbers, as a histogram and as a list."""
    with st.container(key="sources_cuts"):
        st.markdown("**Chunks**")
        if not chunks:
            st.caption("This document has no chunks: it holds no words to search for.")
            return
        sizes = [chunk.tokens for chunk in chunks]
        length = sum(chunk.end - chunk.start for chunk in chunks)
        shared = sum(max(0, before.end - chunk.start) for before, chunk in pairwise(chunks))
        told = (
            f"{wording.count(len(chunks), 'chunk')} of {min(sizes):,} to {max(sizes):,} tokens, "
            f"{median(sizes):,.0f} in the median."
        )
        if shared:
            told += (
                f" {shared / length:.0%} of their text repeats the chunk before, so that no thought is cut."
            )
        else:
            told += " None repeats another: each is a section of its own."
        st.caption(told)
        st.altair_chart(_histogram(sizes), alt="How many chunks have how many tokens")
        rows = [
            {
                "Chunk": number,
                "Tokens": chunk.tokens,
                "Repeats": repeated,
                "Open": links.source_url(document.id, chunk.start, chunk.end, chunk.text),
                "Section": " › ".join(name for name in chunk.heading_path if name != document.title)
                or document.title,
            }
            for number, (chunk, repeated) in enumerate(
                zip(chunks[:LISTED], repeats(document, chunks)[:LISTED], strict=True), 1
            )
        ]
        st.dataframe(
            rows,
            hide_index=True,
            height=min(420, 36 * len(rows) + 40),
            column_config={
                "Repeats": st.column_config.NumberColumn(help="Sentences of the chunk before"),
                "Open": st.column_config.LinkColumn(display_text="Open"),
            },
        )
        if len(chunks) > LISTED:
            st.caption(f"The first {LISTED} of {len(chunks):,} are listed.")


def _histogram(sizes: Sequence[int]) -> alt.Chart:
    """Return bars: how many chunks have how many tokens."""
    bars = [
        {"from": at, "to": at + BAR - 1, "chunks": sum(at <= size < at + BAR for size in sizes)}
        for at in range(0, max(sizes) + 1, BAR)
    ]
    chart: alt.Chart = (
        alt.Chart(pandas.DataFrame(bars))
        .mark_bar(color="#14877d")
        .encode(
            x=alt.X("from:Q", bin="binned", title="Tokens in a chunk", axis=alt.Axis(tickMinStep=BAR)),
            x2="to:Q",
            y=alt.Y("chunks:Q", title="Chunks", axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[
                alt.Tooltip("from:Q", title="Tokens from"),
                alt.Tooltip("to:Q", title="to"),
                alt.Tooltip("chunks:Q", title="Chunks"),
            ],
        )
        .properties(height=190)
    )
    return chart


def _tokens(chunk: Chunk) -> str:
    return wording.count(chunk.tokens, "token")
