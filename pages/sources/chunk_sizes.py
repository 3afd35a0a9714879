"""Cuts a document into chunks of other sizes to see what would change; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from statistics import median

import altair as alt
import pandas as pd
import streamlit as st

from pages.shared import sanitise, wording
from rag.ingestion.chunking import PARTS, Sizes, chunk
from rag.services import Services
from rag.storage.library import DocumentSummary
from rag.types import Chunk, Document

EXAMPLES = 4
AROUND = 70
"""Characters that are shown on each side of a boundary."""
NOW, PREVIEW = "as they are", "preview"
BIN = 50
"""Tokens a bar of the histogram stands for."""


def draw(ready: Services, summaries: Sequence[DocumentSummary]) -> None:
    """Draw the sizes to try, and the document cut with them beside how it is cut now."""
    st.markdown(
        "Cut a document with other sizes and see what would change. This is a preview only: nothing is "
        "stored, and searches go on with the chunks as they are."
    )
    titles = {summary.id: summary.title for summary in summaries}
    if not titles:
        st.markdown("The library is empty. Add a document in the library view first.")
        return
    if st.session_state.get("lab_cut_document") not in titles:
        longest = max(summaries, key=lambda summary: summary.tokens)
        st.session_state["lab_cut_document"] = longest.id
    st.selectbox(
        "Document",
        sorted(titles, key=titles.__getitem__),
        format_func=titles.__getitem__,
        key="lab_cut_document",
        persist_state="session",
    )
    document = ready.document(st.session_state["lab_cut_document"])
    if document is None:
        st.warning("This document has just been removed. Choose another one.")
        return
    sizes = _sizes()
    with st.spinner("Cutting the document"):
        now, preview = ready.library.chunks(document.id), chunk(document, sizes)
    _draw_numbers(now, preview)
    if [(part.start, part.end) for part in now] == [(part.start, part.end) for part in preview]:
        st.markdown("No boundary moves.")
    else:
        _draw_boundaries(document, now, preview)


def _sizes() -> Sizes:
    """Draw the sliders and return sizes that go together."""
    left, right = st.columns(2, gap="large")
    with left:
        smallest, largest = st.slider(
            "Smallest and largest chunk, in tokens",
            50,
            1500,
            (PARTS.smallest, PARTS.largest),
            50,
            key="lab_cut_range",
            help="A section that is shorter stays a chunk of its own.",
        )
    with right:
        target = st.slider(
            "Size to aim at, in tokens",
            100,
            1200,
            PARTS.target,
            50,
            key="lab_cut_target",
            help="Only sections above the largest size, or of about two of these, are divided.",
        )
    overlap = st.slider(
        "Overlap, at least and at most, in tokens",
        0,
        200,
        (PARTS.least_overlap, PARTS.most_overlap),
        10,
        key="lab_cut_overlap",
        help="How much of the part before is repeated, in whole sentences, so that none loses its context.",
    )
    fitting = min(max(target, smallest), largest)
    most = min(overlap[1], fitting // 2)
    if (fitting, most) != (target, overlap[1]):
        st.caption(
            f"To go together, the sizes used are: aim at {fitting} tokens, overlap of at most {most} tokens."
        )
    return Sizes(smallest, fitting, largest, min(overlap[0], most), most)


def _draw_numbers(now: Sequence[Chunk], preview: Sequence[Chunk]) -> None:
    told = (
        f"{wording.count(len(preview), 'chunk')} instead of {len(now)}. Half of them have at most "
        f"{_median(preview)} tokens (now {_median(now)}), and {_repeated(preview):.0%} of the text is "
        f"repeated in the next chunk (now {_repeated(now):.0%})."
    )
    st.markdown(told)
    rows = [
        {"Chunks": name, "From": BIN * (part.tokens // BIN)}
        for name, parts in ((NOW, now), (PREVIEW, preview))
        for part in parts
    ]
    bars = pd.DataFrame(rows).value_counts().rename("Number").reset_index()
    bars["Tokens"] = [_bin(first) for first in bars["From"]]
    bins = [_bin(first) for first in sorted(set(bars["From"]))]
    chart = (
        alt.Chart(bars)
        .mark_bar()
        .encode(
            x=alt.X("Tokens:N", sort=bins, title="Tokens of a chunk", axis=alt.Axis(labelAngle=-45)),
            xOffset=alt.XOffset("Chunks:N", sort=[NOW, PREVIEW]),
            y=alt.Y("Number:Q", title="Chunks", axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color(
                "Chunks:N",
                scale=alt.Scale(domain=[NOW, PREVIEW], range=["#8b9896", "#14877d"]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=["Chunks:N", "Tokens:N", "Number:Q"],
        )
        .properties(height=260)
    )
    st.altair_chart(chart, key="lab_cut_chart", alt=f"Histogram of tokens by chunk: {told}")


def _bin(first: int) -> str:
    return f"{first}–{first + BIN - 1}"


def _median(chunks: Sequence[Chunk]) -> int:
    return round(median(part.tokens for part in chunks)) if chunks else 0


def _repeated(chunks: Sequence[Chunk]) -> float:
    """Return the share of all characters that the chunk before has, too."""
    whole = sum(part.end - part.start for part in chunks)
    twice = sum(max(0, one.end - two.start) for one, two in pairwise(chunks))
    return twice / whole if whole else 0.0


def _draw_boundaries(document: Document, now: Sequence[Chunk], preview: Sequence[Chunk]) -> None:
    """Draw examples of where a chunk would end that does not end there now, and the other way round."""
    ends_now, ends_then = ({part.end for part in parts[:-1]} for parts in (now, preview))
    st.markdown("## Where boundaries move", anchors=False)
    for told, ends in (
        ("A chunk would end here", sorted(ends_then - ends_now)),
        ("A chunk would not end here any more", sorted(ends_now - ends_then)),
    ):
        if not ends:
            continue
        st.markdown(f"{told}: {wording.count(len(ends), 'place')}.")
        rows = "".join(f"<li>{_around(document.text, end)}</li>" for end in ends[:EXAMPLES])
        st.html(f'<ul class="viva-cuts">{rows}</ul>')
    if ends_now == ends_then:
        st.markdown("No chunk ends elsewhere; what is repeated from the chunk before changes.")


def _around(text: str, end: int) -> str:
    before = sanitise.plain(text[max(0, end - 3 * AROUND) : end])[-AROUND:].partition(" ")[2]
    after = sanitise.plain(text[end : end + 3 * AROUND])[:AROUND].rpartition(" ")[0]
    return f"… {escape(before)} <strong>‖</strong> {escape(after)} …"
