"""Progress: what is known by topic, what is due for review, and every answer so far."""

from __future__ import annotations

import streamlit as st

from pages.progress import ahead, due, over_time, past, points, topics
from pages.shared import days, wording
from pages.shared.people import reader
from pages.shared.services import services
from rag.quiz.progress import LAST_DAYS, Progress

WIDTH = 1100
"""Pixels: text lines stay readable, and a chart has its table beside it."""
PARTS = ("Weakest points", "Over time", "Reviews ahead", "History")


def in_short(progress: Progress) -> str:
    """Return how much was practised, e.g. "You practised on 2 of the last 7 days."."""
    streak = progress.streak
    answers, active = wording.count(len(progress.history), "answer"), wording.count(len(streak.by_day), "day")
    return (
        f"You practised on {streak.last_days} of the last {LAST_DAYS} days. So far {answers} on {active}, at "
        f"most {wording.count(streak.longest, 'day')} in a row."
    )


ready = services()
zone = days.zone()
progress = ready.study.progress(reader(), zone)
with st.container(horizontal_alignment="center"):
    body = st.container(width=WIDTH, key="progress_body")
with body:
    st.title("Progress", anchor=False)
    if progress.history:
        st.caption(in_short(progress))
    with st.container(key="progress_due", border=True):
        due.draw(ready, zone, has_answers=bool(progress.history))
    with st.container(key="progress_topics"):
        topics.draw(progress)
    if progress.history:
        weakest, trend, reviews, history = st.tabs(PARTS, key="progress_part", on_change="rerun")
        with weakest:
            if weakest.open:
                points.draw(progress)
        with trend:
            if trend.open:
                over_time.draw(progress, zone)
        with reviews:
            if reviews.open:
                ahead.draw(ready, zone)
        with history:
            if history.open:
                past.draw(progress, zone)
