"""Draws what an open answer said of each point, with the words of both sides, and what it left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.quiz import excerpts
from pages.shared import sanitise, wording
from rag.quiz.wording import VERDICTS
from rag.quiz_types import AskedQuestion, Grade, Point, PointVerdict, VerdictName

_OPEN = ":gray[:material/radio_button_unchecked:]"
_ICONS: Mapping[VerdictName, str] = {
    "met": ":green[:material/check_circle:]",
    "partial": ":orange[:material/incomplete_circle:]",
    "missing": _OPEN,
    "contradicted": ":red[:material/cancel:]",
}


def anchors(grade: Grade) -> str:
    """Return what a result rests on, e.g. "1 of 2 must-have points met."."""
    required = [one for one in grade.verdicts if one.must_have]
    met = sum(one.verdict == "met" for one in required)
    told = f"{met} of {wording.count(len(required), 'must-have point')} met." if required else ""
    if any(one.verdict == "contradicted" for one in grade.verdicts):
        told += " A statement contradicts the source; that comes first."
    return told.strip()


def draw_verdicts(grade: Grade) -> None:
    """Draw every point of the rubric with its verdict; a contradiction comes first."""
    with st.container(gap="small"):
        for verdict in sorted(grade.verdicts, key=lambda one: one.verdict != "contradicted"):
            with st.container(border=True, gap="small"):
                _draw_verdict(verdict)
    missed = [one.point for one in grade.verdicts if one.verdict in ("missing", "contradicted")]
    if missed:
        st.markdown("**What was missing**\n\n" + "\n".join(f"- {sanitise.label(point)}" for point in missed))


def _draw_verdict(verdict: PointVerdict) -> None:
    _draw_claim(
        f"{_ICONS[verdict.verdict]} **{VERDICTS[verdict.verdict]}**", verdict.must_have, verdict.point
    )
    yours, source = st.columns(2, gap="medium")
    with yours, st.container(gap="xxsmall"):
        st.caption("Your words")
        st.markdown(
            f"“{sanitise.label(verdict.answer_quote)}”" if verdict.answer_quote else "Nothing on this."
        )
    with source, st.container(gap="xxsmall"):
        st.caption("The source’s words")
        if verdict.evidence is None:
            st.markdown("No source is named for this point.")
        else:
            excerpts.draw_quote(verdict.evidence)
    remarks = [sanitise.label(verdict.why)] if verdict.why else []
    if verdict.denied:
        remarks.append(
            f":material/rule: A check changed the model’s verdict. {sanitise.label(verdict.denied)}"
        )
    if remarks:
        st.caption("  \n".join(remarks))


def draw_not_mentioned(question: AskedQuestion, grade: Grade) -> None:
    """Draw the points that an answer does not seem to mention, each with its source."""
    left_out = [point for point in question.points if point.claim in grade.not_mentioned]
    if left_out:
        title = "This point was not mentioned" if len(left_out) == 1 else "These points were not mentioned"
        draw_points(title, left_out, "Not mentioned")
    else:
        st.markdown(
            "Every point seems to be touched on. Whether what you said of it is right, only you can tell."
        )


def draw_points(title: str, points: Sequence[Point], state: str) -> None:
    """Draw points with their sources; `state` is what each of them is."""
    with st.container(gap="small"):
        st.markdown(f"**{title}**")
        for point in points:
            with st.container(border=True, gap="xsmall"):
                _draw_claim(f"{_OPEN} **{state}**", point.must_have, point.claim)
                if point.evidence is not None:
                    excerpts.draw_quote(point.evidence)


def _draw_claim(state: str, must_have: bool, claim: str) -> None:
    st.markdown(f"{state} · {'must-have' if must_have else 'a plus'}  \n{sanitise.label(claim)}")
