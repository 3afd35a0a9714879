"""Leads from one page to another: to an answer with its feedback, to the chat, to a quiz."""

from __future__ import annotations

import streamlit as st

from pages.shared import days
from rag.answering.asking import LONGEST_QUESTION
from rag.quiz.history import Answered

QUIZ_PAGE, CHAT_PAGE, PROGRESS_PAGE = "quiz/page.py", "chat/page.py", "progress/page.py"
WANTED = "quiz_topics_wanted"
"""Session key with the topics that the set-up of a quiz chooses first."""
_SHOWN_ITEM, _SOUGHT = "quiz_shown_item", "quiz_answer_sought"


def to_answer(one: Answered) -> None:
    """Open the quiz of an answer, at its feedback once the quiz is over."""
    st.session_state[_SHOWN_ITEM] = one.item.position
    st.session_state[_SOUGHT] = (one.session.id, f"{one.item.position} {days.now().isoformat()}")
    st.switch_page(QUIZ_PAGE, query_params={"s": one.session.id})


def sought_in(quiz_id: str) -> str:
    """Return what tells the last look for an answer of this quiz from earlier ones; empty: there was none."""
    sought, occasion = st.session_state.get(_SOUGHT, ("", ""))
    return occasion if sought == quiz_id else ""


def to_chat(question: str) -> None:
    """Open the chat with a question in its field; nothing is sent yet."""
    st.session_state["chat_input"] = question[:LONGEST_QUESTION]
    st.switch_page(CHAT_PAGE)


def to_quiz_on(topics: list[str]) -> None:
    """Open the set-up of a quiz with these topics chosen."""
    st.session_state[WANTED] = topics
    st.switch_page(QUIZ_PAGE)
