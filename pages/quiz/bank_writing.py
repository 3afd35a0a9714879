"""Lets a model write questions on chosen documents, or makes fill-in questions without one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.quiz import bank_runs
from pages.quiz.questions import address
from pages.shared import generating, picker, sanitise, wording
from pages.shared.failures import draw_failure
from pages.shared.people import reader
from rag.errors import InvalidInput, RagError
from rag.quiz.definitions import LONGEST_TEXT
from rag.quiz.extractive import MOST_TEXT
from rag.quiz.generation.generator import DRAFTS, MOST, most_answers
from rag.quiz_types import Kind
from rag.services import Services
from rag.storage.library import DocumentSummary

KINDS: dict[str, Kind | None] = {"Both": None, "Multiple choice": "mcq", "Open": "open"}
FIRST_NUMBER = 5
_MADE, _FAILURE = "questions_made", "questions_write_failure"


def draw(ready: Services) -> None:
    """Draw what to write on, the run under way, and what became of earlier runs."""
    documents = [one for one in ready.library.summaries() if one.owner in ("", reader())]
    if not documents:
        st.markdown("**There are no documents to write on.**")
        st.page_link("sources/page.py", label="Add documents", icon=":material/upload_file:")
        return
    _draw_form(ready, documents)
    bank_runs.draw(ready)


def _draw_form(ready: Services, documents: Sequence[DocumentSummary]) -> None:
    titles = {one.id: _title(one) for one in sorted(documents, key=_yours_first)}
    choice, lacking = picker.chosen(ready), picker.lacking(ready)
    has_model = choice.provider != "embedded" and not lacking
    with st.container(border=True, key="questions_write_form", gap="small"):
        st.multiselect(
            "Documents",
            list(titles),
            format_func=lambda name: titles.get(name, name),
            key="questions_documents",
            placeholder="Choose what to write on",
            persist_state="session",
        )
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            st.number_input(
                "Questions", 1, MOST, FIRST_NUMBER, key="questions_number", width=130, persist_state="session"
            )
            st.segmented_control(
                "Kind",
                list(KINDS),
                default="Both",
                key="questions_kind",
                required=True,
                persist_state="session",
            )
        st.caption(_told(picker.describe(choice), lacking, has_model=has_model))
        with st.container(horizontal=True):
            st.button(
                "Write questions",
                type="primary" if has_model else "secondary",
                icon=":material/edit_note:",
                key="questions_write",
                disabled=not has_model or bool(generating.underway()),
                help="A run is under way." if generating.underway() else None,
                on_click=_write,
                args=(ready,),
            )
            is_asked = st.button(
                "Make fill-in questions",
                icon=":material/short_text:",
                key="questions_fill_in",
                help="A defined term is blanked out of its sentence. No model is needed, and it is free.",
            )
        if is_asked:
            _make(ready)
        if isinstance(failure := st.session_state.pop(_FAILURE, None), RagError):
            draw_failure(failure)
        if made := st.session_state.get(_MADE):
            st.markdown(made)
            st.button(
                "Look at the fill-in questions",
                icon=":material/list_alt:",
                type="tertiary",
                key="questions_see_extractive",
                on_click=st.query_params.from_dict,
                args=(address(origin="extractive"),),
            )


def _told(model: str, lacking: str, *, has_model: bool) -> str:
    if has_model:
        state = st.session_state
        most = most_answers(int(state["questions_number"]), KINDS[state["questions_kind"]])
        return (
            f"{sanitise.label(model)} drafts each question and then tests it: every option or point is "
            "judged alone against its passage, and the question is solved without its key, multiple choice "
            f"three times. What fails is dropped, not mended; after {DRAFTS} drafts a question is given up. "
            f"That takes at most {most:,} short answers of the model, mostly far fewer, and goes on when you "
            "leave this page."
        )
    if lacking:
        return sanitise.label(lacking)
    return (
        "Writing questions needs a model: choose one under “Answers from” in the sidebar. Fill-in questions "
        "need none."
    )


def _title(document: DocumentSummary) -> str:
    yours = "yours, " if document.origin == "added" else ""
    return f"{document.title} ({yours}{wording.count(document.chunks, 'passage')})"


def _yours_first(document: DocumentSummary) -> tuple[bool, str]:
    return (document.origin != "added", document.title.casefold())


def _chosen() -> list[str]:
    """Return the ids of the chosen documents. Raises InvalidInput when there are none."""
    if chosen := list(st.session_state["questions_documents"]):
        return chosen
    raise InvalidInput("No document is chosen.", hint="Choose what the questions shall be about.")


def _write(ready: Services) -> None:
    state = st.session_state
    state[_MADE] = None
    try:
        generating.begin(
            ready,
            _chosen(),
            int(state["questions_number"]),
            picker.chosen(ready),
            reader(),
            KINDS[state["questions_kind"]],
        )
    except RagError as error:
        state[_FAILURE] = error


def _make(ready: Services) -> None:
    """Make fill-in questions, which takes seconds, and say what became of the definitions."""
    state = st.session_state
    state[_MADE] = None
    try:
        with st.spinner("Looking for definitions"):
            added, yields = ready.study.extractive(_chosen(), reader())
    except RagError as error:
        state[_FAILURE] = error
        return
    dropped = bank_runs.dropped(yields)
    if added:
        told = f":green[:material/check_circle:] **{wording.count(added, 'fill-in question')} added.**"
    elif yields.get("known"):
        told = "Nothing new: the definitions of these documents have their questions already."
    else:
        told = "**No fill-in question could be made.** They need sentences of the form “X is …”."
    if dropped:
        told += f" Left out: {dropped}."
    if yields.get("unread"):
        told += (
            f" These documents were not read to their end: {LONGEST_TEXT:,} characters of each are, and "
            f"{MOST_TEXT:,} in all. Choose fewer, or add a long one in parts."
        )
    state[_MADE] = told
