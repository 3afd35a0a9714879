"""Draws the questions that somebody reported, which are not asked, and lets them take a report back."""

from __future__ import annotations

import streamlit as st

from pages.quiz.question import one_line
from pages.quiz.questions import address
from pages.shared import sanitise
from pages.shared.people import reader
from rag.services import Services


def draw(ready: Services) -> None:
    """Draw what was reported, the newest first, or what reporting is for; or one question."""
    if question_id := st.query_params.get("q", ""):
        from pages.quiz import bank_question

        bank_question.draw(ready, question_id)
        return
    with st.skeleton(height=200):
        reports = ready.study.questions.reported(reader())
        pool = {question.id: question for question, _ in ready.study.pool.reported(reader())}
        asked = ready.study.sessions.last_asked(reader(), reports.keys() - pool.keys())
    if not reports:
        st.markdown("**You reported no question.**")
        st.markdown(
            "If a key is wrong or a source does not say what it should, report the question under its "
            "feedback or in the list here. It is then not asked any more and stands here."
        )
        return
    st.markdown("These are not asked any more.")
    with st.container(key="questions_list", gap="small"):
        for question_id, reason in reports.items():
            with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
                with st.container(gap="xxsmall", width="stretch"):
                    if question_id in pool:
                        st.button(
                            one_line(pool[question_id].prompt),
                            type="tertiary",
                            key=f"questions_open_{question_id}",
                            on_click=st.query_params.from_dict,
                            args=(address(part="reported", q=question_id),),
                        )
                    elif question_id in asked:  # a follow-up, or removed since
                        st.markdown(one_line(asked[question_id].prompt))
                    else:
                        st.markdown("A question that is no longer there")
                    st.caption(sanitise.label(reason) or "No reason given")
                st.button(
                    "Take it back",
                    icon=":material/undo:",
                    type="tertiary",
                    key=f"questions_unreport_{question_id}",
                    on_click=ready.study.questions.unreport,
                    args=(reader(), question_id),
                )
