"""The quiz: one under way or finished, where its questions come from, or a new one to set up."""

from __future__ import annotations

from importlib import import_module

import streamlit as st

from pages.shared.services import services

WIDTH = 1100
"""Pixels: a question of about 75 characters a line with the plan beside it."""

ready = services()
quiz_id = st.query_params.get("s", "")
with st.container(horizontal_alignment="center"):
    body = st.container(width=WIDTH, key="quiz_body")
with body:
    if quiz_id:
        import_module("pages.quiz.taking").draw(ready, quiz_id)
    elif st.query_params.get("view", "") == "questions":
        import_module("pages.quiz.questions").draw(ready)
    else:
        import_module("pages.quiz.setup").draw(ready)
