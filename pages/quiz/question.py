"""Draws the question that waits for an answer, and takes the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from pages.quiz import keys, plan, words
from pages.quiz.keeping import keep_typed
from pages.shared import grading, sanitise
from pages.shared.failures import draw_failure
from rag.errors import RagError
from rag.providers.choice import ModelChoice
from rag.quiz.grading.limits import LONGEST_ANSWER
from rag.quiz_types import Response, Session, SessionItem
from rag.services import Services

PROBLEM = "quiz_problem"
_AT, _LACKING = "quiz_at", "quiz_lacking"


def draw(ready: Services, session: Session) -> None:
    """Draw the current question with its fields; what was typed before a reload stands in them."""
    item = session.current
    if item.shown_at is None:
        ready.study.sessions.shown(session.id, session.owner)
    _restore(session, item)
    with st.container(key="quiz_question", gap="medium"):
        draw_head(session, item)
        draw_stem(item)
        if item.question.kind == "mcq":
            _draw_options(ready, session, item)
        else:
            _draw_text(ready, session, item)
        st.checkbox(
            "I'm guessing",
            key="quiz_guess",
            help="A guess comes back soon, even when it is right.",
            on_change=_keep(ready, session, item),
        )
        _draw_hints(ready, session, item)
        if problem := st.session_state.pop(PROBLEM, ""):
            draw_failure(RagError(problem))
        if lacking := st.session_state.pop(_LACKING, ""):
            st.info(lacking, icon=":material/info:")
        _draw_buttons(ready, session, item)


def draw_head(session: Session, item: SessionItem) -> None:
    """Draw where in the quiz this is, which question it follows, what it is about, and why it is asked."""
    with st.container(gap="xsmall"):
        st.markdown(f"#### {words.place(session, item)}", anchors=False)
        if session.plan.minutes is not None and session.state == "running":
            with st.container(key="quiz_timer"):  # on a wide screen the plan beside it has the clock
                plan.draw_timer(session)
        if item.follow_up_of is not None:
            st.markdown(f"> {sanitise.label(session.items[item.follow_up_of].question.prompt)}")
        told = words.about(item.question)
        st.caption(f"{told} · {sanitise.label(item.reason)}" if item.reason else told)


def draw_stem(item: SessionItem) -> None:
    """Draw the question itself."""
    with st.container(key="quiz_stem"):
        st.markdown(sanitise.markdown(item.question.prompt), anchors=False)


def _draw_options(ready: Services, session: Session, item: SessionItem) -> None:
    options = item.question.options
    st.radio(
        "Choose one answer",
        range(len(options)),
        index=None,
        format_func=lambda place: one_line(options[place]),
        key="quiz_options",
        on_change=_keep(ready, session, item),
    )
    with st.container(key="quiz_keys"):  # hidden: they only carry the keys 1 to 4
        for place in range(min(len(options), 9)):
            st.button(
                f"Choose answer {place + 1}",
                key=f"quiz_key_{place + 1}",
                shortcut=str(place + 1),
                on_click=_pick,
                args=(ready, session, item, place),
            )
        keys.hear()


def _draw_text(ready: Services, session: Session, item: SessionItem) -> None:
    spoken = session.mode == "interview"
    # No fragment around it: with Streamlit 1.67 a click on a button elsewhere that leaves the field would
    # then draw the fragment alone.
    st.text_area(
        "Answer as you would say it: about a minute" if spoken else "Your answer",
        key="quiz_answer",
        height=190,
        max_chars=LONGEST_ANSWER,
        placeholder="Whole sentences, as you would say them." if spoken else "In your own words.",
        on_change=_keep(ready, session, item),
    )
    keep_typed("quiz_answer")


def _draw_hints(ready: Services, session: Session, item: SessionItem) -> None:
    """Draw the hints that were asked for; an interview has none."""
    if session.mode == "interview":
        return
    hints = ready.study.sessions.hints_of(item.question)[: item.hints]
    if hints:
        names = ("The source is", "First clue")
        told = [f"{name}: {sanitise.label(hint)}" for name, hint in zip(names, hints, strict=False)]
        st.info("  \n".join(told), icon=":material/lightbulb:")


def _draw_buttons(ready: Services, session: Session, item: SessionItem) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Submit",
            type="primary",
            icon=":material/check:",
            key="quiz_submit",
            shortcut="Ctrl+Enter",
            on_click=_submit,
            args=(ready, session, item, grading.chosen(ready)),
        )
        if session.mode != "interview" and item.hints < len(ready.study.sessions.hints_of(item.question)):
            st.button(
                "Hint",
                icon=":material/lightbulb:",
                key="quiz_hint",
                help="With a hint a right answer counts as hard, and the question comes back sooner.",
                on_click=_done,
                args=(lambda: ready.study.sessions.hint(session.id, session.owner, item.position),),
            )
        st.button(
            "Skip",
            icon=":material/skip_next:",
            key="quiz_skip",
            help="Counts as not answered, which is not the same as wrong.",
            on_click=_done,
            args=(lambda: ready.study.sessions.skip(session.id, session.owner, item.position),),
        )
        draw_end(ready, session)
    if item.question.kind == "mcq":
        with st.container(key="quiz_keys_told"):
            st.caption(f"Keys 1 to {len(item.question.options)} choose an answer.")


def draw_end(ready: Services, session: Session) -> None:
    """Draw the button that ends the quiz before its plan is done, which asks once more."""
    with st.popover("End quiz", icon=":material/stop:", type="tertiary", key="quiz_end"):
        st.markdown("The result covers what you answered so far. The rest is not asked.")
        st.button(
            "End it now",
            key="quiz_end_confirm",
            on_click=_done,
            args=(lambda: ready.study.sessions.end(session.id, session.owner),),
        )


def one_line(text: str) -> str:
    """Return an option as a label: code in it stays code, nothing else of it is Markdown that acts."""
    line = " ".join(text.split())
    return sanitise.markdown(f"\\{line}" if line.startswith("#") else line)  # no heading


def _restore(session: Session, item: SessionItem) -> None:
    """Fill the fields from what was kept when another question, or another browser session, comes."""
    state, at = st.session_state, (session.id, item.position)
    if state.get(_AT) == at and ("quiz_options" in state or "quiz_answer" in state):
        return
    state[_AT] = at
    state["quiz_guess"] = item.guessing
    if item.question.kind == "open":
        state["quiz_answer"] = item.draft
        return
    kept = int(item.draft) if item.draft.isdecimal() else -1
    state["quiz_options"] = kept if 0 <= kept < len(item.question.options) else None


def _keep(ready: Services, session: Session, item: SessionItem) -> Callable[[], None]:
    """Return the callback that stores what is chosen, typed and ticked so far."""
    key = "quiz_options" if item.question.kind == "mcq" else "quiz_answer"

    def keep() -> None:
        value = st.session_state.get(key)
        draft, guessing = "" if value is None else str(value), bool(st.session_state.get("quiz_guess"))
        _done(
            lambda: ready.study.sessions.save_draft(session.id, session.owner, item.position, draft, guessing)
        )

    return keep


def _pick(ready: Services, session: Session, item: SessionItem, place: int) -> None:
    st.session_state["quiz_options"] = place
    _keep(ready, session, item)()


def _submit(ready: Services, session: Session, item: SessionItem, choice: ModelChoice) -> None:
    """Store the answer and, if it is an open one, begin to grade it."""
    state = st.session_state
    is_open = item.question.kind == "open"
    option = None if is_open else state.get("quiz_options")
    text = str(state.get("quiz_answer") or "").strip() if is_open else ""
    if option is None and not text:
        state[_LACKING] = (
            "There is no answer yet. Write one, or skip the question."
            if is_open
            else "No answer is chosen yet. Choose one, or skip the question."
        )
        return
    response = Response(option, text, bool(state.get("quiz_guess")), seconds=_seconds(item))
    _done(lambda: ready.study.sessions.submit(session.id, session.owner, item.position, response))
    if is_open and PROBLEM not in state:
        grading.begin(ready.study, session, item, choice)


def _seconds(item: SessionItem) -> float:
    return max(0.0, (datetime.now(UTC) - item.shown_at).total_seconds()) if item.shown_at else 0.0


def _done(act: Callable[[], object]) -> None:
    """Do something to the quiz; what goes wrong is said on the next drawing."""
    try:
        act()
    except RagError as error:
        st.session_state[PROBLEM] = f"{error} {error.hint}".strip()
