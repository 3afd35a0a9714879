"""Draws what became of one answer: the verdict in words, the evidence of both sides, the right answer."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase

import streamlit as st

from pages.quiz import checked, excerpts, points, question, replies
from pages.shared import sanitise, wording
from pages.shared.failures import draw_failure
from rag.errors import RagError
from rag.quiz.scorecard import is_unanswered
from rag.quiz.wording import graded_by, points_met
from rag.quiz_types import AskedQuestion, Grade, GradedBy, Response, Session, SessionItem
from rag.services import Services

_BADGES: Mapping[GradedBy, str] = {
    "key": ":material/fact_check:",
    "llm": ":material/smart_toy:",
    "coverage_hint": ":material/search:",
    "self": ":material/person:",
}
_NO_JUDGE = (
    "No model read this answer. A program only looked for the words of each point; it can’t tell whether "
    "what you said is right."
)


def draw_feedback(services: Services, session: Session, item: SessionItem) -> None:
    """Draw the result of an answer, whatever it is; an answer that waits for its grade is shown as that."""
    with st.container(key="quiz_feedback", gap="medium"):
        if problem := st.session_state.pop(question.PROBLEM, ""):
            draw_failure(RagError(problem))
        question.draw_stem(item)
        asked, grade = item.question, item.grade
        if is_unanswered(item):
            _draw_not_answered(services, item)
        elif asked.kind == "mcq" and item.response and grade and grade.right is not None:
            _draw_choice(services, asked, item.response, grade)
        elif grade is None:
            _draw_text(item)
            st.caption("There is no grade for this answer yet.")
            return
        else:
            _draw_open(services, item, grade)
        replies.draw_rating(services, session, item)
        checked.draw(asked, item.position, is_follow_up=item.follow_up_of is not None)
        replies.draw_objections(services, session, item)


def _draw_head(verdict: str, icon: str, badge: str = "", badge_icon: str = "", *, told: str = "") -> None:
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(f"{icon} {verdict}", anchor=False, width="content")
            if badge:
                st.badge(sanitise.label(badge), icon=badge_icon, color="gray")
        if told:
            st.caption(told)


def _draw_not_answered(services: Services, item: SessionItem) -> None:
    asked, note = item.question, item.grade.note if item.grade else ""
    told = f"This counts as not answered, which is not the same as wrong. {sanitise.label(note)}".strip()
    _draw_head("Not answered", ":gray[:material/remove_circle_outline:]", told=told)
    _draw_text(item)
    if asked.answer is not None:
        _draw_option(asked, asked.answer, "The key")
        _draw_others(asked, {asked.answer})
    _draw_model_answer(asked)
    if asked.evidence is not None:
        excerpts.draw_excerpt(services, asked.evidence)


def _draw_choice(services: Services, asked: AskedQuestion, response: Response, grade: Grade) -> None:
    badge = graded_by(grade, asked.origin), _BADGES[grade.graded_by]
    chosen, key = response.option, asked.answer
    if chosen is None or key is None:
        return
    if grade.right:
        told = "You said that you were guessing, so it comes back soon." if response.guessed else ""
        _draw_head("Right", ":green[:material/check_circle:]", *badge, told=told)
        _draw_option(asked, key, "Your choice, and the key")
    else:
        _draw_head("Not right", ":orange[:material/cancel:]", *badge)
        _draw_option(asked, chosen, "Your choice")
        _draw_option(asked, key, "The key")
    _draw_others(asked, {chosen, key})
    if asked.evidence is not None:
        excerpts.draw_excerpt(services, asked.evidence)
    else:
        st.caption("Its author named no source.")


def _draw_option(asked: AskedQuestion, place: int, name: str) -> None:
    with st.container(gap="xxsmall"):
        st.caption(name)
        st.markdown(f"**{ascii_uppercase[place]}.** {question.one_line(asked.options[place])}")
        if why := _why(asked, place):
            st.markdown(sanitise.markdown(why))


def _draw_others(asked: AskedQuestion, shown: set[int]) -> None:
    others = [place for place in range(len(asked.options)) if place not in shown]
    if not others:
        return
    with st.expander("Why the other options are wrong", icon=":material/list:", type="compact"):
        for place in others:
            _draw_option(asked, place, "Other option")


def _why(asked: AskedQuestion, place: int) -> str:
    return asked.whys[place] if place < len(asked.whys) else ""


def _draw_open(services: Services, item: SessionItem, grade: Grade) -> None:
    asked = item.question
    badge = graded_by(grade, asked.origin), _BADGES[grade.graded_by]
    note, is_off = sanitise.label(grade.note), grade.outcome == "off_topic"
    if is_off:
        told = note or "Nothing in the answer could be matched with a point of this question."
        _draw_head("Off the question", ":gray[:material/help:]", *badge, told=told)
    elif grade.verdicts:
        told = f"{points.anchors(grade)} {note}".strip()
        _draw_head(points_met(grade), ":gray[:material/checklist:]", *badge, told=told)
    else:
        told = f"{_NO_JUDGE} {note}".strip() if grade.graded_by == "coverage_hint" else note
        _draw_head("Compare it yourself", ":gray[:material/compare_arrows:]", *badge, told=told)
    _draw_text(item)
    if is_off and not any(verdict.denied for verdict in grade.verdicts):
        points.draw_points("What an answer should say", asked.points, "Missing")
    elif grade.verdicts:
        points.draw_verdicts(grade)
    elif grade.graded_by == "coverage_hint":
        points.draw_not_mentioned(asked, grade)
    elif asked.evidence is not None:
        excerpts.draw_excerpt(services, asked.evidence)
    _draw_model_answer(asked)
    if grade.graded_by == "llm":
        spent = [wording.tokens(grade.usage), wording.cost(grade.usage)]
        st.caption(f"Grading: {' · '.join([*spent, *([wording.duration(grade.ms)] if grade.ms else [])])}")


def _draw_text(item: SessionItem) -> None:
    if item.response is None or not item.response.text:
        return
    with st.container(key="quiz_your_answer", gap="xxsmall"):
        st.caption("Your answer")
        st.markdown(sanitise.markdown(item.response.text))


def _draw_model_answer(asked: AskedQuestion) -> None:
    if asked.model_answer:
        with st.container(gap="xxsmall"):
            st.markdown("**Model answer**")
            st.markdown(sanitise.markdown(asked.model_answer))
