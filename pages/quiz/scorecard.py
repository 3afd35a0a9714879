"""Draws what one quiz came to: each kind of grade by itself, the weak points with their way to study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape

import streamlit as st

from pages.quiz import excerpts, study_links, words
from pages.quiz.export import draw_export
from pages.shared import sanitise, wording
from pages.shared.leading import WANTED
from rag.quiz.figures import ENOUGH, Figures, Tally
from rag.quiz.findings import Finding, FindingKind
from rag.quiz.scorecard import Scorecard, scorecard
from rag.quiz.wording import RATINGS, result
from rag.quiz_types import Session, SessionItem
from rag.services import Services

_KINDS: dict[FindingKind, str] = {
    "met": ":green[:material/check_circle:] **Met**",
    "right": ":green[:material/check_circle:] **Right**",
    "partial": ":orange[:material/incomplete_circle:] **Partly met**",
    "missing": ":gray[:material/radio_button_unchecked:] **Missing**",
    "not_mentioned": ":gray[:material/radio_button_unchecked:] **Not mentioned**",
    "self_rated": ":gray[:material/person:] **Not known, by your own rating**",
    "wrong": ":orange[:material/cancel:] **Not right**",
    "contradicted": ":red[:material/cancel:] **Contradicts the source**",
}
_BELOW = "[Question by question](#question-by-question)"
"""Leads to the feedback of each answer, which the page draws below the result."""


def draw_scorecard(services: Services, session: Session) -> None:
    """Draw the result of a finished quiz, as far as its answers are graded."""
    card = scorecard(session)
    with st.container(key="quiz_scorecard", gap="medium"):
        _draw_head(services, session)
        _draw_totals(session, card)
        _draw_open_ends(session, card)
        has_both = card.weakest and card.strongest
        weak, strong = st.columns([3, 2], gap="large") if has_both else (st.container(), st.container())
        with weak:
            _draw_points("Work on these first", card.weakest, _draw_weak)
            _draw_next(card)
        with strong:
            _draw_points("What went well", card.strongest, _draw_finding)
        _draw_topics(card)
        _draw_list(session, "Not answered", card.unanswered, _unanswered)
        _draw_list(session, "Follow-ups", card.follow_ups, lambda item: result(item))
        _draw_list(session, "You disagreed", card.disagreed, lambda item: f"“{item.disagreement}”")
        _draw_list(session, "You reported", card.reported, lambda item: f"“{item.report}”")
        draw_export(session, card)


def _draw_head(services: Services, session: Session) -> None:
    st.title(f"{words.MODES[session.mode]}: result", anchor=False)
    spent = services.study.sessions.spent(session.id)
    told = [words.STOPS[session.stop_reason], words.took(session, datetime.now(UTC))]
    cost = wording.cost(spent)
    paid = "no model was asked, so it was free" if spent.cost_usd == 0 and not spent.input_tokens else cost
    graded_ms = sum(item.grade.ms for item in session.items if item.grade and item.grade.graded_by == "llm")
    graded = f"; grading took {wording.duration(graded_ms)}" if graded_ms else ""
    st.caption(sanitise.label(f"{told[0]} {told[1]}; {paid}{graded}."))


def _draw_totals(session: Session, card: Scorecard) -> None:
    """Draw one line for each way of grading; they are never added up."""
    total, lines = card.total, []
    if total.options.of:
        guessed = f", {total.guessed} of them guessed" if total.guessed else ""
        lines.append(
            f":material/fact_check: **Multiple choice:** {total.options.n} of {total.options.of} right"
            f"{guessed}"
        )
    if total.points.answers:
        partly = f", {total.partial} partly" if total.partial else ""
        lines.append(
            f":material/smart_toy: **Graded by a model:** {total.points.n} of "
            f"{wording.count(total.points.of, 'point')} met{partly}, in "
            f"{wording.count(total.points.answers, 'answer')}"
        )
    if card.ratings:
        rated = ", ".join(f"“{RATINGS[rating]}” {wording.count(n, 'time')}" for rating, n in card.ratings)
        lines.append(f":material/person: **Rated by yourself:** {rated}")
    if card.unanswered:
        skipped = wording.count(len(card.unanswered), "question")
        lines.append(f":material/remove_circle_outline: **Not answered:** {skipped}")
    st.markdown("\n".join(f"- {line}" for line in lines) or "Nothing was answered in this quiz.")


def _draw_open_ends(session: Session, card: Scorecard) -> None:
    """Tell what of the result is still missing."""
    if card.unrated:
        st.info(
            f"Nobody graded your answer to {_numbers(session, card.unrated)}. Rate it yourself under "
            f"{_BELOW}; that decides when it comes again.",
            icon=":material/person:",
        )
    if card.failed:
        st.warning(
            f"The grading of {_numbers(session, card.failed)} failed. Try again under {_BELOW}.",
            icon=":material/error:",
        )


def _numbers(session: Session, items: Sequence[SessionItem]) -> str:
    """Return e.g. "question 2" or "questions 2, 4"."""
    numbers = list(dict.fromkeys(words.number(session, item.position) for item in items))
    return ("question " if len(numbers) == 1 else "questions ") + ", ".join(map(str, numbers))


def _draw_points(title: str, findings: Sequence[Finding], draw: Callable[[int, Finding], None]) -> None:
    if not findings:
        return
    st.header(title, anchor=False)
    for number, finding in enumerate(findings):
        with st.container(border=True, gap="small"):
            draw(number, finding)


def _draw_weak(number: int, finding: Finding) -> None:
    _draw_finding(number, finding)
    study_links.draw_links(str(number), finding.prompt, finding.evidence)


def _draw_finding(_: int, finding: Finding) -> None:
    topic = sanitise.label(wording.topic(finding.topic))
    made_up = " · made up for in the follow-up" if finding.made_up_for else ""
    st.markdown(f"{_KINDS[finding.kind]} · {topic}{made_up}")
    st.markdown(sanitise.markdown(finding.prompt))
    is_choice = finding.kind in ("right", "wrong")
    lines = [(f"{'Key' if is_choice else 'Point'}", sanitise.label(finding.claim))]
    if finding.your_words and finding.kind != "right":
        lines.append(
            ("Your choice" if is_choice else "Your words", f"“{sanitise.label(finding.your_words)}”")
        )
    if finding.evidence is not None:
        source = f"{excerpts.quotation(finding.evidence.quote)} ({sanitise.label(finding.evidence.title)})"
        lines.append(("The source", source))
    st.markdown("  \n".join(f":gray[{name}:] {text}" for name, text in lines))


def _draw_next(card: Scorecard) -> None:
    if not card.weak_topics:
        return

    def practise() -> None:
        st.session_state[WANTED] = list(card.weak_topics)
        st.query_params.clear()

    named = ", ".join(sanitise.label(wording.topic(topic)) for topic in card.weak_topics)
    with st.container(gap="xsmall"):
        st.button(
            "Practise these topics next",
            icon=":material/replay:",
            type="primary",
            key="quiz_practise_weak",
            on_click=practise,
        )
        st.caption(named)


def _draw_topics(card: Scorecard) -> None:
    if not card.topics:
        return
    st.header("By topic", anchor=False)
    st.html(
        '<div class="viva-table" tabindex="0" role="region" aria-label="Figures by topic">'
        f"<table>{_table(card)}</table></div>"
    )
    if any(figures.answers < ENOUGH for _, figures in card.topics):
        st.caption(
            f"Below {ENOUGH} answers there is not enough evidence to judge a topic. The progress page adds "
            "up all your quizzes."
        )


def _table(card: Scorecard) -> str:
    """Return the rows of the table; a way of grading that nothing was graded by has no column."""
    columns: list[tuple[str, Callable[[Figures], str]]] = [("Answers", _answers)]
    if card.total.options.of:
        columns.append(("Multiple choice", lambda one: _of(one.options, "right")))
    if card.total.points.of:
        columns.append(("Graded by a model", lambda one: _of(one.points, "points met")))
    if card.total.rated.of:
        columns.append(("Rated by you", lambda one: _of(one.rated, "known")))
    if card.total.not_answered:
        columns.append(("Not answered", lambda one: str(one.not_answered or "–")))
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Topic", *(name for name, _ in columns)))
    rows = (
        f'<tr><th scope="row">{escape(wording.topic(topic))}</th>'
        + "".join(f"<td>{cell(figures)}</td>" for _, cell in columns)
        + "</tr>"
        for topic, figures in card.topics
    )
    return f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _answers(figures: Figures) -> str:
    return str(figures.answers) if figures.answers >= ENOUGH else f"{figures.answers}, not enough evidence"


def _of(tally: Tally, what: str) -> str:
    return f"{tally.n} of {tally.of} {what}" if tally.of else "–"


def _draw_list(
    session: Session, title: str, items: Sequence[SessionItem], told: Callable[[SessionItem], str]
) -> None:
    if not items:
        return
    st.header(title, anchor=False)
    lines = [
        f"- **{words.place(session, item)}:** {sanitise.label(item.question.prompt)} "
        f":gray[{sanitise.label(told(item))}]"
        for item in items
    ]
    st.markdown("\n".join(lines))


def _unanswered(item: SessionItem) -> str:
    if item.response is None:
        return "It was shown last and not answered."
    return "You skipped it." if item.response.skipped else "The answer was empty."
