"""Removing documents from the library, with a way back: an undo bar and a list of what was removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import streamlit as st

from pages.shared import sanitise, wording
from pages.shared.failures import attempt
from rag.errors import RagError
from rag.services import Services
from rag.storage.library import DocumentSummary, RemovedDocument

REMOVE = ":material/delete: Remove"
OFFERED_FOR = timedelta(days=1)
"""How long the last removal can be undone from the bar; the list of removed documents has it longer."""
FAILURE = "sources_failure"
"""Where a failed attempt to remove or restore a document is kept for the next run."""
_DISMISSED = "sources_undo_dismissed"


def draw_menu(ready: Services, document: DocumentSummary) -> None:
    """Draw what can be done with a document."""
    st.menu_button(
        f":material/more_horiz: More for {sanitise.label(document.title)}",
        [REMOVE],
        key=f"sources_menu_{document.id}",
        type="tertiary",
        on_click=_attempt,
        args=(ready.take_out, document.id),
    )


def draw_undo(ready: Services, reader: str) -> None:
    """Draw a bar at the bottom of the window that takes back the last removal."""
    last = next(iter(ready.library.removed(reader)), None)
    if last is None or not last.can_restore:
        return
    age = datetime.now(UTC) - last.removed_at
    if age > OFFERED_FOR or st.session_state.get(_DISMISSED) == (last.id, last.removed_at):
        return
    when = "" if age < timedelta(minutes=1) else f" {wording.ago(age.total_seconds())}"
    with st.bottom, st.container(key="sources_undo_bar", border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"Removed “{_name(last)}”{when}.", width="content")
            is_undone = st.button("Undo", icon=":material/undo:", key="sources_undo")
            st.button(
                "Dismiss",
                type="tertiary",
                key="sources_undo_dismiss",
                on_click=lambda: st.session_state.update({_DISMISSED: (last.id, last.removed_at)}),
            )
        if is_undone:
            _restore(ready, last)


def draw_removed(ready: Services, reader: str) -> None:
    """Draw the documents that were removed and can be restored or, unless they are shipped, forgotten."""
    removed = [document for document in ready.library.removed(reader) if document.can_restore]
    if not removed:
        return
    with st.expander(f"Removed ({len(removed):,})", key="sources_removed", icon=":material/auto_delete:"):
        st.caption(
            "These are not searched and not quoted any more. Restoring one embeds its text again; "
            "answers that quoted it keep their quotes."
        )
        for document in removed:
            _draw_removed_row(ready, document)


def _draw_removed_row(ready: Services, document: RemovedDocument) -> None:
    age = (datetime.now(UTC) - document.removed_at).total_seconds()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{_name(document)}** · removed {wording.ago(age)}")
        is_restored = st.button("Restore", icon=":material/undo:", key=f"sources_restore_{document.id}")
        if document.origin == "added":  # a shipped one would be read again from the knowledge folder
            _draw_forget(ready, document)
    if is_restored:
        _restore(ready, document)


def _draw_forget(ready: Services, document: RemovedDocument) -> None:
    with st.popover("Delete for good", type="tertiary", key=f"sources_forget_{document.id}"):
        st.markdown("Its text, its vectors and the original file will be gone. This can’t be undone.")
        st.button(
            "Delete for good",
            icon=":material/delete_forever:",
            key=f"sources_forget_confirm_{document.id}",
            on_click=_attempt,
            args=(ready.remove, document.id),
        )


def _restore(ready: Services, document: RemovedDocument) -> None:
    with st.spinner(f"Bringing back “{_name(document)}”: its text is embedded again"):
        _attempt(ready.restore, document.id)
    st.rerun()


def _attempt(act: Callable[[str], bool], document_id: str) -> None:
    """Do something with a document; a failure is shown in the next run."""

    def act_on_it() -> None:
        if not act(document_id):
            raise RagError("This document is not there any more.", hint="It may have been changed elsewhere.")

    attempt(FAILURE, act_on_it)


def _name(document: RemovedDocument) -> str:
    return sanitise.label(document.title) or "Untitled"
