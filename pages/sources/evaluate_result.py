"""Draws one evaluation run: its figures in words, how each kind of question went, and the worst answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pages.shared import people, sanitise, wording
from pages.shared.failures import attempt
from pages.shared.links import lab_params
from rag.evaluation.comparison import faults, severity
from rag.evaluation.figures import Figure, figures
from rag.evaluation.golden import Group
from rag.evaluation.metrics import wilson
from rag.evaluation.report import by_group
from rag.evaluation.results import Result, result_from_json
from rag.services import Services
from rag.storage.evaluations import Run

WORST = 12
"""Answers that are listed at first."""
GROUPS: dict[Group, str] = {
    "answerable": "Answerable",
    "follow_up": "Follow-ups",
    "interview": "Interview queries",
    "false_premise": "False premises",
    "off_topic": "Off the subject",
    "neighbouring": "Neighbouring subjects",
    "near_miss": "Near misses",
}
FAILURE = "evaluate_failure"
"""Where a failed attempt to delete a run or a test case is kept for the next run."""
_PERCENT = "%.1f %%"


def draw(ready: Services, stored: Sequence[Run]) -> None:
    """Draw the run that is chosen, the newest one at first."""
    runs = {run.id: run for run in stored if run.metrics is not None}
    if not runs:
        st.markdown("**Nothing was measured yet.**")
        st.markdown(
            "Choose the questions above and press *Measure*. You will see how often the right document is "
            "found, what the answers say and leave out, what is refused, whether every quote is exact, and "
            "which questions went worst."
        )
        return
    run = _choose(ready, runs)
    results = [result_from_json(found) for found in ready.evaluations.results(run.id)]
    st.caption(sanitise.label(about(run)))
    _draw_figures(run)
    _draw_groups(results)
    _draw_topics(run)
    _draw_worst(run, results)


def when(moment: datetime) -> str:
    """Return e.g. "25 Nov, 18:26" in the reader's time zone."""
    try:
        local = moment.astimezone(ZoneInfo(st.context.timezone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        local = moment
    return f"{local.day} {local:%b, %H:%M}"


def name(run: Run) -> str:
    """Return a run as lists call it, in plain text."""
    return f"{when(run.started_at)}: {run.name}, {by(run)}"


def by(run: Run) -> str:
    """Return who answered in a run."""
    if run.config.get("answers") == "embedded":
        return "quotes"
    return str(run.config.get("model") or run.config.get("answers") or "unknown model")


def about(run: Run) -> str:
    """Return what was measured and how, on one line."""
    config, took = run.config, (run.finished_at or run.started_at) - run.started_at
    return " · ".join(
        [
            wording.count(run.total, "question"),
            f"answers from {by(run)}",
            wording.count(int(config.get("documents", 0)), "document"),
            f"top {config.get('top_k')}",
            f"Viva {config.get('version', '')}",
            f"took {wording.duration(1000 * took.total_seconds())}",
        ]
    )


def _choose(ready: Services, runs: dict[str, Run]) -> Run:
    if st.session_state.get("evaluate_run") not in runs:
        st.session_state["evaluate_run"] = next(iter(runs))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Run", list(runs), format_func=lambda run_id: name(runs[run_id]), key="evaluate_run", width=480
        )
        with st.popover("Delete", icon=":material/delete:", type="tertiary"):
            st.markdown("Delete this run with the results of all its questions?")
            st.button(
                "Delete the run",
                key="evaluate_delete",
                on_click=attempt,
                args=(FAILURE, ready.evaluations.delete, chosen, people.reader()),
            )
    return runs[chosen]


def _draw_figures(run: Run) -> None:
    """Draw the figures by section, each with the number of cases and the range it may lie in."""
    metrics = run.metrics or {}
    found = figures(metrics)
    means = [figure for figure in found.values() if figure.kind.unit == "mean"]
    st.html(figure_table([figure for figure in found.values() if figure.kind.unit != "mean"]))
    told = ["The bar shows the 95 % interval: the range that holds the true share 19 times of 20."]
    if means:
        told.append(_means_words(means))
    if failed := metrics.get("failed_questions"):
        told.append(f"{wording.count(failed, 'question')} got no answer and count nowhere.")
    st.caption(" ".join(told))


def figure_table(shown: Sequence[Figure]) -> str:
    """Return figures as a table: what it is, the value, the number of cases, and a bar for the interval."""
    rows, section = [], ""
    for figure in shown:
        if figure.kind.section != section:
            section = figure.kind.section
            rows.append(f'<tr><th class="section" scope="rowgroup" colspan="4">{escape(section)}</th></tr>')
        rows.append(
            f'<tr><th scope="row">{escape(figure.kind.label)}</th><td class="amount">{escape(figure.amount)}'
            f"</td><td>{escape(figure.certainty)}</td><td>{_range(figure)}</td></tr>"
        )
    return f'<table class="viva-figures"><tbody>{"".join(rows)}</tbody></table>'


def _range(figure: Figure) -> str:
    if figure.interval is None:
        return ""
    low, high = (100 * bound for bound in figure.interval)
    bar = f'<span class="bar" style="margin-left:{low:.1f}%;width:{high - low:.1f}%"></span>'
    return f'<span class="track">{bar}</span>'


def _means_words(means: Sequence[Figure]) -> str:
    told = ", ".join(f"{figure.kind.label} {figure.value:.3f}" for figure in means)
    return (
        f"Means over {wording.count(means[0].n, 'question')}, of 1 at best: {told}. Recall counts all "
        "documents that hold the answer, although one is enough."
    )


def _draw_groups(results: Sequence[Result]) -> None:
    st.markdown("**By kind of question**")
    rows: list[dict[str, object]] = [
        {
            "Kind": GROUPS[row.group],
            "Questions": row.questions,
            "Right document first": _of_100(row.right_first),
            "In the top 3": _of_100(row.right_in_top_3),
            "Key facts": _of_100(row.facts),
            "Answered": _of_100(row.answered),
            "In part": _of_100(row.partial),
            "Refused": _of_100(row.refused),
        }
        for row in by_group(results)
    ]
    shares = ("Right document first", "In the top 3", "Key facts", "Answered", "In part", "Refused")
    _draw_table(rows, shares, "How each kind of question went")


def _draw_topics(run: Run) -> None:
    topics = (run.metrics or {}).get("topics", {})
    if not topics:
        return
    rows = []
    for topic, found in sorted(
        topics.items(), key=lambda entry: float(entry[1]["interview_right_document_first"])
    ):
        n, first = int(found["interview_questions"]), found["interview_right_document_first"]
        low, high = wilson(first, n)
        rows.append(
            {
                "Topic": wording.topic(topic),
                "Questions": n,
                "Right document first": _of_100(first),
                "95 % interval": f"{100 * low:.0f}–{100 * high:.0f} %",
                "In the top 3": _of_100(found["interview_right_document_in_top_3"]),
            }
        )
    with st.expander("Interview queries by topic, the weakest first", icon=":material/topic:"):
        _draw_table(rows, ("Right document first", "In the top 3"), "Interview queries by topic")


def _draw_table(rows: Sequence[dict[str, object]], shares: Sequence[str], alt: str) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        alt=alt,
        height="content",
        column_config={share: st.column_config.NumberColumn(format=_PERCENT) for share in shares},
    )


def _draw_worst(run: Run, results: Sequence[Result]) -> None:
    """List the answers that are furthest from what they should be, with a way to look into each."""
    wrong = sorted((r for r in results if faults(r)), key=severity, reverse=True)
    st.markdown("**Worst answers**. Each opens its search.")
    if not wrong:
        st.markdown("Every answer is as it should be.")
        return
    shown = wrong
    if len(wrong) > WORST and not st.toggle(f"Show all {len(wrong):,}", key=f"evaluate_all_{run.id}"):
        shown = wrong[:WORST]
    with st.container(key="evaluate_worst", gap="small"):
        for result in shown:
            draw_question(
                result.question, f"{GROUPS[result.group]}: {'; '.join(faults(result))}", result.item_id
            )


def draw_question(question: str, told: str, key: str) -> None:
    """Draw a question, which opens its search in the lab, and what there is to say about it."""
    with st.container(gap=None):
        st.button(
            sanitise.label(question),
            type="tertiary",
            key=f"evaluate_question_{key}",
            wrap=True,
            on_click=st.query_params.from_dict,
            args=(lab_params(question),),
        )
        st.caption(sanitise.label(told))


def _of_100(share: float | None) -> float | None:
    return None if share is None else 100 * share
