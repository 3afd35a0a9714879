"""Draws where a question comes from and what was checked before it could be asked."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.quiz import words
from pages.shared import sanitise
from rag.quiz_types import AskedQuestion

_GATES: Mapping[str, str] = {
    "form": "Its form: no option stands out by length or wording, the question stands alone.",
    "quote": "Its quote stands in the source, word for word.",
    "key_evidence": "The quote speaks of the key more than of any other option.",
    "options_judged": "Every option was judged alone against the source: the key holds, the others don’t.",
    "by_construction": "The key is the very term that the source’s sentence has.",
    "points_judged": "Every point was judged alone against the source: the source says it.",
    "judge_controls": "The judge was tested with statements that the source does not make, and refused them.",
    "blind_solved": "Solved three times from the source alone, without the key, each time right.",
    "unique": "It is no duplicate of another question.",
    "closed_book_solved": "A model solved it without the source, too: it is common knowledge.",
}
_OPEN_GATES: Mapping[str, str] = {
    "form": "Its form: the question stands alone, no point repeats another, the answer takes about a minute.",
    "blind_solved": "Solved from the source alone: the answer mentioned every must-have point.",
}
"""What these gates look at in an open question."""


def gate_words(question: AskedQuestion) -> str:
    """Return as a Markdown list what was checked of a question; a sentence when nothing is recorded."""
    words = {**_GATES, **_OPEN_GATES} if question.kind == "open" else _GATES
    gates = [words.get(gate, gate.replace("_", " ").capitalize()) for gate in question.checks]
    return "\n".join(f"- {sanitise.label(gate)}" for gate in gates) or "No check is recorded."


def draw(asked: AskedQuestion, position: int, *, is_follow_up: bool = False) -> None:
    """Draw the list of checks, closed at first; `position` tells several on one page apart."""
    with st.expander(
        "What was checked", icon=":material/verified:", type="compact", key=f"quiz_checked_{position}"
    ):
        if is_follow_up:
            st.caption("A follow-up is made of its question, and graded by points that were fixed with it.")
            return
        st.caption(f"This question is {words.ORIGINS[asked.origin]}.")
        st.markdown(gate_words(asked))
