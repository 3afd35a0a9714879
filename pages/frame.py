"""The frame around every page: page settings, navigation, the sidebar with conversations and models."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from pages.shared import people
from pages.shared.history import draw_history, draw_new_chat
from pages.shared.picker import draw_picker
from pages.shared.services import services

SHARED = Path(__file__).parent / "shared"

st.set_page_config(
    page_title="Viva",
    page_icon=SHARED / "icon.svg",  # an icon of Streamlit's set would be fetched from another server
    layout="wide",
    initial_sidebar_state="auto",
    menu_items={"About": "**Viva** answers from its sources and shows the sentences it rests on."},
)

# The default page answers at / alone, so the chat is registered twice; the menu shows the one in use.
at_root = urlsplit(st.context.url or "").path in ("", "/")
chat_help = "Ask about GenAI backends and RAG. Answers cite the sentences they rest on."
chat_at_root = st.Page(
    "chat/page.py",
    title="Chat",
    icon=":material/forum:",
    url_path="start",
    default=True,
    visibility="visible" if at_root else "hidden",
    help=chat_help,
)
chat = st.Page(
    "chat/page.py",
    title="Chat",
    icon=":material/forum:",
    url_path="chat",
    visibility="hidden" if at_root else "visible",
    help=chat_help,
)
sources = st.Page(
    "sources/page.py",
    title="Sources",
    icon=":material/menu_book:",
    url_path="sources",
    help="All documents of the library by topic. A citation opens here with its sentence marked.",
)
quiz = st.Page(
    "quiz/page.py",
    title="Quiz",
    icon=":material/quiz:",
    url_path="quiz",
    help="Mock interviews and practice with checked questions; feedback quotes you and the source.",
)
progress = st.Page(
    "progress/page.py",
    title="Progress",
    icon=":material/trending_up:",
    url_path="progress",
    help="What you know by topic, and what is due for review before your interview.",
)
is_shut = people.login_is_on() and not people.reader()
page = st.navigation(
    [chat_at_root, chat, sources, quiz, progress], position="hidden" if is_shut else "sidebar"
)

st.logo(SHARED / "logo.svg", icon_image=SHARED / "icon.svg", size="large")
st.html(SHARED / "viva.css")
if is_shut:
    people.draw_login()
    st.stop()
ready = services()
with st.sidebar:
    draw_new_chat(chat_at_root if at_root else chat)
    draw_picker(ready)
    draw_history(ready, chat_at_root if at_root else chat)
    if people.reader():
        people.draw_logout()
page.run()
