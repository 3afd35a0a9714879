"""Takes a file with somebody's own questions and shows what became of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.quiz.questions import address
from pages.shared import sanitise, wording
from pages.shared.failures import draw_failure
from pages.shared.people import reader
from rag.errors import RagError
from rag.quiz.importing import ImportedItem, ImportReport
from rag.quiz.own_files import MOST_ITEMS
from rag.quiz.own_templates import CSV_TEMPLATE, YAML_TEMPLATE
from rag.quiz.set_gates import SetGate
from rag.services import Services

SHOWN = 100
"""Items of a report that are listed."""
COLUMNS = """
| Column | What it holds |
|---|---|
| question | The question itself: the one column that is always needed |
| option_a to option_e | Three to five options; or all in one column `options`, a bar between two |
| correct | The right option: its letter, its number or its text |
| explanation | Why it is right; `why_a` to `why_e` say it of each option |
| points | Of an open question: what an answer should say, a bar between two, a star before a must |
| model_answer | Of an open question: 40 to 170 words |
| document, quote | Optional: a document by its id or title, and words of it, word for word |
| topic, level, kind, id | Optional; level is junior, mid or senior, kind is mcq or open |
"""
_REPORT, _FAILURE, _TAKEN = "questions_import_report", "questions_import_failure", "questions_import_taken"
_POLICIES = {
    "longest": "Whoever always takes the longest option",
    "shortest": "Whoever always takes the shortest option",
    "stem_overlap": "Whoever takes the option that repeats most words of the question",
    "convergence": "Whoever takes the option that shares most words with the others",
    "same_letter": "Whoever always takes the same letter",
}
_ICONS = {
    "added": ":green[:material/check_circle:] Added",
    "updated": ":green[:material/update:] Replaces its earlier version",
    "known": ":gray[:material/check:] There already",
    "refused": ":red[:material/error:] Not taken",
}


def draw(ready: Services) -> None:
    """Draw the field that takes a file, its templates, and the report on the last file."""
    st.markdown(
        "Questions from a file of yours pass the same checks of form as the bank’s. A quote has to stand in "
        "the document it names; a question without a source is taken and says so. Whether a key is right, "
        "nobody checks but you."
    )
    with st.container(key="questions_upload", gap="small"):
        file = st.file_uploader(
            "Your questions, as CSV or YAML",
            type=["csv", "tsv", "yaml", "yml"],
            key="questions_file",
            on_change=_forget,
            max_upload_size=1,
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Template as CSV",
                CSV_TEMPLATE,
                "questions.csv",
                "text/csv",
                icon=":material/download:",
                type="tertiary",
                key="questions_template_csv",
                on_click="ignore",
            )
            st.download_button(
                "Template as YAML",
                YAML_TEMPLATE,
                "questions.yaml",
                "application/yaml",
                icon=":material/download:",
                type="tertiary",
                key="questions_template_yaml",
                on_click="ignore",
            )
            st.caption(f"Up to 1 MB and {MOST_ITEMS} questions", width="content")
        with st.expander("Columns of a CSV file", icon=":material/table:", type="compact"):
            st.markdown(COLUMNS)
    if file and file.file_id != st.session_state.get(_TAKEN):
        with st.spinner("Checking your questions; many take up to a minute"):
            _take(ready, file)
    failure, report = st.session_state.get(_FAILURE), st.session_state.get(_REPORT)
    if isinstance(failure, RagError):
        draw_failure(failure)
    elif isinstance(report, ImportReport):
        _draw_report(report)


def _forget() -> None:
    """Forget the report on the last file, which is no longer the one in the field."""
    st.session_state[_FAILURE] = st.session_state[_REPORT] = None


def _take(ready: Services, file: UploadedFile) -> None:
    """Import a file, once however often the page is drawn with it."""
    state = st.session_state
    state[_TAKEN] = file.file_id
    try:
        state[_REPORT] = ready.study.import_bank(file.getvalue(), file.name, reader())
    except RagError as error:
        state[_FAILURE] = error


def _draw_report(report: ImportReport) -> None:
    with st.container(key="questions_report_import", gap="small"):
        st.header(_summary(report), anchor=False)
        if any(item.passed for item in report.items):
            st.button(
                "Look at your questions",
                icon=":material/list_alt:",
                key="questions_see_own",
                on_click=st.query_params.from_dict,
                args=(address(origin="own"),),
            )
        for told in _remarks(report.gates):
            st.warning(told, icon=":material/insights:")
        ordered = sorted(report.items, key=lambda item: item.passed)
        for item in ordered[:SHOWN]:
            _draw_item(item)
        if len(ordered) > SHOWN:
            st.caption(f"and {len(ordered) - SHOWN:,} more")


def _summary(report: ImportReport) -> str:
    """Return e.g. "12 added, 1 replaced, 3 not taken"."""
    known = sum(item.state == "known" for item in report.items)
    refused = sum(not item.passed for item in report.items)
    parts = ((report.added, "added"), (report.updated, "replaced"), (known, "there already"))
    told = [f"{number:,} {name}" for number, name in (*parts, (refused, "not taken")) if number]
    return ", ".join(told)


def _draw_item(item: ImportedItem) -> None:
    words = sanitise.label(shorten(item.words, 160, placeholder=" …")) or "A question without words"
    with st.container(gap="xxsmall"):
        st.markdown(f"{_ICONS[item.state]} · {item.place} · {words}")
        if item.reasons:
            st.markdown("\n".join(f"- {sanitise.label(reason)}" for reason in item.reasons))


def _remarks(gates: Sequence[SetGate]) -> list[str]:
    """Return what the questions of a file give away together, as Markdown."""
    told = [
        f"{name} is right in {gate.value:.0%} of these questions; chance explains up to {gate.bound:.0%}. "
        "Vary the form of your options."
        for gate in gates
        if not gate.passed and (name := _POLICIES.get(gate.gate))
    ]
    repeats = next((gate for gate in gates if gate.gate == "duplicates" and not gate.passed), None)
    if repeats:
        pairs = wording.count(round(repeats.value), "pair")
        told.append(f"{pairs} of questions ask nearly the same. One quiz asks one of them at most.")
    return told
