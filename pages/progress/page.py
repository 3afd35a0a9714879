"""Progress: what is known by topic, and what is due for review."""

from __future__ import annotations

import streamlit as st

st.title("Progress", anchor=False)
