"""Draws one question with what was checked; key, explanations and evidence only when they are asked for."""

from __future__ import annotations

from string import ascii_uppercase

import streamlit as st

from pages.quiz import excerpts, points, words
from pages.quiz.checked import gate_words
from pages.quiz.question import one_line
from pages.quiz.questions import address
from pages.quiz.replies import FAULTS
from pages.shared import sanitise
from pages.shared.people import reader
from pages.shared.scrolling import scroll_to
from rag.quiz_types import AskedQuestion
from rag.services import Services

NO_SOURCE = "No source given: its author named none."
_SHOWN = "questions_revealed"
"""Session key with the id of the question whose key is shown."""


def draw(ready: Services, question_id: str) -> None:
    """Draw a question of the bank or of the reader's own, also one that was reported."""
    here = {name: st.query_params[name] for name in ("topic", "origin", "part") if name in st.query_params}
    st.button(
        "Back to the list",
        icon=":material/arrow_back:",
        type="tertiary",
        key="questions_to_list",
        on_click=_close,
        args=(address(**here),),
    )
    question = _found(ready, question_id)
    if question is None:
        st.markdown("This question is not there any more. It was removed, or its document was.")
        return
    with st.container(key="questions_one", gap="medium", width=760):
        st.caption(words.about(question))
        with st.container(key="quiz_stem"):
            st.markdown(sanitise.markdown(question.prompt), anchors=False)
        with st.container(gap="xsmall"):
            for place, option in enumerate(question.options):
                st.markdown(f"**{ascii_uppercase[place]}.** {one_line(option)}")
        with st.container(gap="xxsmall"):
            st.markdown("**What was checked**")
            st.markdown(gate_words(question))
        if question.evidence is None:
            st.caption(NO_SOURCE)
        if st.session_state.get(_SHOWN) == question.id:
            _draw_key(ready, question)
        else:
            st.button(
                "Show the key and its source" if question.kind == "mcq" else "Show the points and the answer",
                icon=":material/visibility:",
                key="questions_reveal",
                on_click=lambda: st.session_state.update({_SHOWN: question.id}),
            )
        _draw_report(ready, question)
    scroll_to(".st-key-quiz_body", f"question {question.id}")


def _close(query: dict[str, str]) -> None:
    """Go back to the list; the key is hidden again."""
    st.session_state.pop(_SHOWN, None)
    st.query_params.from_dict(query)


def _found(ready: Services, question_id: str) -> AskedQuestion | None:
    study = ready.study
    reported = (question for question, _ in study.pool.reported(reader()))
    return study.pool.get(reader(), question_id) or next(
        (one for one in [*reported, *study.questions.list(reader())] if one.id == question_id), None
    )


def _draw_key(ready: Services, question: AskedQuestion) -> None:
    with st.container(key="questions_key", gap="medium"):
        if question.answer is not None:
            st.markdown(
                f"**The key is {ascii_uppercase[question.answer]}:** "
                f"{one_line(question.options[question.answer])}"
            )
            with st.container(gap="xsmall"):
                for place, why in enumerate(question.whys):
                    if why:
                        st.markdown(f"**{ascii_uppercase[place]}.** {one_line(why)}")
            if question.evidence is not None:
                excerpts.draw_excerpt(ready, question.evidence)
            return
        points.draw_points("What an answer should say", question.points, "Point")
        st.markdown("**A model answer**")
        st.markdown(sanitise.markdown(question.model_answer))
        if question.follow_ups:
            st.markdown(
                "**What may be asked next**\n\n"
                + "\n".join(f"- {one_line(one)}" for one in question.follow_ups)
            )


def _draw_report(ready: Services, question: AskedQuestion) -> None:
    reason = ready.study.questions.reported(reader()).get(question.id)
    if reason is not None:
        st.info(
            f"{sanitise.label(reason) or 'You gave no reason.'} It is not asked any more.",
            title="You reported this question",
            icon=":material/flag:",
        )
        st.button(
            "Take it back",
            key="questions_unreport",
            on_click=ready.study.questions.unreport,
            args=(reader(), question.id),
        )
        return
    with st.popover("Report it", icon=":material/flag:", type="tertiary", key="questions_report"):
        fault = st.radio("What is wrong with it?", FAULTS, index=None, key="questions_report_fault")
        st.caption("You will not be asked it again, until you take the report back.")
        st.button(
            "Report",
            key="questions_report_send",
            disabled=fault is None,
            on_click=ready.study.questions.report,
            args=(reader(), question.id, str(fault)),
        )
