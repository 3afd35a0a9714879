"""Leads through one quiz: the question, the grading, the feedback, the next one, and the result."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from pages.quiz import plan, question, words
from pages.shared import grading, leading, picker, sanitise, wording
from pages.shared.failures import draw_failure
from pages.shared.people import reader
from pages.shared.scrolling import scroll_to
from rag.errors import RagError
from rag.quiz_types import Session, SessionItem
from rag.services import Services

POLL_S = 1.0
AT_ONCE_S = 0.6
"""Grading without a model is over within this time, so the page waits for it without a word."""
VERDICT_S = 30.0
"""How long an interview waits for the verdict that its follow-up depends on."""
WIDTH = 720


def draw(ready: Services, quiz_id: str) -> None:
    """Draw the quiz of this address where it stands."""
    session = ready.study.sessions.get(quiz_id, reader())
    if session is None:
        _draw_lost()
        return
    if session.state == "finished":
        _draw_finished(ready, session)
    elif session.mode == "interview":
        _draw_interview(ready, session)
    else:
        with st.container(width=WIDTH):
            _draw_practice(ready, session)
    is_answered = session.current.response is not None
    sought = leading.sought_in(session.id) if session.state == "finished" else ""
    place = f"{session.id} {session.position} {is_answered} {session.state} {sought}"
    scroll_to(".st-key-quiz_one" if sought else ".st-key-quiz_body", place)


def _draw_lost() -> None:
    st.title("Quiz", anchor=False)
    st.markdown(
        "This quiz is not here: it was deleted, it belongs to somebody else, or the address is incomplete."
    )
    st.button("Set up a new quiz", type="primary", key="quiz_new_setup", on_click=st.query_params.clear)


def _draw_interview(ready: Services, session: Session) -> None:
    left, right = st.columns([5, 2], gap="large")
    with left:
        if session.current.response is None:
            question.draw(ready, session)
        else:
            _go_on(ready, session)
    with right:
        plan.draw(ready, session)


def _go_on(ready: Services, session: Session) -> None:
    """Lead to the next question; one that depends on the verdict waits for it, for a while."""
    item = session.current
    if _is_waiting(ready, session, item) and _may_follow_up(session, item) and not _is_late(item):
        with st.container(key="quiz_question", gap="medium"):
            question.draw_head(session, item)
            question.draw_stem(item)
            _watch(session, item, VERDICT_S)
            st.button(
                "Next question now",
                icon=":material/skip_next:",
                key="quiz_next",
                on_click=_next,
                args=(ready, session),
            )
        return
    _next(ready, session)
    if problem := st.session_state.pop(question.PROBLEM, ""):
        draw_failure(RagError(problem))
        st.button("Try again", icon=":material/refresh:", key="quiz_next")
        return
    st.rerun()


def _draw_practice(ready: Services, session: Session) -> None:
    item = session.current
    if item.response is None:
        question.draw(ready, session)
        return
    question.draw_head(session, item)
    if problem := st.session_state.pop(question.PROBLEM, ""):
        draw_failure(RagError(problem))
    if _is_waiting(ready, session, item):
        question.draw_stem(item)
        _watch(session, item)
    else:
        _draw_feedback(ready, session, _fresh(ready, session).items[item.position])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _next_label(session),
            type="primary",
            icon=":material/arrow_forward:",
            key="quiz_next",
            shortcut="Ctrl+Enter",
            on_click=_next,
            args=(ready, session),
        )
        question.draw_end(ready, session)


def _draw_feedback(ready: Services, session: Session, item: SessionItem) -> None:
    """Draw what became of an answer; a grading that failed can be tried again."""
    from pages.quiz.feedback import draw_feedback

    if told := _failure(session, item):
        _draw_failed(ready, session, item, told)
    draw_feedback(ready, session, item)


def _failure(session: Session, item: SessionItem) -> str:
    """Return why an answer has no grade; empty when it has one or waits for it."""
    if item.grading == "failed":
        return item.grading_error or "The grading failed."
    return grading.trouble(session, item) if item.grading == "waiting" else ""


def _draw_failed(ready: Services, session: Session, item: SessionItem, told: str) -> None:
    name = f"quiz_{{}}_{item.position}"
    st.warning(f"This answer could not be graded. {sanitise.label(told)}", icon=":material/error:")
    with st.container(horizontal=True):
        st.button(
            "Try again",
            icon=":material/refresh:",
            key=name.format("regrade"),
            on_click=grading.begin,
            args=(ready.study, session, item, grading.chosen(ready)),
        )
        st.button(
            "Continue without a grade",
            key=name.format("ungraded"),
            help="You get a coverage hint instead, and rate your answer yourself.",
            on_click=grading.begin,
            args=(ready.study, session, item, picker.QUOTES),
        )


def _draw_finished(ready: Services, session: Session) -> None:
    """Draw the result, and below it the feedback of one question at a time."""
    from pages.quiz.scorecard import draw_scorecard

    waiting = [item for item in session.items if _is_waiting(ready, session, item, 0.0)]
    if waiting:
        _watch_all(session, len(waiting))
    session = _fresh(ready, session)
    draw_scorecard(ready, session)
    if session.mode == "interview":
        with st.expander("Plan and spending of this interview", icon=":material/route:", type="compact"):
            plan.draw(ready, session)
    with st.container(width=WIDTH):
        places = range(len(session.items))
        st.subheader("Question by question", anchor=False)
        if st.session_state.get("quiz_shown_item") not in places:
            st.session_state["quiz_shown_item"] = 0
        chosen = st.pills(
            "Question",
            places,
            format_func=lambda position: _pill(session, position),
            required=True,
            key="quiz_shown_item",
            label_visibility="collapsed",
        )
        item = session.items[chosen or 0]
        with st.container(key="quiz_one"):
            question.draw_head(session, item)
            _draw_feedback(ready, session, item)
    st.button(
        "Set up a new quiz", icon=":material/add:", key="quiz_new_setup", on_click=st.query_params.clear
    )


def _pill(session: Session, position: int) -> str:
    number = words.number(session, position)
    return f"{number}" if session.items[position].follow_up_of is None else f"{number}, follow-up"


@st.fragment(run_every=POLL_S)
def _watch_all(session: Session, before: int) -> None:
    """Tell how many answers of a finished quiz still wait for their grade; the page follows."""
    left = sum(not grading.wait(session, item, 0.0) for item in session.items)
    if left < before:
        st.rerun()
    st.info(
        f"{wording.count(left, 'answer is', 'answers are')} still being graded. This page follows by itself.",
        icon=":material/hourglass_top:",
    )


@st.fragment(run_every=POLL_S)
def _watch(session: Session, item: SessionItem, patience_s: float | None = None) -> None:
    """Tell what is going on until the answer is graded, or until patience is over."""
    if grading.wait(session, item, 0.0) or (patience_s is not None and _is_late(item, patience_s)):
        st.rerun()
    points = len(item.question.points)
    against = f" with {wording.count(points, 'point')}" if points else ""
    st.markdown(f":shimmer[Comparing your answer{against} …]")
    st.caption("You may leave this page: the grade will be here when you come back.")


def _is_waiting(ready: Services, session: Session, item: SessionItem, patience_s: float = AT_ONCE_S) -> bool:
    """Tell whether an answer waits for its grade; one that a restart left waiting is graded again."""
    if grading.wait(session, item, 0.0):
        if item.grading != "waiting" or grading.trouble(session, item):
            return False
        grading.begin(ready.study, session, item, grading.chosen(ready))
    return not grading.wait(session, item, patience_s)


def _is_late(item: SessionItem, patience_s: float = VERDICT_S) -> bool:
    since = item.answered_at
    return since is None or (datetime.now(UTC) - since).total_seconds() > patience_s


def _may_follow_up(session: Session, item: SessionItem) -> bool:
    wanted = session.request.follow_ups and session.mode != "review"
    return wanted and item.follow_up_of is None and item.question.kind == "open"


def _next_label(session: Session) -> str:
    if words.number(session, session.position) < len(session.plan.slots):
        return "Next question"
    return "Continue" if _may_follow_up(session, session.current) else "See the result"


def _fresh(ready: Services, session: Session) -> Session:
    return ready.study.sessions.get(session.id, session.owner) or session


def _next(ready: Services, session: Session) -> None:
    try:
        ready.study.sessions.next(session.id, session.owner)
    except RagError as error:
        st.session_state[question.PROBLEM] = f"{error} {error.hint}".strip()
