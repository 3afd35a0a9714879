"""Draws what is known of each topic: a chart, a table, and the way to a quiz on the weak ones."""

from __future__ import annotations

import altair as alt
import streamlit as st

from pages.progress import charts
from pages.shared import leading, sanitise, wording
from rag.quiz.figures import ENOUGH, Figures
from rag.quiz.progress import Progress

BAR = 18
"""Pixels of one bar with its gap."""
FEW = "not enough evidence"
WEAK_NAMED = 4


def draw(progress: Progress) -> None:
    """Draw the figures of every topic that was asked, or how to begin."""
    st.header("By topic", anchor=False)
    if not progress.topics:
        _draw_empty()
        return
    _draw_weak(progress)
    drawn = {
        kind for _, one in progress.topics for kind, tally in charts.tallies(one).items() if tally.enough
    }
    if drawn:
        _draw_chart(progress, [kind for kind in charts.KINDS if kind in drawn])
    st.dataframe(
        [_row(topic, figures, progress.total) for topic, figures in (*progress.topics, ("", progress.total))],
        hide_index=True,
        alt="What was known of each topic, by who judged it; the last row is all topics together",
        height="content",
        column_config={"Topic": st.column_config.TextColumn(pinned=True)},
    )
    st.caption(
        "Multiple choice is marked by its key, open answers by a model point by point, or by yourself: three "
        f"kinds that are never averaged. Below {ENOUGH} answers there is {FEW}. Follow-ups do not count."
    )


def _draw_empty() -> None:
    st.markdown(
        "**No answers yet.** After a first quiz this page shows what you know of each topic, which points "
        "you missed, with your words beside those of the source, and what to review before your interview.",
        width=760,
    )
    if st.button("Start a first quiz", type="primary", icon=":material/play_arrow:", key="progress_start"):
        leading.to_quiz_on([])


def _draw_weak(progress: Progress) -> None:
    """Name the weak topics and lead to a quiz on them."""
    if not progress.weak:
        return
    told = ", ".join(
        f"{sanitise.label(wording.topic(weak.topic))} ({weak.reason})" for weak in progress.weak[:WEAK_NAMED]
    )
    more = len(progress.weak) - WEAK_NAMED
    st.markdown(f"**Weak by the last answers:** {told}{f', and {more} more' if more > 0 else ''}.", width=760)
    if st.button("Quiz on weak topics", icon=":material/target:", key="progress_weak"):
        leading.to_quiz_on([weak.topic for weak in progress.weak])


def _draw_chart(progress: Progress, kinds: list[str]) -> None:
    """Draw a bar for each topic and kind with enough answers, the weakest topic first."""
    values, least = [], {}
    for topic, figures in progress.topics:
        shares = [tally.share for tally in charts.tallies(figures).values() if tally.share is not None]
        least[wording.topic(topic)] = min(shares, default=2.0)
        for kind, tally in charts.tallies(figures).items():
            if tally.share is not None:
                told = f"{tally.n} of {tally.of}"
                values.append(
                    {"topic": wording.topic(topic), "kind": kind, "share": tally.share, "told": told}
                )
    order = sorted((topic for topic in least if least[topic] <= 1), key=lambda topic: (least[topic], topic))
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("topic:N", sort=order, title=None, axis=alt.Axis(labelLimit=150, ticks=False)),
        yOffset=alt.YOffset("kind:N", sort=kinds),
        x=alt.X(
            "share:Q",
            title=None,
            scale=alt.Scale(domain=[0, 1.2]),
            axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
        ),
        tooltip=[
            alt.Tooltip("topic:N", title="Topic"),
            alt.Tooltip("kind:N", title="What"),
            alt.Tooltip("told:N", title="How many"),
        ],
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=charts.colour_of(kinds))
    labels = base.mark_text(align="left", dx=4, fontSize=11, color=charts.ink()).encode(text="told:N")
    weakest = f"The weakest is {order[0]}." if order else ""
    charts.draw(
        alt.layer(bars, labels),
        70 + max(2, len(kinds)) * BAR * len(order),
        f"Share known of {wording.count(len(order), 'topic')} with enough answers, by who judged. {weakest}",
    )
    few = [sanitise.label(topic) for topic in least if least[topic] > 1]
    if few:
        st.caption(f"Not in the chart, {FEW}: {', '.join(few)}.")


def _row(topic: str, figures: Figures, total: Figures) -> dict[str, object]:
    """Return a row of the table; ways of judging that no answer had are left out of all of them."""
    options, points, rated = figures.options, figures.points, figures.rated
    guessed = f", {figures.guessed} guessed" if figures.guessed else ""
    partial = f", {figures.partial} in part" if figures.partial else ""
    few = [
        name
        for name, tally in (("multiple choice", options), ("points", points), ("own rating", rated))
        if tally.answers and not tally.enough
    ]
    enough = any(tally.enough for tally in (options, points, rated))
    judged = {
        charts.OPTIONS: ("Multiple choice right", f"{charts.amount(options)}{guessed}"),
        charts.POINTS: ("Points met", f"{charts.amount(points)}{partial}"),
        charts.RATED: ("Known by own rating", charts.amount(rated)),
    }
    return {
        "Topic": wording.topic(topic) if topic else "All topics",
        "Answers": figures.answers,
        **dict(judged[kind] for kind in charts.tallies(total)),
        "Not answered": figures.not_answered,
        "Evidence": FEW if not enough else f"too little for {' and '.join(few)}" if few else "enough",
    }
