"""Draws the figures week by week, the answers day by day, and what feedback brought."""

from __future__ import annotations

from datetime import timedelta, tzinfo

import altair as alt
import streamlit as st

from pages.progress import charts
from pages.shared import days, wording
from rag.quiz.figures import ENOUGH, Tally
from rag.quiz.progress import Progress

SHOWN_DAYS = 28
HEIGHT = 320


def draw(progress: Progress, zone: tzinfo) -> None:
    """Draw the weeks, the days and the measures, each with its table."""
    st.subheader("Week by week", anchor=False)
    _draw_weeks(progress)
    st.subheader("Day by day", anchor=False)
    _draw_days(progress, zone)
    st.subheader("How practising works for you", anchor=False)
    _draw_measures(progress)


def _draw_weeks(progress: Progress) -> None:
    values = [
        {"week": days.day(week), "kind": kind, "share": tally.share, "told": charts.amount(tally)}
        for week, figures in progress.weeks
        for kind, tally in charts.tallies(figures).items()
        if tally.share is not None
    ]
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        if values:
            kinds = [kind for kind in charts.KINDS if any(value["kind"] == kind for value in values)]
            _draw_lines(values, kinds, [days.day(week) for week, _ in progress.weeks])
        else:
            st.caption(f"A week is drawn once it has {ENOUGH} answers of a kind.")
    with table:
        st.dataframe(
            [
                {
                    "Week of": days.day(week),
                    "Multiple choice": _share(figures.options),
                    "Points met": _share(figures.points),
                    "Own rating": _share(figures.rated),
                }
                for week, figures in reversed(progress.weeks)
            ],
            hide_index=True,
            alt="What was known week by week, the newest first",
        )


def _draw_lines(values: list[dict[str, object]], kinds: list[str], weeks: list[str]) -> None:
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(
            "week:N",
            sort=weeks,
            title="Week of",
            scale=alt.Scale(domain=weeks),
            axis=alt.Axis(labelAngle=0, labelOverlap=True),
        ),
        y=alt.Y("share:Q", title="Share known", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
        color=charts.colour_of(kinds),
        tooltip=[
            alt.Tooltip("kind:N", title="What"),
            alt.Tooltip("week:N", title="Week of"),
            alt.Tooltip("told:N", title="How many"),
        ],
    )
    shapes = [charts.SHAPES[charts.KINDS.index(kind)] for kind in kinds]
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        shape=alt.Shape("kind:N", sort=kinds, scale=alt.Scale(domain=kinds, range=shapes))
    )
    charts.draw(
        alt.layer(base.mark_line(strokeWidth=2), marks),
        HEIGHT,
        f"Share known over {wording.count(len(weeks), 'week')}, a line for each kind of judging",
    )


def _share(tally: Tally) -> str:
    if not tally.answers:
        return ""
    return charts.amount(tally) + ("" if tally.enough else ", too few")


def _draw_days(progress: Progress, zone: tzinfo) -> None:
    counted, today = dict(progress.streak.by_day), days.today(zone)
    shown = [today - timedelta(days=n) for n in reversed(range(SHOWN_DAYS))]
    values = [{"day": days.day(day), "answers": counted.get(day, 0)} for day in shown]
    st.caption(
        f"The last {SHOWN_DAYS // 7} weeks. Days off cost nothing: what was due then is due when you return."
    )
    chart, table = st.columns([3, 2], gap="medium")
    with chart:
        bars = (
            alt.Chart(alt.InlineData(values=values))
            .mark_bar(color=charts.ACCENT, cornerRadiusEnd=2)
            .encode(
                x=alt.X(
                    "day:N",
                    sort=[days.day(day) for day in shown],
                    title=None,
                    axis=alt.Axis(labelAngle=0, labelOverlap=True),
                ),
                y=alt.Y("answers:Q", title="Answers", axis=alt.Axis(tickMinStep=1, format="d")),
                tooltip=[alt.Tooltip("day:N", title="Day"), alt.Tooltip("answers:Q", title="Answers")],
            )
        )
        active = sum(bool(value["answers"]) for value in values)
        charts.draw(bars, 180, f"Answers a day: something on {active} of the last {SHOWN_DAYS} days")
    with table:
        st.dataframe(
            [{"Day": days.day(day), "Answers": n} for day, n in reversed(progress.streak.by_day)],
            hide_index=True,
            height=214,
            alt="Answers of every day with any, the newest first",
        )


def _draw_measures(progress: Progress) -> None:
    found, total = progress.measures, progress.total
    rows = {
        "After a miss and its feedback, the next multiple choice of the topic was right": _told(
            found.next_options, total.options
        ),
        "After a miss and its feedback, points met in the next open question of the topic": _told(
            found.next_points, total.points
        ),
        "Grades that you disagreed with": _told(found.disagreed),
        "Questions that you reported": _told(found.reported),
        "Quizzes that came to their end": _told(found.finished),
    }
    st.table(
        {what: told for what, told in rows.items() if told},
        border="horizontal",
        alt="Whether feedback helps, and how often grades and questions were contested",
    )


def _told(tally: Tally, of_all: Tally | None = None) -> str:
    """Return e.g. "15 of 22; of all answers 36 of 54"; empty when there is nothing to tell."""
    if not tally.answers:
        return ""
    few = "" if tally.enough else " (not enough evidence)"
    return charts.amount(tally) + (f"; of all answers {charts.amount(of_all)}" if of_all else "") + few
