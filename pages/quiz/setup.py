"""Draws the start of a quiz: what is unfinished, what is due, and what somebody wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.quiz import wishes, words
from pages.quiz.question import PROBLEM
from pages.shared import grading, sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.failures import draw_failure
from pages.shared.leading import PROGRESS_PAGE, WANTED
from pages.shared.people import reader
from rag.errors import RagError
from rag.quiz.pool import TopicCount
from rag.quiz.scheduling import DueCard, review_of
from rag.quiz_types import QuizRequest, Session
from rag.services import Services

WIDTH = 800


def draw(ready: Services) -> None:
    """Draw the page; a quiz that was started opens by its address."""
    with st.container(width=WIDTH):
        _draw(ready)


def _draw(ready: Services) -> None:
    study = ready.study
    st.title("Practise for your interview", anchor=False)
    st.markdown(
        "Each question comes with a checked key or a fixed list of points. Feedback quotes your words and "
        "those of the source."
    )
    if unfinished := study.sessions.unfinished(reader()):
        _draw_unfinished(ready, unfinished)
    with st.skeleton(height=400):  # the bank is checked when it is read the first time
        topics = {one.topic: one for one in study.pool.topics(reader())}
        due = study.scheduling.due(reader(), datetime.now(UTC))
        has_needs = bool(due or study.scheduling.weak_topics(reader()))
    _draw_due(ready, due)
    if topics:
        _draw_setup(ready, topics, has_needs=has_needs)
    else:
        _draw_empty()
    with st.container(horizontal=True, gap="medium"):
        st.button(
            "Where the questions come from",
            icon=":material/fact_check:",
            type="tertiary",
            key="quiz_questions",
            on_click=st.query_params.from_dict,
            args=({"view": "questions"},),
        )
        st.button(
            "Your progress",
            icon=":material/trending_up:",
            type="tertiary",
            key="quiz_progress",
            on_click=st.switch_page,
            args=(PROGRESS_PAGE,),
        )


def _draw_empty() -> None:
    with st.container(border=True, key="quiz_setup"):
        st.markdown("**There are no questions yet**")
        st.markdown(
            "The bank is empty, and no question was made from your documents. Add documents, or import a "
            "bank of your own."
        )
        st.page_link(SOURCES_PAGE, label="Add documents", icon=":material/upload_file:")


def _draw_unfinished(ready: Services, session: Session) -> None:
    """Offer to go on with the quiz that is under way, or to end it."""
    since = (datetime.now(UTC) - session.updated_at).total_seconds()
    place = words.place(session, session.current)
    with _row("quiz_resume"):
        st.markdown(
            f"**{words.MODES[session.mode]} under way** · {place[0].lower()}{place[1:]} · "
            f"last used {wording.ago(since)}"
        )
        with st.container(horizontal=True, width="content"):
            st.button(
                "Resume",
                type="primary",
                icon=":material/play_arrow:",
                key="quiz_resume_open",
                on_click=_open,
                args=(session.id,),
            )
            st.button("End it", key="quiz_resume_end", on_click=_end, args=(ready, session))


def _row(key: str) -> DeltaGenerator:
    """Return a box with words to the left and buttons to the right."""
    return st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        border=True,
        key=key,
    )


def _draw_due(ready: Services, due: Sequence[DueCard]) -> None:
    """Say what is due for review today, with the button that asks exactly that."""
    if not due:
        return
    with _row("quiz_due"):
        names = list(dict.fromkeys(sanitise.label(wording.topic(card.topic)) for card in due))
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        st.markdown(f"**{wording.count(len(due), 'question')} due today** · {', '.join(names[:3])}{more}")
        st.button(
            "Review what is due",
            icon=":material/event_repeat:",
            key="quiz_review_due",
            on_click=_start,
            args=(ready, review_of(due)),
        )


def _draw_setup(ready: Services, topics: Mapping[str, TopicCount], *, has_needs: bool) -> None:
    wishes.prepare(ready, topics, st.session_state.pop(WANTED, None))
    with st.container(border=True, key="quiz_setup", gap="small"):
        wishes.draw(ready, topics, has_needs=has_needs)
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="quiz_start",
            on_click=_start,
            args=(ready, None),
        )
        if problem := st.session_state.pop(PROBLEM, ""):
            draw_failure(RagError(problem))


def _start(ready: Services, request: QuizRequest | None) -> None:
    """Begin a quiz; None: as the fields say."""
    if request is None:
        request = wishes.request(grading.chosen(ready))
    try:
        quiz_id = ready.study.sessions.start(request, reader())
    except RagError as error:
        st.session_state[PROBLEM] = f"{error} {error.hint}".strip()
    else:
        _open(quiz_id)


def _open(quiz_id: str) -> None:
    st.query_params.from_dict({"s": quiz_id})


def _end(ready: Services, session: Session) -> None:
    try:
        ready.study.sessions.end(session.id, session.owner)
    except RagError as error:  # e.g. it was deleted in another tab
        st.session_state[PROBLEM] = f"{error} {error.hint}".strip()
        return
    if any(item.response for item in session.items):
        _open(session.id)
