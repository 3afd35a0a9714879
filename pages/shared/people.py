"""Tells who is reading: somebody who logged in, or nobody in particular where there is no login."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError


def login_is_on() -> bool:
    """Tell whether the operator set up a login ([auth] in .streamlit/secrets.toml)."""
    try:
        return "auth" in st.secrets
    except (StreamlitSecretNotFoundError, FileNotFoundError):
        return False


def reader() -> str:
    """Return who reads, as the identity provider names them for good; empty without login."""
    if not st.user.get("is_logged_in", False):
        return ""
    return str(st.user.get("sub") or st.user.get("email") or "")


def may_read(owner: str) -> bool:
    """Tell whether the reader may see what belongs to `owner`; what belongs to nobody is for everybody."""
    return owner in ("", reader())


def draw_login() -> None:
    """Draw what somebody sees who has not logged in yet."""
    st.title("Viva", anchor=False)
    st.markdown("Log in to ask questions and to read the sources.")
    st.button("Log in", icon=":material/login:", type="primary", key="login", on_click=st.login)
