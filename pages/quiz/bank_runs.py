"""Draws runs that write questions: how far one is, and which gates dropped the drafts of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

import streamlit as st

from pages.quiz.questions import address
from pages.shared import generating, sanitise, wording
from pages.shared.people import reader
from rag.services import Services
from rag.storage.generations import GenerationRun

POLL_S = 1.0
SHOWN = 5
"""Runs that are listed."""
GATES: Mapping[str, str] = {
    "schema": "the model gave no answer in the form that was asked for",
    "too_long": "the passage did not fit into the model",
    "quote": "the quote does not stand in the passage",
    "foreign_text": "it holds links, markup or our own instructions",
    "distinct_options": "two options say the same",
    "length": "an option stands out by its length",
    "repeated_word": "the key alone repeats a word of the question",
    "absolutes": "“always” or “never” stands in wrong options alone",
    "odd_form": "an option stands out by its form",
    "all_of_them": "an option speaks of the others",
    "number_order": "numbers are not in order",
    "self_contained": "the question can’t be understood alone",
    "negation": "it asks for what is wrong",
    "verbatim": "it is copied from the source",
    "explanation": "an explanation does not fit its option",
    "key_evidence": "the quote speaks of another option",
    "unrelated_quote": "the quote is about something else",
    "polarity": "the key denies what neither its quote nor the question denies",
    "duplicates": "it asks what another question asks",
    "key_supported": "the passage does not bear the key out",
    "second_key": "a second option is right as well",
    "explanations": "the passage contradicts an explanation",
    "points_supported": "the passage does not bear a point out",
    "points": "two points say the same",
    "model_answer": "the model answer is too long, too short or wrong",
    "judge_controls": "the judge failed a test whose answer is known",
    "blind_solve": "it was not solved without its key (multiple choice: three times of three)",
    "distractors": "fewer than three terms fit as wrong options",
    "later": "there are too many for one go: press the button again for these",
}
"""Why a draft was dropped, by gate."""
_STATES = {"failed": "failed", "interrupted": "ended early"}


def draw(ready: Services) -> None:
    """Draw the run under way, which follows by itself, and the last ones."""
    if generating.underway():
        _draw_progress(ready)
    finished = [run for run in ready.study.generations.list(reader()) if run.state != "running"]
    if not finished:
        return
    st.header("Earlier runs", anchor=False)
    with st.container(key="questions_runs", gap="small"):
        for run in finished[:SHOWN]:
            _draw_run(ready, run)


@st.fragment(run_every=POLL_S)
def _draw_progress(ready: Services) -> None:
    run_id = generating.underway()
    if not run_id:
        st.rerun()
    run = ready.study.generations.get(run_id)  # marked as interrupted when another server starts meanwhile
    if run is None:
        return
    with st.container(border=True, key="questions_progress", gap="small"):
        if run.owner != reader():
            st.markdown("Questions are being written for somebody else. Yours can begin after that.")
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(run.done / max(1, run.total), text=progress_words(run))
            st.button(
                "Stop",
                icon=":material/stop_circle:",
                key="questions_stop",
                on_click=generating.stop,
                args=(run.id,),
            )
        st.html(yield_table(run.yields))


def progress_words(run: GenerationRun) -> str:
    """Return e.g. "2 of 5 questions settled, 1 kept so far. It goes on when you leave this page."."""
    kept = run.yields.get("kept", 0)
    return (
        f"{run.done:,} of {wording.count(run.total, 'question')} settled, {kept:,} kept so far. "
        "It goes on when you leave this page."
    )


def _draw_run(ready: Services, run: GenerationRun) -> None:
    kept = run.yields.get("kept", 0)
    titles = ", ".join(map(str, run.config.get("titles", ()))) or "documents"
    ended = f" · {_STATES[run.state]}" if run.state in _STATES else ""
    when = wording.ago((datetime.now(UTC) - run.started_at).total_seconds())
    label = f"{kept} of {run.total} kept{ended} · {sanitise.label(titles)} · {when}"
    with st.expander(label, key=f"questions_run_{run.id}"):
        if run.error:
            st.warning(sanitise.label(run.error), icon=":material/error:")
        st.html(yield_table(run.yields))
        if run.yields.get("drafted", 0) == kept and kept:
            st.caption("No draft was dropped, which is rare: look at these questions with care.")
        spent = ready.ledger.spent_on(run.id)
        model = sanitise.label(str(run.config.get("model", "")) or "A model")
        st.caption(f"{model} · {wording.tokens(spent)} · {wording.cost(spent)}")
        if kept:
            with st.container(horizontal=True):
                st.button(
                    "Look at them",
                    icon=":material/list_alt:",
                    key=f"questions_run_see_{run.id}",
                    on_click=st.query_params.from_dict,
                    args=(address(origin="generated"),),
                )
                st.button(
                    "Remove its questions",
                    icon=":material/delete:",
                    type="tertiary",
                    key=f"questions_run_remove_{run.id}",
                    help="Your earlier answers to them stay.",
                    on_click=_remove,
                    args=(ready, run.id),
                )


def _remove(ready: Services, batch: str) -> None:
    ready.study.questions.remove_batch(reader(), batch)


def yield_table(yields: Mapping[str, int]) -> str:
    """Return what became of the drafts as a table: those drafted, dropped by each gate, and kept."""
    losses = sorted(_losses(yields).items(), key=lambda one: -one[1])
    rows = [
        ("Drafted", yields.get("drafted", 0)),
        *((f"Dropped: {GATES.get(gate, gate.replace('_', ' '))}", number) for gate, number in losses),
        ("Kept", yields.get("kept", 0)),
    ]
    written = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{number:,}</td></tr>' for name, number in rows
    )
    return f'<table class="viva-yield"><tbody>{written}</tbody></table>'


def dropped(yields: Mapping[str, int]) -> str:
    """Return e.g. "3 because fewer than three terms fit as wrong options"; empty when nothing was dropped."""
    return "; ".join(
        f"{number:,} because {GATES.get(gate, gate.replace('_', ' '))}"
        for gate, number in sorted(_losses(yields).items(), key=lambda one: -one[1])
    )


def _losses(yields: Mapping[str, int]) -> dict[str, int]:
    counts = ("drafted", "kept", "added", "known", "found", "unread")
    return {gate: number for gate, number in yields.items() if gate not in counts and number}
