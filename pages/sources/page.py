"""The sources: one document to read, or the library, the retrieval lab, the map and the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from pages.shared import links
from pages.shared.services import services
from rag.answering.asking import LONGEST_QUESTION
from rag.services import Services

VIEWS = {"library": "Library", "lab": "Search lab", "map": "Map", "evaluate": "Evaluation"}
"""By the name in the address; each is a module of this folder, imported when it is first shown."""
ICONS = {
    "library": ":material/menu_book:",
    "lab": ":material/manage_search:",
    "map": ":material/scatter_plot:",
    "evaluate": ":material/fact_check:",
}


def view() -> str:
    """Return the view that the address names; the library by default."""
    named = st.query_params.get("view", "")
    return named if named in VIEWS else "library"


def switched() -> None:
    """Show the chosen view; the query stays."""
    chosen = st.session_state["sources_view"] or view()
    kept = {"q": st.query_params["q"]} if "q" in st.query_params else {}
    st.query_params.from_dict(({} if chosen == "library" else {"view": chosen}) | kept)


def searched() -> None:
    """Show what a new query finds: on the map if that is open, else in the lab."""
    query = str(st.session_state["sources_query"] or "").strip()
    if query:
        st.query_params.from_dict(links.lab_params(query) | ({"view": "map"} if view() == "map" else {}))
    elif "q" in st.query_params:
        del st.query_params["q"]


def draw_head() -> None:
    """Draw the title, the search field and the choice of views, all as the address says."""
    st.session_state["sources_query"] = st.query_params.get("q", "")[:LONGEST_QUESTION]
    st.session_state["sources_view"] = view()
    st.title("Sources", anchor=False)
    st.text_input(
        "Find passages",
        key="sources_query",
        placeholder="Find passages: a question or a few words",
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=LONGEST_QUESTION,
        on_change=searched,
    )
    st.segmented_control(
        "View",
        list(VIEWS),
        format_func=lambda name: f"{ICONS[name]} {VIEWS[name]}",
        key="sources_view",
        label_visibility="collapsed",
        required=True,
        on_change=switched,
    )


ready = services()
place = links.place(st.query_params)
if place is not None:
    from pages.sources.reader import draw as draw_reader

    draw_reader(ready, place)
else:
    draw_head()
    if view() == "library":
        from pages.sources.upload import draw as draw_upload

        draw_upload(ready)
    draw: Callable[[Services], None] = import_module(f"pages.sources.{view()}").draw
    draw(ready)
