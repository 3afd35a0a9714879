"""Draws what was missed and what was known, point by point, with your words beside those of the source."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.quiz import study_links
from pages.shared import days, leading, sanitise, wording
from rag.quiz.findings import FindingKind
from rag.quiz.progress import Progress
from rag.quiz.weak_points import PointFigure

SHOWN = 5
"""Weakest points that are drawn at first."""
STRONGEST = 5
QUOTED = 320
"""Characters of a quote that are shown."""
KINDS: Mapping[FindingKind, str] = {
    "contradicted": "Contradicts the source",
    "wrong": "Wrong option",
    "missing": "Missing",
    "partial": "Met in part",
    "not_mentioned": "Not mentioned (a hint, not a grade), and you did not know it",
    "self_rated": "By your own rating",
    "met": "Met",
    "right": "Right option",
}

CHOICES = ("right", "wrong")


def draw(progress: Progress) -> None:
    """Draw the weakest points with what to do about each, then the strongest."""
    st.caption("By your last answer to each question. A point disappears from here once you meet it.")
    if not progress.weakest:
        st.markdown("**No point is missed as things stand.** Take a quiz on another topic to find some.")
    shown = progress.weakest
    if len(shown) > SHOWN and not st.toggle(f"Show all {len(shown):,} points", key="progress_all_points"):
        shown = shown[:SHOWN]
    with st.container(key="progress_weakest"):
        for number, point in enumerate(shown):
            _draw_weak(point, number)
    if progress.weakest:
        with st.expander("As a table", icon=":material/table_rows:", type="compact"):
            st.dataframe(
                [_row(point) for point in progress.weakest],
                hide_index=True,
                alt="Everything that was missed in the last answer to it, the worst first",
            )
    if progress.strongest:
        st.subheader("Strongest points", anchor=False)
        st.dataframe(
            [_row(point) for point in progress.strongest[:STRONGEST]],
            hide_index=True,
            height="content",
            alt="What was known best",
        )


def _draw_weak(point: PointFigure, number: int) -> None:
    finding = point.finding
    with st.container(border=True, gap="small"):
        is_choice = finding.kind in CHOICES
        with st.container(gap=None):
            st.markdown(f"**{_short(finding.prompt if is_choice else finding.claim)}**")
            st.caption(sanitise.label(" · ".join(_facts(point))))
        yours, source = st.columns(2, gap="medium")
        with yours:
            if finding.kind != "self_rated":  # which of the words were about this point is not known
                _draw_words("You chose" if is_choice else "Your words", finding.your_words)
            if is_choice:
                _draw_words("Right is", finding.claim)
        with source:
            if finding.evidence is not None:
                _draw_words(f"The source: {finding.evidence.title}", finding.evidence.quote)
        if finding.why:
            st.caption(_short(finding.why))
        _draw_links(point, number)


def _draw_words(whose: str, words: str) -> None:
    with st.container(gap=None):
        st.caption(sanitise.label(whose))
        st.markdown(f"“{_short(words)}”" if words else "Nothing on this.")


def _draw_links(point: PointFigure, number: int) -> None:
    finding = point.finding
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        study_links.draw_passage_and_chat(f"progress_ask_{number}", finding.prompt, finding.evidence)
        if st.button("See the answer", icon=":material/quiz:", type="tertiary", key=f"progress_see_{number}"):
            leading.to_answer(point.last)


def _facts(point: PointFigure) -> list[str]:
    must = "" if point.finding.must_have else "optional"
    often = f"missed {point.missed} of {point.asked} times" if point.asked > 1 else ""
    day = days.day(point.last.at.astimezone(days.zone()).date())
    return [
        part
        for part in (KINDS[point.finding.kind], wording.topic(point.finding.topic), must, often, day)
        if part
    ]


def _row(point: PointFigure) -> dict[str, object]:
    finding = point.finding
    is_choice = finding.kind in CHOICES
    return {
        "Point": sanitise.plain(f"{finding.prompt} {finding.claim}" if is_choice else finding.claim),
        "Topic": wording.topic(finding.topic),
        "Last time": KINDS[finding.kind],
        "Missed": f"{point.missed} of {point.asked}",
        "Your words": finding.your_words,
        "Words of the source": finding.evidence.quote if finding.evidence else "",
    }


def _short(text: str) -> str:
    words = sanitise.plain(text)
    return sanitise.label(words if len(words) <= QUOTED else words[:QUOTED].rsplit(" ", 1)[0] + " …")
