"""Lends the services to the pages and shows the steps of the first start."""

from __future__ import annotations

import streamlit as st

from pages.shared import startup
from pages.shared.failures import draw_failure
from rag.services import Services

POLL_S = 0.2


def services() -> Services:
    """Return the services; while they are being built, show the step that is running.

    Ends the script run when they can't be built, with the reason and a button to try again.
    """
    start = startup.startup()
    if not start.wait(POLL_S / 2):
        _draw_steps(start)
    if start.services is None:
        if start.error is not None:
            draw_failure(start.error)
        st.button("Try again", icon=":material/refresh:", on_click=startup.again, key="start_again")
        st.stop()
    return start.services


def _draw_steps(start: startup.Startup) -> None:
    """Show the progress until the start is over."""
    slot = st.empty()
    with slot.container(width=560, key="starting"):
        st.subheader("Getting the library ready", anchor=False)
        st.caption("Documents are read and indexed on this computer. Only the first start takes this long.")
        bar = st.progress(0.0, text=f"{start.step.text} …")
        while not start.wait(POLL_S):
            step = start.step
            counted = f": {step.done:,} of {step.total:,}" if step.total else " …"
            bar.progress(min(1.0, step.done / step.total) if step.total else 0.0, text=step.text + counted)
    slot.empty()
