"""Draws the reviews to come: how many each day, and what is likely to be known on the interview day."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo

import altair as alt
import streamlit as st

from pages.progress import charts
from pages.shared import days, wording
from pages.shared.people import reader
from rag.services import Services

DAYS, MOST_DAYS = 14, 42
"""Days that are drawn without an interview day, and at most with one."""


def draw(ready: Services, zone: tzinfo) -> None:
    """Draw the load of the next days and the forecast by topic, each with its table."""
    today, interview = days.today(zone), ready.study.scheduling.interview_day(reader())
    left = DAYS if interview is None else min(MOST_DAYS, max(7, (interview - today).days + 1))
    counted = ready.study.scheduling.due_by_day(reader(), days.now(), left, zone)
    st.subheader("Questions that come back", anchor=False)
    if not any(n for _, n in counted):
        st.markdown(
            f"Nothing comes back within {wording.count(left, 'day')}. Answer new questions to have more."
        )
    else:
        _draw_load(counted, interview)
    _draw_forecast(ready, interview or today + timedelta(days=DAYS), interview is not None)


def _draw_load(counted: list[tuple[date, int]], interview: date | None) -> None:
    values = [
        {"day": _name(n, day), "questions": number, "interview": "interview" if day == interview else ""}
        for n, (day, number) in enumerate(counted)
    ]
    told = "Each question on the day it is due as things stand; an answer moves it on. Today has all that is "
    told += "overdue."
    if interview:
        told += " What would come on your interview day or later is due on the day before it."
    st.caption(told)
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        base = alt.Chart(alt.InlineData(values=values)).encode(
            x=alt.X(
                "day:N",
                sort=[_name(n, day) for n, (day, _) in enumerate(counted)],
                title=None,
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("questions:Q", title="Questions", axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[alt.Tooltip("day:N", title="Day"), alt.Tooltip("questions:Q", title="Questions")],
        )
        bars = base.mark_bar(cornerRadiusEnd=2, color=charts.ACCENT)
        marked = base.mark_text(dy=-8, fontSize=11, color=charts.ink()).encode(text="interview:N")
        most = max(counted, key=lambda entry: entry[1])
        charts.draw(
            alt.layer(bars, marked),
            220,
            f"Questions due on each of {len(counted)} days; most on {days.day(most[0])}: {most[1]}",
        )
    with table:
        st.dataframe(
            [
                {"Day": _name(n, day), "Questions": number}
                for n, (day, number) in enumerate(counted)
                if number
            ],
            hide_index=True,
            height="content" if sum(bool(n) for _, n in counted) < 7 else 250,
            alt="How many questions come back on each day with any",
        )


def _draw_forecast(ready: Services, day: date, is_interview: bool) -> None:
    found = ready.study.scheduling.forecast(reader(), day)
    if not found:
        return
    when = f"on your interview day, {days.day(day)}" if is_interview else f"in two weeks, {days.day(day)}"
    st.subheader(f"Likely to be known {when}", anchor=False)
    st.caption(
        "If nothing were reviewed until then: the estimate of a memory model (FSRS) with its standard "
        "settings, not fitted to you."
    )
    values = [
        {
            "topic": wording.topic(topic.topic),
            "recall": topic.recall,
            "told": f"about {topic.recall:.0%} of {wording.count(topic.cards, 'question')}",
        }
        for topic in found
    ]
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        base = alt.Chart(alt.InlineData(values=values)).encode(
            y=alt.Y(
                "topic:N",
                sort=[wording.topic(topic.topic) for topic in found],
                title=None,
                axis=alt.Axis(labelLimit=150, ticks=False),
            ),
            x=alt.X("recall:Q", title=None, axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
            tooltip=[alt.Tooltip("topic:N", title="Topic"), alt.Tooltip("told:N", title="Estimate")],
        )
        charts.draw(
            base.mark_bar(cornerRadiusEnd=2, color=charts.ACCENT),
            60 + 24 * len(values),
            f"Estimated recall of {wording.count(len(values), 'topic')}, the lowest first: "
            f"{values[0]['topic']} {values[0]['told']}",
        )
    with table:
        st.dataframe(
            [
                {"Topic": value["topic"], "Questions": topic.cards, "Estimate": f"about {topic.recall:.0%}"}
                for value, topic in zip(values, found, strict=True)
            ],
            hide_index=True,
            height="content",
            alt="Estimated recall by topic, the lowest first",
        )


def _name(place: int, day: date) -> str:
    return "today" if place == 0 else days.day(day)
