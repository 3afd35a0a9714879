"""Takes files for the library: dropped files become a job at once, and its progress is shown."""

from __future__ import annotations

import streamlit as st

from pages.shared import failures, people
from pages.sources import jobs
from rag.errors import RagError
from rag.services import Services

_NUMBER, _TAKEN, _FAILURE = "sources_uploads", "sources_upload_taken", "sources_upload_failure"
"""Of this session: how many uploads there were, which names the next field; the ids of the files in the last;
what went wrong in it."""


def draw(ready: Services) -> None:
    """Draw the field that takes files, and how far the files are that were put in."""
    with st.container(key="sources_upload", gap="small"):
        key = f"sources_files_{st.session_state.get(_NUMBER, 0)}"
        # Any type is taken: what a file is shows in its bytes, and the reader of files says what is wrong.
        st.file_uploader(
            "Add documents",
            accept_multiple_files=True,
            key=key,
            on_change=_take,
            args=(ready, key),
        )
        st.caption(
            "PDF, Word (DOCX), web pages, tables (CSV), Markdown and plain text, up to 20 MB each. "
            "Reading starts at once and goes on when you leave this page."
        )
        error = st.session_state.get(_FAILURE)
        if isinstance(error, RagError):
            failures.draw_failure(error)
        jobs.draw(ready)


def _take(ready: Services, key: str) -> None:
    """Store the files as a job and empty the field, so that no later run takes them again.

    The browser sends the field once more with the next run of a fragment, which counts as a change.
    """
    chosen = st.session_state[key]
    ids = [file.file_id for file in chosen]
    st.session_state[_FAILURE] = None
    if not ids or ids == st.session_state.get(_TAKEN):
        return
    try:
        ready.upload([(file.name, file.getvalue()) for file in chosen], owner=people.reader())
    except RagError as error:
        st.session_state[_FAILURE] = error
        return
    st.session_state[_TAKEN] = ids
    st.session_state[_NUMBER] = st.session_state.get(_NUMBER, 0) + 1
