"""The evaluation: measures answers on questions whose right answers are known, and shows every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import streamlit as st

from pages.shared import evaluating, people, picker, sanitise, wording
from pages.shared.failures import draw_failure, draw_kept
from pages.sources import evaluate_cases, evaluate_comparison, evaluate_history, evaluate_result
from rag.errors import RagError
from rag.evaluation import runs
from rag.evaluation.cases import set_of
from rag.evaluation.golden import GoldenSet, shipped
from rag.services import Services
from rag.storage.evaluations import Run

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
MOST = 600
"""Questions of one run; more of a set are left out."""
POLL_S = 1.0
PARTS = ("Result", "History", "Compare", "My test cases")


def draw(ready: Services) -> None:
    """Draw the start of a run, the run under way, and what earlier runs found."""
    with st.container(key="sources_evaluate"):
        st.markdown(
            "Measures search and answers on questions whose right documents and facts are known, and on "
            "questions that must be refused. Every run is kept, so that you see what a change brought."
        )
        sets = _sets(ready)
        _draw_start(ready, sets)
        if evaluating.underway():
            _draw_progress(ready)
        stored = ready.evaluations.list(owner=people.reader())
        draw_kept(evaluate_result.FAILURE)
        _draw_trouble(stored)
        parts = st.tabs(PARTS, key="evaluate_part", on_change="rerun")
        result, history, comparison, cases = parts
        with result:
            if result.open:
                evaluate_result.draw(ready, stored)
        with history:
            if history.open:
                evaluate_history.draw(stored)
        with comparison:
            if comparison.open:
                evaluate_comparison.draw(ready, stored)
        with cases:
            if cases.open:
                evaluate_cases.draw(ready)


def _sets(ready: Services) -> dict[str, GoldenSet]:
    """Return the sets that can be measured by name, cut to MOST questions."""
    own = set_of(ready.test_cases.list(people.reader()))
    found = [*_shipped(), *([own] if own.items else [])]
    return {one.name: replace(one, items=one.items[:MOST]) for one in found}


@cache
def _shipped() -> tuple[GoldenSet, ...]:
    return shipped(GOLDEN)


def _draw_start(ready: Services, sets: dict[str, GoldenSet]) -> None:
    if not sets:
        st.info(
            "There are no questions to measure with. Ask something in the chat, then choose “Make this a "
            "test case” under the answer.",
            icon=":material/fact_check:",
        )
        return
    choice, lacking = picker.chosen(ready), picker.lacking(ready)
    is_busy = bool(evaluating.underway())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Questions",
            list(sets),
            format_func=lambda name: f"{name} ({len(sets[name].items):,})",
            key="evaluate_set",
            width=360,
        )
        is_asked = st.button(
            "Measure",
            type="primary",
            icon=":material/play_arrow:",
            key="evaluate_start",
            disabled=is_busy or bool(lacking),
            help="Another run is under way." if is_busy else None,
        )
    chosen = sets.get(name) or next(iter(sets.values()))
    if is_asked:
        try:
            evaluating.begin(ready, chosen, choice, people.reader())
        except RagError as error:
            draw_failure(error)
        else:
            st.rerun()
    told = [
        _estimate_words(runs.estimate(ready, len(chosen.items), choice, people.reader())),
        f"Answers: {sanitise.label(picker.describe(choice))}, as chosen in the sidebar. {lacking}".strip(),
        _absent_words(ready, chosen),
    ]
    st.caption(" ".join(filter(None, told)))


def _estimate_words(estimate: runs.Estimate) -> str:
    """Return e.g. "539 questions, about 50 s, free."."""
    time_needed = (
        "time unknown until this model was measured once"
        if estimate.seconds is None
        else f"about {wording.duration(1000 * max(1.0, round(estimate.seconds)))}"
    )
    if estimate.cost_usd is None:
        cost = "price unknown"
    else:
        cost = f"about ${estimate.cost_usd:.2f}" if estimate.cost_usd else "free"
    return f"{wording.count(estimate.questions, 'question')}, {time_needed}, {cost}."


def _absent_words(ready: Services, chosen: GoldenSet) -> str:
    """Return how many questions can't be answered rightly because their documents are not there."""
    present = {summary.id for summary in ready.library.summaries()}
    wanted = [set(getattr(item, "documents", ())) for item in chosen.items]
    absent = sum(bool(documents) and not documents & present for documents in wanted)
    if not absent:
        return ""
    return f"Of {wording.count(absent, 'question')} no right document is in the library."


@st.fragment(run_every=POLL_S)
def _draw_progress(ready: Services) -> None:
    """Show how far the run is, until it is over; it goes on when the page is left.

    What is stored of it does not tell whether it is over: the start of another server on the same database
    marks every run as interrupted.
    """
    run_id = evaluating.underway()
    if not run_id:
        st.rerun()
    run = ready.evaluations.get(run_id)
    if run is None:  # deleted: it ends with the question that it is at
        return
    if run.owner != people.reader():
        st.markdown("Somebody else is measuring. Yours can begin after that.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="evaluate_progress"):
        st.progress(
            run.done / run.total,
            text=f"{sanitise.label(run.name)}: {run.done:,} of {wording.count(run.total, 'question')} asked"
            f"{_left_words(run)}. It goes on when you leave this page.",
        )
        if st.button("Stop", icon=":material/stop_circle:", key="evaluate_stop"):
            evaluating.stop(run.id)


def _left_words(run: Run) -> str:
    seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    if run.done < 5:
        return ""
    left = seconds / run.done * (run.total - run.done)
    return f", about {wording.duration(1000 * max(1.0, round(left)))} left"


def _draw_trouble(stored: list[Run]) -> None:
    """Say why the last run has no figures."""
    if not stored or stored[0].state not in ("failed", "interrupted"):
        return
    last = stored[0]
    if last.id == evaluating.underway():
        return
    told = "failed" if last.state == "failed" else "was not finished"
    st.warning(
        f"The last run ({sanitise.label(last.name)}, {last.done:,} of {last.total:,}) {told}. "
        f"{sanitise.label(last.error)}",
        icon=":material/error:",
    )
