"""Shows what can be asked and where it comes from; makes, takes in and gives back questions."""

from __future__ import annotations

from importlib import import_module

import streamlit as st

from pages.shared.people import reader
from rag.services import Services

PARTS = {
    "all": ":material/list_alt: All questions",
    "new": ":material/edit_note: Write new ones",
    "own": ":material/upload_file: Bring your own",
    "reported": ":material/flag: Reported",
}
"""By the name in the address."""
_MODULES = {"all": "browse", "new": "writing", "own": "importing", "reported": "reports"}


def draw(ready: Services) -> None:
    """Draw the part that the address names; by default all questions by topic."""
    st.button(
        "Back to the quiz",
        icon=":material/arrow_back:",
        type="tertiary",
        key="questions_back",
        on_click=st.query_params.clear,
    )
    st.title("Questions", anchor=False)
    part = st.query_params.get("part", "all")
    part = part if part in PARTS else "all"
    st.session_state["questions_part"] = part
    st.segmented_control(
        "Part",
        list(PARTS),
        format_func=lambda name: _label(ready, name),
        key="questions_part",
        label_visibility="collapsed",
        required=True,
        on_change=_switch,
    )
    import_module(f"pages.quiz.bank_{_MODULES[part]}").draw(ready)


def address(**query: str) -> dict[str, str]:
    """Return the query of an address in this view."""
    return {"view": "questions"} | query


def _label(ready: Services, name: str) -> str:
    reported = len(ready.study.questions.reported(reader())) if name == "reported" else 0
    return f"{PARTS[name]} ({reported})" if reported else PARTS[name]


def _switch() -> None:
    chosen = st.session_state["questions_part"]
    st.query_params.from_dict(address() if chosen == "all" else address(part=chosen))
