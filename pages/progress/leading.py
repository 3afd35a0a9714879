"""Leads from here to the other pages: to an answer with its feedback, to the chat, to a quiz."""

from __future__ import annotations

import streamlit as st

from pages.progress import days
from rag.answering.asking import LONGEST_QUESTION
from rag.quiz.history import Answered

QUIZ_PAGE, CHAT_PAGE = "quiz/page.py", "chat/page.py"
WANTED = "quiz_topics_wanted"
"""Under this name the set-up of a quiz finds the topics to choose first."""


def to_answer(one: Answered) -> None:
    """Open the quiz of an answer, at its feedback once the quiz is over."""
    st.session_state["quiz_shown_item"] = one.item.position
    st.session_state["quiz_scroll"] = f"{one.item.position} {days.now().isoformat()}"
    st.switch_page(QUIZ_PAGE, query_params={"s": one.session.id})


def to_chat(question: str) -> None:
    """Open the chat with a question in its field; nothing is sent yet."""
    st.session_state["chat_input"] = question[:LONGEST_QUESTION]
    st.switch_page(CHAT_PAGE)


def to_quiz_on(topics: list[str]) -> None:
    """Open the set-up of a quiz with these topics chosen."""
    st.session_state[WANTED] = topics
    st.switch_page(QUIZ_PAGE)
