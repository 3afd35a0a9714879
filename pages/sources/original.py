"""The file that a document came from: to download, and the page of a PDF beside its text."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import PurePosixPath

import streamlit as st

from pages.shared import links, sanitise, wording
from pages.shared.reading import Note
from rag.ingestion.page_image import page_image
from rag.storage.library import Original
from rag.types import Document

MIME = {
    "markdown": "text/markdown",
    "text": "text/plain",
    "html": "application/octet-stream",  # never shown as a page of this server
    "pdf": "application/pdf",
    "docx": "application/octet-stream",
    "csv": "text/csv",
}
HEIGHT = 640
"""Pixels of the viewer of PDF files."""


def draw_download(document: Document, kept: Original | None) -> None:
    """Draw the button that saves the file, or the text of a document that has no other file."""
    name = PurePosixPath(document.path or f"{document.id}.md").name
    if kept is not None:
        name = kept.name
    content = document.text.encode() if kept is None else kept.content
    st.download_button(
        "Download",
        lambda: content,
        file_name=name,
        mime=MIME[document.format] if kept else "text/markdown",
        icon=":material/download:",
        key="sources_download",
        help=f"{sanitise.label(name)}, {wording.size(len(content))}",
        on_click="ignore",
    )


def notes(kept: Original | None) -> list[Note]:
    """Return the rules that tell in the text where each page of the file begins."""
    starts = kept.page_starts if kept else ()
    return [Note(start, f"Page {number}") for number, start in enumerate(starts, 1)]


def draw_page(document: Document, kept: Original | None, place: links.Place) -> None:
    """Draw the page of a PDF that holds the marked words, and the way to the other pages.

    It is drawn as a picture, because that fits any column and phone: the viewer shows a page in the size of
    the paper. The viewer is for the file as a whole, and for a page that could not be drawn.
    """
    if kept is None or document.format != "pdf":
        return
    pages = max(1, len(kept.page_starts))
    state = f"sources_page {document.id} {place.start}"
    holding = bisect_right(kept.page_starts, place.start or 0) - 1
    number = min(max(int(st.session_state.get(state, holding)), 0), pages - 1)

    def go_to(page: int) -> None:
        st.session_state[state] = page

    def turn_to(name: str, page: int, icon: str) -> None:
        if 0 <= page < pages:
            st.button(f"Page {page + 1}", icon=icon, key=f"sources_page_{name}", on_click=go_to, args=(page,))

    with st.container(horizontal=True, vertical_alignment="center", key="sources_pages"):
        turn_to("back", number - 1, ":material/chevron_left:")
        st.markdown(f"Page {number + 1} of {pages}", width="content")
        turn_to("on", number + 1, ":material/chevron_right:")
        if st.button("Whole file", icon=":material/open_in_full:", type="tertiary", key="sources_file"):
            _show_file(document.title, kept)
    with st.spinner("Drawing the page"):
        picture = _picture(document.content_hash + document.file_hash, number, kept.content)
    if picture is None:
        st.caption("This page could not be drawn here; below is the file as your browser reads it.")
        st.pdf(kept.content, height=HEIGHT, alt=f"The file {kept.name}")
    else:
        st.image(picture, width="stretch", alt=f"Page {number + 1} of {kept.name}")


@st.dialog("The whole file", width="large")
def _show_file(title: str, kept: Original) -> None:
    st.caption(sanitise.label(f"{title} · {kept.name}"))
    st.pdf(kept.content, height=HEIGHT, alt=f"The file {kept.name}")


class _NotDrawn(Exception):
    """A page could not be drawn; unlike a value, an exception is not cached."""


def _picture(file: str, number: int, content: bytes) -> bytes | None:
    """Return a page as a picture; None when that failed, which may be for want of time alone."""
    try:
        return _drawn(file, number, content)
    except _NotDrawn:
        return None


@st.cache_data(max_entries=40, show_spinner=False)
def _drawn(file: str, number: int, _content: bytes) -> bytes:
    picture = page_image(_content, number)
    if picture is None:
        raise _NotDrawn
    return picture
