"""Draws one answer: its text with citation chips, how well it is supported, and what it is not."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import sanitise, wording
from pages.shared.links import source_url
from rag.types import Answer, Claim, Support

COLOURS: dict[Support, str] = {
    "supported": "green",
    "unchecked": "gray",
    "partial": "orange",
    "unsupported": "red",
}
_WORST: tuple[Support, ...] = ("unsupported", "partial", "supported", "unchecked")


def answer_markdown(answer: Answer) -> str:
    """Return the text with every marker as a link that shows the cited sentence."""
    return sanitise.markdown(answer.text, chips(answer))


def chips(answer: Answer) -> dict[int, sanitise.Chip]:
    """Return how each marker is shown; its colour is that of the worst supported claim it stands for."""
    return {
        citation.marker: sanitise.Chip(
            source_url(citation.document_id, citation.start, citation.end, citation.quote, answer.trace_id),
            citation.quote,
            COLOURS[_worst(answer, citation.marker)],
        )
        for citation in answer.citations
    }


def draw_answer(
    answer: Answer, *, banner: DeltaGenerator, text: DeltaGenerator, notes: DeltaGenerator
) -> None:
    """Fill the places for a warning, the text, and what is to be said about the text."""
    if answer.basis == "general_knowledge":
        banner.warning(
            "From the model’s general knowledge. It rests on no source and was not checked.",
            icon=":material/public:",
        )
    if answer.text:
        text.markdown(answer_markdown(answer), anchors=False)
    with notes.container(gap="small"):
        _draw_outcome(answer)
        told = [wording.answered_by(answer), wording.support(answer.claims)]
        has_words = answer.text and answer.outcome != "not_in_kb"
        if line := ". ".join(part for part in told if part and has_words):
            st.caption(sanitise.label(line) + ".")
        for claim in answer.claims:
            if claim.support in ("partial", "unsupported"):
                st.markdown(_doubt(claim))


def draw_ways_on(
    answer: Answer,
    n: int,
    ask: Callable[[str], None],
    from_general_knowledge: Callable[[], None] | None,
    again: Callable[[], None],
) -> None:
    """Draw the buttons for what to do next when the answer is missing or incomplete.

    from_general_knowledge: None when no generative model is configured.
    """
    if answer.outcome == "interrupted":
        st.button("Try again", icon=":material/refresh:", key=f"chat_retry_{n}", on_click=again)
    if answer.outcome != "not_in_kb":
        return
    topics = answer.retrieval.nearest_topics if answer.retrieval else ()
    if topics:
        st.caption("The nearest topics in the library:")
        with st.container(horizontal=True, key=f"chat_topics_{n}"):
            for position, topic in enumerate(topics):
                st.button(
                    sanitise.label(topic),
                    key=f"chat_topic_{n}_{position}",
                    on_click=ask,
                    args=(f"What should I know about {wording.in_sentence(topic)}?",),
                )
    if from_general_knowledge is not None:
        st.caption("Or let the model answer from memory: marked as such, without citations.")
        st.button(
            "Answer from general knowledge",
            icon=":material/public:",
            key=f"chat_general_{n}",
            on_click=from_general_knowledge,
        )


def _draw_outcome(answer: Answer) -> None:
    match answer.outcome:
        case "partial":
            missing = sanitise.label(answer.missing) or "part of the question"
            st.info(f"The sources answer only part of this. Missing: {missing}.", icon=":material/info:")
        case "interrupted":
            note = sanitise.label(answer.note) or "The answer was interrupted."
            trace = f" Trace id `{sanitise.label(answer.trace_id)}`" if answer.trace_id else ""
            st.warning(f"**Not finished.** {note}{trace}", icon=":material/pause_circle:")
        case "not_in_kb" | "answered":
            if answer.note and answer.basis != "general_knowledge":
                st.caption(sanitise.label(answer.note))


def _doubt(claim: Claim) -> str:
    colour = COLOURS[claim.support]
    words = wording.SUPPORT[claim.support]
    reason = f" {sanitise.label(claim.reason)}" if claim.reason else ""
    return f":{colour}-badge[{words}] “{sanitise.label(claim.text)}”{reason}"


def _worst(answer: Answer, marker: int) -> Support:
    held = {claim.support for claim in answer.claims if marker in claim.markers}
    return next((support for support in _WORST if support in held), "unchecked")
