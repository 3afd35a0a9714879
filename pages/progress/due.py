"""Draws what is due for review, with the button that asks it, and the day of the interview."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo

import streamlit as st

from pages.shared import days, sanitise, wording
from pages.shared.failures import draw_failure
from pages.shared.leading import QUIZ_PAGE
from pages.shared.people import reader
from rag.errors import RagError
from rag.quiz.scheduling import DueCard, review_of
from rag.quiz_types import QuizRequest
from rag.services import Services

NAMED = 3
"""Topics that are named."""


def draw(ready: Services, zone: tzinfo, *, has_answers: bool) -> None:
    """Draw both beside each other; on a phone below each other."""
    questions, interview = st.columns([3, 2], gap="large")
    with questions:
        _draw_due(ready, zone, has_answers)
    with interview:
        _draw_interview(ready, zone)


def _draw_due(ready: Services, zone: tzinfo, has_answers: bool) -> None:
    scheduling, now = ready.study.scheduling, days.now()
    due = scheduling.due(reader(), now)
    st.header("Due for review", anchor=False)
    if not due:
        st.markdown(_nothing_due(ready, zone, has_answers))
        return
    review = review_of(due)
    st.markdown(f"**{wording.count(len(due), 'question')} due now**: {_topics(due)}.")
    is_asked = st.button(
        f"Review {review.n} now",
        type="primary",
        icon=":material/event_repeat:",
        key="progress_review",
    )
    order = "Those least likely to be known "
    order += "on your interview day come first." if scheduling.interview_day(reader()) else "come first."
    st.caption(order if len(due) > 1 else "It takes about a minute.")
    if is_asked:
        _review(ready, review)


def _topics(due: Sequence[DueCard]) -> str:
    names = list(dict.fromkeys(sanitise.label(wording.topic(card.topic)) for card in due))
    more = f" and {wording.count(len(names) - NAMED, 'more topic')}" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _nothing_due(ready: Services, zone: tzinfo, has_answers: bool) -> str:
    """Say why nothing is due and when something will be."""
    if not has_answers:
        return (
            "Nothing yet. Every question that you answer comes back: soon when it was missed, later when it "
            "was known, and always before your interview."
        )
    ahead = ready.study.scheduling.due_by_day(reader(), days.now(), 60, zone)
    following = next(((day, n) for day, n in ahead if n), None)
    if following is None:
        return "Nothing is due. Questions come back when they were answered and graded, or rated by you."
    day, n = following
    come = "comes" if n == 1 else "come"
    away = (day - days.today(zone)).days
    when = "later today" if not away else f"{days.left(away)} ({days.day(day)})"
    return f"Nothing is due now. {wording.count(n, 'question')} {come} back {when}."


def _review(ready: Services, review: QuizRequest) -> None:
    """Begin this quiz and go there."""
    try:
        quiz_id = ready.study.sessions.start(review, reader())
    except RagError as error:
        draw_failure(error)
    else:
        st.switch_page(QUIZ_PAGE, query_params={"s": quiz_id})


def _draw_interview(ready: Services, zone: tzinfo) -> None:
    scheduling, today = ready.study.scheduling, days.today(zone)
    chosen = scheduling.interview_day(reader())
    st.session_state["progress_interview"] = chosen
    st.date_input(
        "Interview day",
        value=None,
        min_value=min(today, chosen or today),
        max_value=today + timedelta(days=3650),
        key="progress_interview",
        format="YYYY-MM-DD",
        on_change=_set_day,
        args=(ready,),
        help="What would come back later is due on the day before, however well it is known.",
    )
    if over := scheduling.past_interview_day(reader()):
        st.caption(f"Your interview day, {days.day(over)}, is over and no longer counts. Set the next one.")
    elif chosen is None:
        st.caption("Without one, questions come back when about 1 in 10 would be forgotten.")
    else:
        st.caption(f"**Your interview is {days.left((chosen - today).days)}.** {_forecast(ready, chosen)}")


def _set_day(ready: Services) -> None:
    ready.study.scheduling.set_interview_day(
        reader(), st.session_state["progress_interview"], days.zone().key
    )


def _forecast(ready: Services, day: date) -> str:
    found = ready.study.scheduling.forecast(reader(), day)
    cards = sum(topic.cards for topic in found)
    if not cards:
        return "Once questions were answered, this tells how many you are likely to know then."
    known = sum(topic.cards * topic.recall for topic in found)
    return (
        f"With no further review you would know about {known:.0f} of {wording.count(cards, 'question')} "
        "then: a model’s estimate."
    )
