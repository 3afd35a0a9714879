"""The conversations: the list in the sidebar, searching, renaming and deleting."""

from __future__ import annotations

import streamlit as st

from pages.shared import sanitise
from pages.shared.people import reader
from rag.services import Services
from rag.storage.conversations import Conversation

SHOWN = 30
"""Conversations that are listed; older ones are found by searching."""


def draw_new_chat(chat: st.Page) -> None:
    """Draw the button for a new conversation."""
    st.button(
        "New chat",
        icon=":material/edit_square:",
        key="chat_new",
        width="stretch",
        on_click=_open,
        args=(chat, ""),
    )


def draw_history(services: Services, chat: st.Page) -> None:
    """Draw the list of the conversations, the last used first."""
    with st.container(key="chat_history", gap="xxsmall"):
        search = st.text_input(
            "Search conversations",
            key="chat_search",
            type="search",
            icon=":material/search:",
            placeholder="Search conversations",
            label_visibility="collapsed",
            live=True,
        )
        found = services.conversations.list(search or "", limit=SHOWN, owner=reader())
        if not found:
            st.caption("Nothing found." if search else "Your conversations will be listed here.")
        for conversation in found:
            _draw_row(conversation, chat)
        if len(found) == SHOWN:
            st.caption("Search to find older ones.")


def _draw_row(conversation: Conversation, chat: st.Page) -> None:
    title = sanitise.label(conversation.title) or "Untitled"
    is_open = st.query_params.get("c") == conversation.id
    st.button(
        f"**{title}**" if is_open else title,
        key=f"chat_open_{conversation.id}",
        type="tertiary",
        wrap=False,
        on_click=_open,
        args=(chat, conversation.id),
    )


def _open(chat: st.Page, conversation_id: str) -> None:
    st.switch_page(chat, query_params={"c": conversation_id} if conversation_id else None)


@st.dialog("Conversation")
def edit_conversation(services: Services, conversation: Conversation) -> None:
    """Rename or delete one conversation; deleting asks once more."""
    title = st.text_input("Title", value=conversation.title, max_chars=120, key="chat_rename_title")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        is_renamed = st.button("Rename", type="primary", key="chat_rename")
        asked = st.button("Delete", icon=":material/delete:", key="chat_delete")
    if is_renamed:
        services.conversations.rename(conversation.id, (title or "").strip() or conversation.title)
        st.rerun()
    if asked:
        st.markdown("The conversation and its answers will be gone for good.")
        st.button(
            "Delete for good",
            icon=":material/delete_forever:",
            key="chat_delete_confirm",
            on_click=_delete,
            args=(services, conversation.id),
        )


def _delete(services: Services, conversation_id: str) -> None:
    services.conversations.delete(conversation_id)
    st.switch_page("chat/page.py")
