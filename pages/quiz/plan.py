"""Draws the plan of a mock interview: what is done and what comes, and how much of its limits is used."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import streamlit as st

from pages.quiz import words
from pages.shared import sanitise, wording
from rag.quiz_types import Kind, Session, SessionItem
from rag.services import Services
from rag.types import Level, Usage

TICK_S = 12
"""Seconds between two looks at the clock and the ledger."""
_RANK: dict[Level, int] = {"junior": 0, "mid": 1, "senior": 2}
_KINDS: dict[Kind, str] = {"mcq": "options", "open": "open"}


def draw(ready: Services, session: Session) -> None:
    """Draw the plan with its limits; the current place is named in words, not by colour alone."""
    with st.container(border=True, key="quiz_plan", gap="small"):
        st.markdown("**Plan of this interview**")
        st.markdown("\n".join(_lines(session)))
        if told := " ".join(filter(None, [level_words(session), words.STOPS[session.stop_reason]])):
            st.caption(told)
        st.fragment(_draw_limits, run_every=TICK_S if session.state == "running" else None)(ready, session)


@st.fragment(run_every=TICK_S)
def draw_timer(session: Session) -> None:
    """Draw how much of the time is used; it never interrupts."""
    st.caption(f":material/schedule: {words.time_used(session, datetime.now(UTC))}")


def _lines(session: Session) -> list[str]:
    """Return a line for each question: those asked with their follow-ups, then what the plan still has."""
    lines = []
    for item in session.items:
        topic = sanitise.label(wording.topic(item.question.topic))
        told = f"{topic}, {words.LEVELS[item.question.level].lower()}, {_KINDS[item.question.kind]}"
        if item.follow_up_of is None:
            lines.append(f"- {_state(session, item)} {told}")
        else:
            lines.append(f"  - {_state(session, item)} follow-up")
    asked = words.number(session, len(session.items) - 1)
    icon = ":material/radio_button_unchecked:"
    for slot in session.plan.slots[asked:] if session.state == "running" else ():
        told = f"{sanitise.label(wording.topic(slot.topic))}, {_KINDS[slot.kind]}"
        lines.append(f"- {icon} Next: {told}" if len(lines) == len(session.items) else f"- {icon} {told}")
    return lines


def _state(session: Session, item: SessionItem) -> str:
    if item.response is None:
        return ":material/arrow_right_alt: **Now:**" if session.state == "running" else "Not answered:"
    return ":material/skip_next: Skipped:" if item.response.skipped else ":material/check: Done:"


def level_words(session: Session) -> str:
    """Return how the level has moved, e.g. "Level raised to senior after question 2."; empty: it did not."""
    questions = [item for item in session.items if item.follow_up_of is None]
    if len(questions) < 2:
        return ""
    moves = []
    for number, (before, after) in enumerate(pairwise(item.question.level for item in questions), start=1):
        if before != after:
            moved = "raised" if _RANK[after] > _RANK[before] else "lowered"
            moves.append(f"{moved} to {words.LEVELS[after].lower()} after question {number}")
    if moves:
        return f"Level {', '.join(moves)}."
    return "The level has stayed the same: two good answers in a row raise it, two poor ones lower it."


def _draw_limits(ready: Services, session: Session) -> None:
    spent = ready.study.sessions.spent(session.id)
    st.caption(
        f"{steps_used(session)}  \n{words.time_used(session, datetime.now(UTC))}.  \n"
        f"{sanitise.label(money_used(session, spent))}"
    )


def steps_used(session: Session) -> str:
    """Return e.g. "3 of at most 10 steps: 2 questions and 1 follow-up."."""
    follow_ups = sum(item.follow_up_of is not None for item in session.items)
    questions = len(session.items) - follow_ups
    told = f"{len(session.items)} of at most {wording.count(session.plan.max_steps, 'step')}"
    if not follow_ups:
        return f"{told}."
    return f"{told}: {wording.count(questions, 'question')} and {wording.count(follow_ups, 'follow-up')}."


def money_used(session: Session, spent: Usage) -> str:
    """Return e.g. "$0.0031 spent, limit $0.25." or "Free: no model was asked."."""
    limit = session.plan.max_cost_usd
    of_limit = f", limit ${limit:.2f}" if limit is not None else ""
    if spent.cost_usd is None:
        kept = f", so the limit of ${limit:.2f} can't be kept" if limit is not None else ""
        return f"Price unknown{kept}: {wording.tokens(spent)}."
    if spent.cost_usd:
        return f"{wording.cost(spent)} spent{of_limit}."
    told = "Free" if spent.input_tokens else "Free so far: no model was asked"
    return f"{told}{of_limit}."
