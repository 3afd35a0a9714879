"""Draws where to go with a weak point: its passage, the chat, the next review."""

from __future__ import annotations

import streamlit as st

from pages.quiz import excerpts
from pages.shared.leading import PROGRESS_PAGE, to_chat
from rag.quiz_types import Evidence


def draw_links(name: str, prompt: str, evidence: Evidence | None) -> None:
    """Draw the links of one point; `name` tells its keys apart, `prompt` is what the chat is asked."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"quiz_study_{name}"):
        draw_passage_and_chat(f"quiz_ask_{name}", prompt, evidence)
        st.page_link(
            PROGRESS_PAGE,
            label="In your reviews",
            icon=":material/event_repeat:",
            help="The question comes back by itself; the progress page shows when.",
        )


def draw_passage_and_chat(key: str, prompt: str, evidence: Evidence | None) -> None:
    """Draw the link to the passage, if there is one, and the button that takes `prompt` to the chat."""
    if evidence is not None:
        excerpts.draw_link(evidence, "Open the passage")
    if st.button(
        "Ask in chat",
        icon=":material/forum:",
        type="tertiary",
        key=key,
        help="Opens the chat with this question in its field; nothing is sent yet.",
    ):
        to_chat(prompt)
