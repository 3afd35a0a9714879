"""The quiz: set one up, answer it, read the feedback."""

from __future__ import annotations

import streamlit as st

st.title("Quiz", anchor=False)
