"""Takes what somebody says to a result: how well they knew it, that they disagree, that a question is bad."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.quiz.question import PROBLEM
from pages.shared import sanitise
from rag.errors import RagError
from rag.quiz.scorecard import rates_itself
from rag.quiz.wording import RATINGS
from rag.quiz_types import SelfRating, Session, SessionItem
from rag.services import Services

LONGEST = 1_000
"""Characters of a disagreement or a report."""
FAULTS = (
    "The key or a point is wrong",
    "More than one option is right",
    "The source does not say this",
    "It is unclear",
    "Something else",
)


def draw_rating(services: Services, session: Session, item: SessionItem) -> None:
    """Draw the self-rating: four choices where nobody graded, else "It was easy" for what was known."""
    if item.hints and item.follow_up_of is None:
        st.caption(":material/lightbulb: You looked at a hint, so it comes back sooner.")
    if rates_itself(item):
        _draw_four(services, session, item)
    elif item.self_rating:
        st.caption(f":material/event_repeat: You rated: {RATINGS[item.self_rating]}.")
    elif _may_be_easy(item):
        st.button(
            "It was easy",
            icon=":material/fast_forward:",
            type="tertiary",
            key=f"quiz_rate_easy_{item.position}",
            help="It then comes back later than it would otherwise.",
            on_click=_rate,
            args=(services, session, item, "easy"),
        )


def draw_objections(services: Services, session: Session, item: SessionItem) -> None:
    """Draw "I disagree" and "Report this question", or what was said already."""
    if item.disagreement:
        st.info(
            f"“{sanitise.label(item.disagreement)}” The grade stays as it is and is listed as doubted.",
            title="You disagreed",
            icon=":material/flag:",
        )
    if item.report:
        st.info(
            f"“{sanitise.label(item.report)}” You will not be asked this question again.",
            title="You reported this question",
            icon=":material/report:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        judged = item.grade is not None and item.grade.graded_by in ("key", "llm")
        if judged and not item.disagreement and item.grade and item.grade.outcome != "not_answered":
            _draw_disagree(services, session, item)
        if not item.report:
            _draw_report(services, session, item)


def _draw_four(services: Services, session: Session, item: SessionItem) -> None:
    key = f"quiz_rate_{item.position}"
    ratings: tuple[SelfRating, ...] = ("again", "hard", "good", "easy")

    def rated() -> None:
        if value := st.session_state[key]:
            _rate(services, session, item, value)

    st.session_state[key] = item.self_rating or None
    with st.container(gap="xsmall", key=f"quiz_rating_{item.position}"):
        st.pills(
            "How well did you know it? Compare your answer with the model answer.",
            ratings,
            format_func=lambda rating: RATINGS[rating],
            key=key,
            on_change=rated,
        )
        if item.follow_up_of is not None:
            st.caption("A follow-up does not come again by itself; your rating is kept with your answer.")
        elif item.self_rating:
            st.caption(":material/event_repeat: Noted. Your rating decides when the question comes again.")
        else:
            st.caption("Nobody graded this answer: your own rating decides when the question comes again.")


def _may_be_easy(item: SessionItem) -> bool:
    """Tell whether an answer was so good that "easy" would be believed."""
    grade, response = item.grade, item.response
    if grade is None or response is None or response.guessed or item.hints or item.follow_up_of is not None:
        return False
    return bool(grade.right or (grade.verdicts and grade.met == len(grade.verdicts)))


def _draw_disagree(services: Services, session: Session, item: SessionItem) -> None:
    key = f"quiz_disagree_{item.position}"

    def noted() -> None:
        text = str(st.session_state.get(f"{key}_text") or "").strip()
        if not text:
            st.session_state[PROBLEM] = "Nothing was noted. Write what you disagree with."
            return
        _store(lambda: services.study.sessions.disagree(session.id, session.owner, item.position, text))

    with st.popover("I disagree", icon=":material/flag:", type="tertiary", key=key):
        st.text_area(
            "What is wrong about this result?",
            key=f"{key}_text",
            max_chars=LONGEST,
            placeholder="E.g. I did say that, in other words.",
        )
        st.button("Note it", key=f"{key}_note", on_click=noted)
        st.caption("It is stored with your answer. The grade stays as it is.")


def _draw_report(services: Services, session: Session, item: SessionItem) -> None:
    key = f"quiz_report_{item.position}"

    def reported() -> None:
        fault = st.session_state.get(f"{key}_fault")
        more = str(st.session_state.get(f"{key}_text") or "").strip()
        text = ": ".join(filter(None, [fault, more]))
        if not text:
            st.session_state[PROBLEM] = "Nothing was reported. Choose what is wrong with the question."
            return
        _store(lambda: services.study.sessions.report(session.id, session.owner, item.position, text))

    with st.popover("Report this question", icon=":material/report:", type="tertiary", key=key):
        st.radio("What is wrong with it?", FAULTS, index=None, key=f"{key}_fault")
        st.text_area("More about it (optional)", key=f"{key}_text", max_chars=LONGEST)
        st.button("Report it", key=f"{key}_send", on_click=reported)
        st.caption("You will not be asked it again.")


def _rate(services: Services, session: Session, item: SessionItem, rating: SelfRating) -> None:
    _store(lambda: services.study.sessions.self_rate(session.id, session.owner, item.position, rating))


def _store(act: Callable[[], object]) -> None:
    try:
        act()
    except RagError as error:
        st.session_state[PROBLEM] = f"{error} {error.hint}".strip()
