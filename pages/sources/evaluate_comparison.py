"""Draws two evaluation runs side by side: what the figures say, and which questions changed and how."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.shared import sanitise, wording
from pages.sources.evaluate_result import draw_question, name
from rag.evaluation.comparison import Comparison, Verdict, changed_settings, compare
from rag.evaluation.figures import difference
from rag.evaluation.results import Result, result_from_json
from rag.evaluation.text import chance_words
from rag.services import Services
from rag.storage.evaluations import Run

SHOWN = 30
VERDICTS: dict[Verdict, str] = {"worse": "Worse", "better": "Better", "mixed": "Better and worse"}


def draw(ready: Services, stored: Sequence[Run]) -> None:
    """Draw the choice of two runs and what changed from one to the other."""
    runs = {run.id: run for run in stored if run.metrics is not None}
    if len(runs) < 2:
        st.markdown(
            "Two finished runs can be compared question by question. Measure, change something (the passages "
            "an answer may use, a document, the model), and measure again."
        )
        return
    before, after = _choose(runs)
    if before.id == after.id:
        st.markdown("This is the same run twice. Choose another one to compare it with.")
        return
    compared = compare(
        before.metrics or {}, _results(ready, before), after.metrics or {}, _results(ready, after)
    )
    _draw_summary(before, after, compared)
    _draw_figures(compared)
    _draw_changes(compared)


def _choose(runs: dict[str, Run]) -> tuple[Run, Run]:
    """Return the earlier and the later run; at first the two last ones of the same questions."""
    newest = next(iter(runs.values()))
    same = [run for run in runs.values() if run.config.get("set_sha256") == newest.config.get("set_sha256")]
    earlier = same[1] if len(same) > 1 else list(runs.values())[1]
    for key, fallback in (("evaluate_before", earlier.id), ("evaluate_after", newest.id)):
        if st.session_state.get(key) not in runs:
            st.session_state[key] = fallback
    with st.grid(2, min_column_width=300):
        chosen = [
            st.selectbox(label, list(runs), format_func=lambda run_id: name(runs[run_id]), key=key)
            for label, key in (("From", "evaluate_before"), ("To", "evaluate_after"))
        ]
    return runs[chosen[0]], runs[chosen[1]]


def _results(ready: Services, run: Run) -> list[Result]:
    return [result_from_json(found) for found in ready.evaluations.results(run.id)]


def _draw_summary(before: Run, after: Run, compared: Comparison) -> None:
    """Say in words what changed, and whether chance would do as an explanation."""
    better, worse, mixed = (compared.count(verdict) for verdict in ("better", "worse", "mixed"))
    told = (
        f"**{wording.count(better, 'question')} got better, {worse:,} worse**, {mixed:,} better in one way "
        f"and worse in another; {compared.same:,} went the same."
    )
    if better or worse:
        told += f" {chance_words(compared.chance)}"
    st.markdown(told)
    if changes := changed_settings(before.config, after.config):
        st.caption(sanitise.label(f"What else differs: {'; '.join(changes)}."))
    else:
        st.caption("Both runs have the same settings and as many documents.")
    if compared.only_before or compared.only_after:
        st.caption(
            f"Not the same questions: {compared.only_before:,} are in the first run alone, "
            f"{compared.only_after:,} in the second alone. The figures below are over all questions of a run."
        )


def _draw_figures(compared: Comparison) -> None:
    st.dataframe(
        [
            {
                "Figure": after.kind.label,
                "Change": difference(before, after) or "same",
                "From": before.words,
                "To": after.words,
            }
            for before, after in compared.figures
        ],
        hide_index=True,
        height="content",
        alt="Figures of both runs and what changed",
    )


def _draw_changes(compared: Comparison) -> None:
    """List the questions that changed, one verdict at a time."""
    if not compared.changes:
        return
    verdicts = [verdict for verdict in VERDICTS if compared.count(verdict)]
    shown = st.segmented_control(
        "Questions that went",
        verdicts,
        format_func=lambda verdict: f"{VERDICTS[verdict]} ({compared.count(verdict):,})",
        default=verdicts[0],
        required=True,
        key="evaluate_verdict",
    )
    changes = [change for change in compared.changes if change.verdict == shown]
    with st.container(key="evaluate_changes", gap="small"):
        for change in changes[:SHOWN]:
            draw_question(change.question, "; ".join(change.reasons), change.item_id)
        if len(changes) > SHOWN:
            st.caption(
                f"And {len(changes) - SHOWN:,} more; `python -m rag evaluate --compare RUN_A RUN_B` has all."
            )
