"""Draws the fields that say what somebody wants to be asked, and turns them into a request."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import streamlit as st

from pages.shared import days, grading, picker, sanitise, wording
from pages.shared.people import reader
from rag.providers.choice import ModelChoice
from rag.quiz.estimating import estimate
from rag.quiz.pool import TopicCount
from rag.quiz_types import AskedQuestion, Kind, QuizRequest
from rag.services import Services
from rag.types import Level

MODES = {"practice": "Practice", "interview": "Mock interview"}
CAPTIONS = (
    "Hints on request, feedback after each answer.",
    "Follow-up questions, a soft timer, feedback at the end.",
)
LENGTHS = (5, 10, 15, 20)
LEVELS: dict[str, Level | None] = {"Mixed": None, "Junior": "junior", "Mid": "mid", "Senior": "senior"}
KINDS: dict[str, Kind | None] = {"Both": None, "Multiple choice": "mcq", "Open": "open"}
MINUTES: dict[str, int | None] = {"10 min": 10, "20 min": 20, "30 min": 30, "45 min": 45, "No timer": None}
THIN = 5
"""A topic with fewer passages is labelled as thin."""
LIMIT_USD = 0.25
RECENT_CALLS, CENT = 200, Decimal("0.01")


def draw(ready: Services, topics: Mapping[str, TopicCount], *, has_needs: bool) -> None:
    """Draw the fields, what the quiz will take, and how open answers will be graded.

    has_needs: there are weak or due topics that can come first.
    """
    choice = grading.chosen(ready)
    st.radio(
        "Mode",
        list(MODES),
        format_func=MODES.__getitem__,
        captions=CAPTIONS,
        key="quiz_mode",
        persist_state="session",
    )
    is_interview = st.session_state["quiz_mode"] == "interview"
    with st.container(horizontal=True, gap="medium"):
        _choice("Questions", [str(n) for n in LENGTHS], "quiz_n")
        _choice("Level", list(LEVELS), "quiz_level", help=_level_help(is_interview))
        _choice("Kind", list(KINDS), "quiz_kind", help="Open questions are answered in your own words.")
    st.multiselect(
        "Topics",
        list(topics),
        format_func=lambda topic: _topic_label(topics[topic]),
        key="quiz_topics",
        placeholder="All topics",
        persist_state="session",
    )
    if is_interview:
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            _choice("Time", list(MINUTES), "quiz_minutes", help="A soft limit: it never cuts you off.")
            if choice.provider != "embedded":
                st.number_input(
                    "Most it may cost, in USD",
                    min_value=0.01,
                    max_value=100.0,
                    step=0.05,
                    format="%.2f",
                    key="quiz_max_cost",
                    width=190,
                    persist_state="session",
                )
    if has_needs:
        st.checkbox(
            "Weak and due topics first",
            key="quiz_weak",
            persist_state="session",
            help="Begins with what is due for review and with topics in which points were missed.",
        )
    st.checkbox(
        "Only questions I have not seen",
        key="quiz_new",
        persist_state="session",
    )
    _draw_day(ready)
    st.caption(
        f"{_estimate_words(ready, request(choice), choice)}  \n{_graded_words(choice, picker.lacking(ready))}"
    )


def _draw_day(ready: Services) -> None:
    """Draw the day of the interview, which is stored for all quizzes and reviews."""
    today, chosen = days.today(days.zone()), st.session_state["quiz_interview_day"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(
            "Interview day (optional)",
            value=None,
            min_value=min(today, chosen or today),
            key="quiz_interview_day",
            format="YYYY-MM-DD",
            width=220,
            on_change=_set_day,
            args=(ready,),
            help="What would come back later is then due on the day before.",
        )
        if isinstance(day, date) and day > today:
            left = wording.count((day - today).days, "day")
            st.caption(f"In {left}. What would come back later is due on the day before.")


def _choice(label: str, options: Sequence[str], key: str, help: str | None = None) -> None:
    st.segmented_control(label, options, key=key, help=help, required=True, persist_state="session")


def prepare(ready: Services, topics: Mapping[str, TopicCount], wanted: Sequence[str] | None) -> None:
    """Give each field its first value; what was chosen before stays, as far as it still exists.

    wanted: topics to choose instead; None: as they were chosen.
    """
    state = st.session_state
    defaults = {
        "quiz_mode": "practice",
        "quiz_n": "5",
        "quiz_level": "Mixed",
        "quiz_kind": "Both",
        "quiz_topics": [],
        "quiz_minutes": "20 min",
        "quiz_max_cost": LIMIT_USD,
        "quiz_weak": True,
        "quiz_new": False,
    }
    for key, value in defaults.items():
        state.setdefault(key, value)
    chosen = state["quiz_topics"] if wanted is None else wanted
    state["quiz_topics"] = [topic for topic in chosen if topic in topics]
    state["quiz_interview_day"] = ready.study.scheduling.interview_day(reader())


def _set_day(ready: Services) -> None:
    day = st.session_state["quiz_interview_day"]
    ready.study.scheduling.set_interview_day(reader(), day, days.zone().key)


def _topic_label(found: TopicCount) -> str:
    """Return e.g. "Agents · 24" or "My notes · 3, from only 2 passages"."""
    told = f"{wording.topic(found.topic)} · {found.mcq + found.open}"
    if found.passages >= THIN:
        return told
    return f"{told}, from only {wording.count(found.passages, 'passage')}"


def _level_help(is_interview: bool) -> str:
    if is_interview:
        return "Where it begins; it then follows your answers up and down. Mixed begins at mid."
    return "Mixed has about three junior, four mid and three senior questions in ten."


def request(choice: ModelChoice) -> QuizRequest:
    """Return what the fields say; a limit of cost only where a model grades."""
    state = st.session_state
    is_interview = state["quiz_mode"] == "interview"
    has_limit = is_interview and choice.provider != "embedded"
    return QuizRequest(
        n=int(state["quiz_n"]),
        mode="interview" if is_interview else "practice",
        topics=tuple(state["quiz_topics"]),
        level=LEVELS[state["quiz_level"]],
        kind=KINDS[state["quiz_kind"]],
        target_weak=bool(state.get("quiz_weak")),
        new_only=bool(state["quiz_new"]),
        minutes=MINUTES[state["quiz_minutes"]] if is_interview else None,
        max_cost_usd=Decimal(f"{state['quiz_max_cost'] or LIMIT_USD:.2f}") if has_limit else None,
        seed=random.SystemRandom().randrange(2**31),
    )


def _fitting(questions: Sequence[AskedQuestion], wish: QuizRequest, seen: Collection[str]) -> int:
    """Return how many questions there are for this request; seen: ids of what was asked before."""
    return sum(
        (not wish.topics or question.topic in wish.topics)
        and (wish.mode == "interview" or wish.level in (None, question.level))
        and wish.kind in (None, question.kind)
        and not (wish.new_only and question.id in seen)
        for question in questions
    )


def _estimate_words(ready: Services, wish: QuizRequest, choice: ModelChoice) -> str:
    """Return e.g. "About 9 minutes: 5 questions and up to 2 follow-ups. Free."."""
    seen = ready.study.sessions.asked_ids(reader()) if wish.new_only else set()
    fitting = _fitting(ready.study.pool.questions(reader()), wish, seen)
    if not fitting:
        more = ", or allow questions that you have seen" if wish.new_only else ""
        return f"No question fits this choice: choose more topics, another level or another kind{more}."
    asked = min(wish.n, fitting)
    found = estimate(replace(wish, n=asked), choice, ready.ledger.calls(RECENT_CALLS))
    told = f"About {wording.count(found.minutes, 'minute')}: {wording.count(asked, 'question')}"
    if found.follow_ups:
        told += f" and up to {wording.count(found.follow_ups, 'follow-up')}"
    if fitting < wish.n:
        told += ", all that are new to you" if wish.new_only else ", all there are"
    if not found.model_calls:
        return f"{told}. Free."
    told += f". Up to {wording.count(found.model_calls, 'model call')}, "
    if found.cost_usd is None:
        kept = ", so a limit on the cost can't be kept" if wish.max_cost_usd is not None else ""
        return f"{told}price unknown{kept}."
    return f"{told}about ${max(found.cost_usd, CENT):.2f}." if found.cost_usd else f"{told}free."


def _graded_words(choice: ModelChoice, lacking: str) -> str:
    """Return how open answers are graded with this model, as Markdown."""
    if lacking:
        return f"{sanitise.label(lacking)} Until then open answers get a coverage hint and your own rating."
    if choice.provider == "embedded":
        return (
            "No model is chosen: open answers get a coverage hint and your own rating, never a score. "
            "Multiple choice is graded by its key."
        )
    return (
        f"Open answers are graded point by point by {sanitise.label(picker.describe(choice))}, and each "
        "quote is checked. Multiple choice is graded by its key."
    )
