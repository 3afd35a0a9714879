"""Draws every question that was answered, filtered, with the way to its quiz and its feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial
from typing import get_args

import streamlit as st

from pages.shared import days, leading, sanitise, wording
from rag.quiz.history import Answered, Result, history_csv
from rag.quiz.progress import Progress
from rag.quiz.wording import result as result_words
from rag.quiz_types import Mode

PER_PAGE = 12
ALL = "All"
RESULTS: Mapping[Result, str] = {
    "right": "Right or all points met",
    "partly": "Some points met",
    "wrong": "Wrong or no point met",
    "self_rated": "Rated by you",
    "not_answered": "Not answered",
    "ungraded": "Not graded yet",
}
KINDS = {ALL: "", "Multiple choice": "mcq", "Open": "open"}
MODES: Mapping[Mode, str] = {"practice": "practice", "interview": "mock interview", "review": "review"}


def draw(progress: Progress, zone: tzinfo) -> None:
    """Draw the filters and what they leave, newest first, as a list or as a table."""
    found = _filtered(progress)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{wording.count(len(found), 'answer')}**", width="stretch")
        as_table = st.toggle("As a table", key="progress_as_table")
        st.download_button(
            "Download CSV",
            partial(history_csv, found),
            file_name="viva-history.csv",
            mime="text/csv",
            icon=":material/download:",
            key="progress_export",
            on_click="ignore",
            disabled=not found,
        )
    if not found:
        st.markdown("No answer fits these filters. Choose *All* to see every one.")
    elif as_table:
        _draw_table(found, zone)
    else:
        _draw_list(found, zone)


def _filtered(progress: Progress) -> list[Answered]:
    topics = sorted({one.topic for one in progress.history})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        topic = st.selectbox(
            "Topic",
            [ALL, *topics],
            format_func=lambda name: ALL if name == ALL else wording.topic(name),
            key="progress_topic",
            width=220,
        )
        result = st.selectbox(
            "Result",
            [ALL, *get_args(Result)],
            format_func=lambda name: RESULTS.get(name, ALL),
            key="progress_result",
            width=240,
        )
        kind = st.segmented_control(
            "Kind", list(KINDS), default=ALL, required=True, key="progress_kind", width="content"
        )
    return [
        one
        for one in progress.history
        if topic in (ALL, one.topic)
        and result in (ALL, one.result)
        and KINDS[kind or ALL] in ("", one.item.question.kind)
    ]


def _draw_list(found: Sequence[Answered], zone: tzinfo) -> None:
    pages = -(-len(found) // PER_PAGE)
    slot = st.container(key="progress_history", gap="small")
    number = st.pagination(pages, key="progress_page") if pages > 1 else 1
    with slot:
        for one in found[(number - 1) * PER_PAGE : number * PER_PAGE]:
            with st.container(gap=None):
                if st.button(
                    sanitise.label(sanitise.plain(one.item.question.prompt)),
                    type="tertiary",
                    key=f"progress_open_{one.session.id}_{one.item.position}",
                    wrap=True,
                ):
                    leading.to_answer(one)
                st.caption(sanitise.label(" · ".join(_facts(one, zone))))


def _facts(one: Answered, zone: tzinfo) -> list[str]:
    item = one.item
    told = [
        result_words(item),
        wording.topic(one.topic),
        "follow-up" if one.is_follow_up else "",
        MODES[one.session.mode],
        days.moment(one.at, zone),
        f"{wording.count(item.hints, 'hint')} used" if item.hints else "",
        "you disagreed" if item.disagreement else "",
        "you reported it" if item.report else "",
    ]
    return [part for part in told if part]


def _draw_table(found: Sequence[Answered], zone: tzinfo) -> None:
    st.dataframe(
        [
            {
                "When": days.moment(one.at, zone),
                "Question": sanitise.plain(one.item.question.prompt),
                "Your answer": _answer(one),
                "Result": result_words(one.item),
                "Topic": wording.topic(one.topic),
                "Kind": "multiple choice" if one.item.question.kind == "mcq" else "open",
                "Quiz": MODES[one.session.mode] + (", follow-up" if one.is_follow_up else ""),
            }
            for one in found
        ],
        hide_index=True,
        alt="Every answer that the filters leave, newest first",
    )


def _answer(one: Answered) -> str:
    response, options = one.item.response, one.item.question.options
    if response is None or response.skipped:
        return ""
    if response.option is None:
        return response.text
    return options[response.option] if response.option < len(options) else ""
