"""Tells who is reading: somebody who logged in, or nobody in particular where there is no login."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shared import sanitise
from pages.shared.failures import draw_failure
from rag.errors import ConfigurationError
from rag.login import DEFAULT, providers


def login_is_on() -> bool:
    """Tell whether the operator set up a login ([auth] in .streamlit/secrets.toml)."""
    try:
        return "auth" in st.secrets
    except (OSError, ValueError):
        # a file that can't be read may ask for a login: only where there is none, everybody may come in
        return any(Path(file).exists() for file in st.get_option("secrets.files"))


def reader() -> str:
    """Return who reads, as the identity provider names them for good; empty without login.

    A name is good for one provider, so that of a provider with a name of its own is put before it.
    """
    if not st.user.get("is_logged_in", False):
        return ""
    name = str(st.user.get("sub") or st.user.get("email") or "")
    provider = st.user.get("provider") or DEFAULT
    return name if provider == DEFAULT or not name else f"{provider}:{name}"


def may_read(owner: str) -> bool:
    """Tell whether the reader may see what belongs to `owner`; what belongs to nobody is for everybody."""
    return owner in ("", reader())


def draw_login() -> None:
    """Draw what somebody sees who has not logged in yet."""
    st.title("Viva", anchor=False)
    try:
        names = providers(st.secrets["auth"])
    except ConfigurationError as error:
        draw_failure(error)
        return
    except (OSError, ValueError):
        draw_failure(
            ConfigurationError(
                "The file with the secrets can't be read.",
                hint="Whoever runs Viva finds the place with `python -m rag doctor`.",
            )
        )
        return
    st.markdown("Log in to ask questions and to read the sources.")
    for name in names:
        st.button(
            "Log in" if len(names) == 1 else f"Log in with {sanitise.label(name)}",
            icon=":material/login:",
            type="primary",
            key="login" if name == DEFAULT else f"login_{name}",
            on_click=st.login,
            args=(name,),
        )


def draw_logout() -> None:
    """Draw who is logged in, and the way out."""
    name = st.user.get("name") or st.user.get("email") or reader()
    st.caption(f"Logged in as {sanitise.label(str(name))}")
    st.button("Log out", icon=":material/logout:", type="tertiary", key="logout", on_click=st.logout)
