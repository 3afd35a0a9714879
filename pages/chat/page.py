"""The chat: questions, answers that cite their sources, and everything one can do with an answer."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from pages.shared import asking, picker, sanitise
from pages.shared.failures import draw_failure
from pages.shared.history import edit_conversation
from pages.shared.people import may_read, reader
from pages.shared.running import being_written
from pages.shared.scrolling import be_ready, scroll_to
from pages.shared.services import services
from pages.shared.turns import TurnView
from pages.shared.wording import count
from rag.answering.asking import LONGEST_QUESTION
from rag.answering.export import conversation_json, conversation_markdown
from rag.errors import RagError
from rag.storage.conversations import Conversation, StoredTurn

TURNS_SHOWN = 20
"""Turns that are drawn at first; earlier ones on request."""
WIDTH = 1180
"""Pixels: an answer of about 75 characters a line with its evidence beside it."""

ready = services()
conversation_id = st.query_params.get("c", "")
conversation = ready.conversations.get(conversation_id) if conversation_id else None
if conversation is not None and conversation.owner != reader():
    conversation = None


def ask(question: str) -> None:
    """Begin the answer to a new question; what can't be asked goes back into the input."""
    question = question.strip()
    problem = picker.lacking(ready)
    if len(question) > LONGEST_QUESTION:
        problem = (
            f"This question has {len(question):,} characters; {LONGEST_QUESTION:,} is the most. "
            "Shorten it and send it again."
        )
    if not problem:
        try:
            opened = asking.ask(ready, st.query_params.get("c", ""), question, picker.chosen(ready))
        except RagError as error:
            problem = f"{error} {error.hint}"
        else:
            st.query_params["c"] = opened
            return
    st.session_state["chat_input"] = question
    st.session_state["chat_problem"] = problem


def submitted() -> None:
    """Take the question from the input."""
    typed = st.session_state["chat_input"]
    if typed and typed.strip():
        ask(typed)


def draw_welcome() -> None:
    """Draw what an empty chat shows: what this is, and questions to begin with."""
    documents = sum(may_read(summary.owner) for summary in ready.library.summaries())
    st.title("What would you like to understand?", anchor=False)
    if not documents:
        st.markdown("The library is empty. Add documents, then ask.")
        st.page_link("sources/page.py", label="Add documents", icon=":material/upload_file:")
        return
    subject = " on GenAI backends and RAG" if ready.settings.load_knowledge else ""
    offline = " It works offline, and there is nothing to set up."
    st.markdown(
        f"Viva answers from {count(documents, 'document')}{subject}, and shows the sentence behind every "
        f"statement.{offline if ready.default_choice.provider == 'embedded' else ''}"
    )
    if "chat_suggestions" not in st.session_state:
        st.session_state["chat_suggestions"] = ready.suggested_questions(4)
    with st.grid(2, min_column_width=260, key="chat_suggested"):
        for position, question in enumerate(st.session_state["chat_suggestions"]):
            st.button(
                sanitise.label(question),
                key=f"chat_suggestion_{position}",
                icon=":material/arrow_outward:",
                icon_position="right",
                width="stretch",
                wrap=True,
                on_click=ask,
                args=(question,),
            )


def draw_head(opened: Conversation, turns: list[StoredTurn]) -> None:
    """Draw the title of the conversation and what can be done with it as a whole."""
    with st.container(horizontal=True, vertical_alignment="center"):
        title = sanitise.label(opened.title) or "Untitled"
        st.markdown(f"##### {title}", anchors=False, width="stretch")
        if st.button("Edit", icon=":material/edit:", type="tertiary", key="chat_edit"):
            edit_conversation(ready, opened)
        with st.popover("Export", icon=":material/download:", type="tertiary", key="chat_export"):
            for name, suffix, write in (
                ("Markdown", "md", conversation_markdown),
                ("JSON", "json", conversation_json),
            ):
                st.download_button(
                    name,
                    partial(write, opened, turns),
                    file_name=f"conversation.{suffix}",
                    key=f"chat_export_{name.lower()}",
                    on_click="ignore",
                    width="stretch",
                )


def last_answered(turn: StoredTurn) -> datetime:
    """Return when the newest answer to a question was begun."""
    return max([turn.created_at, *(answer.created_at for answer in turn.answers)])


with st.container(horizontal_alignment="center"):
    body = st.container(width=WIDTH, key="chat_body")
with st.bottom:
    if problem := st.session_state.pop("chat_problem", ""):
        draw_failure(RagError(problem))
    st.chat_input(
        "Ask about GenAI backends and RAG", key="chat_input", submit_mode="stop", on_submit=submitted
    )
with body:
    if conversation_id and conversation is None:
        st.info("This conversation is no longer there. Ask to start a new one.", icon=":material/info:")
    running = being_written()
    turns = ready.conversations.turns(conversation.id) if conversation else []
    if conversation is None or not turns:
        be_ready()
        draw_welcome()
    else:
        newest = max(turns, key=last_answered)
        scroll_to(f".st-key-chat_question_{newest.position + 1}", f"{newest.id} {len(newest.answers)}")
        draw_head(conversation, turns)
        first = max(0, len(turns) - TURNS_SHOWN)
        if first and st.session_state.get("chat_all_turns_of") != conversation.id:
            st.button(
                f"Show {first} earlier",
                key="chat_earlier",
                type="tertiary",
                on_click=st.session_state.update,
                args=({"chat_all_turns_of": conversation.id},),
            )
        else:
            first = 0
        for turn in turns[first:]:
            shown = turn.answers[turn.shown].id if turn.answers else ""
            TurnView(ready, conversation.id, turn, running.get(shown), ask).draw()
