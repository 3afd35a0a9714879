"""Draws where to go with a weak point: its passage, the chat, the next review."""

from __future__ import annotations

import streamlit as st

from pages.quiz import excerpts
from pages.sources.legend import CHAT_PAGE
from rag.quiz_types import Evidence

PROGRESS_PAGE = "progress/page.py"


def draw_links(name: str, prompt: str, evidence: Evidence | None) -> None:
    """Draw the links of one point; `name` tells its keys apart, `prompt` is what the chat is asked."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"quiz_study_{name}"):
        if evidence is not None:
            excerpts.draw_link(evidence, "Open the passage")
        if st.button(
            "Ask in chat",
            icon=":material/forum:",
            type="tertiary",
            key=f"quiz_ask_{name}",
            help="Opens the chat with this question in its field; nothing is sent yet.",
        ):
            st.session_state["chat_input"] = prompt
            st.switch_page(CHAT_PAGE)
        st.page_link(
            PROGRESS_PAGE,
            label="In your reviews",
            icon=":material/event_repeat:",
            help="The question comes back by itself; the progress page shows when.",
        )
