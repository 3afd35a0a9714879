"""Shows what went wrong: one sentence, what to do, and a trace id to quote."""

from __future__ import annotations

import logging
import traceback
import uuid
from collections.abc import Callable

import streamlit as st
from streamlit.logger import get_logger

from pages.shared import sanitise
from rag.errors import RagError

log = logging.getLogger("viva.pages")


def new_trace_id() -> str:
    """Return 16 hexadecimal digits."""
    return uuid.uuid4().hex[:16]


def draw_failure(error: RagError, trace_id: str = "") -> None:
    """Show an error that a person can act on."""
    told = f"**{sanitise.label(str(error))}** {sanitise.label(error.hint)}"
    st.error(told + (f"\n\nTrace id `{trace_id}`" if trace_id else ""), icon=":material/error:")


def attempt(place: str, act: Callable[..., object], *given: object) -> None:
    """Do what a button is for, as its callback; a failure is kept in the session, under the name `place`.

    `draw_kept` shows it in the run that follows.
    """
    try:
        act(*given)
    except RagError as error:
        st.session_state[place] = error


def draw_kept(place: str) -> None:
    """Show, once, what went wrong in the attempt that led to this run."""
    error = st.session_state.pop(place, None)
    if isinstance(error, RagError):
        draw_failure(error)


def report(error: BaseException, trace_id: str = "") -> str:
    """Log where an unexpected error happened, without its message, and return its trace id.

    A message may hold what someone typed, so it is not written to the log.
    """
    trace_id = trace_id or new_trace_id()
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("Trace %s: %s\n%s", trace_id, type(error).__name__, places)
    return trace_id


def keep_messages_out_of_the_log() -> None:
    """Silence Streamlit's own record of a page's error: it has the message, which ours leaves out."""
    get_logger("streamlit.error_util").addFilter(lambda _: False)


def on_script_error(error: Exception) -> bool:
    """Replace Streamlit's traceback for whatever a page did not expect."""
    trace_id = report(error)
    if isinstance(error, RagError):
        draw_failure(error, trace_id)
    else:
        draw_failure(RagError("Something went wrong on this page.", hint="Reload it to go on."), trace_id)
    return True
