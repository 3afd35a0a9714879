"""Draws all questions: how many there are of each origin and topic, then those of one topic or origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from pages.quiz import bank_question, words
from pages.quiz.question import one_line
from pages.quiz.questions import address
from pages.shared import sanitise, wording
from pages.shared.people import reader
from rag.quiz_types import AskedQuestion, Origin
from rag.services import Services

ORIGINS: Mapping[Origin, tuple[str, str]] = {
    "bank": (
        "Checked bank",
        "Written for Viva. A reader who saw no key held each option against the source, one at a time; every "
        "quote stands in its source word for word.",
    ),
    "generated": (
        "Written by a model",
        "Drafted from your documents, and kept only after every gate. Gates see much, not everything: report "
        "what is wrong.",
    ),
    "extractive": (
        "Fill-in",
        "A term is blanked out of a source sentence. The key is right by construction; the words are the "
        "source’s, so it tests less than the others.",
    ),
    "own": (
        "Your own bank",
        "Imported by you. Form and quotes were checked; whether a key is right rests with its author.",
    ),
}
REJECTED = {
    "quote": "the words they rest on stand in no document here",
    "options_judged": "no reader has judged their options as they are now",
    "repeated_id": "the checked bank has a question with the same id",
}
SHOWN = 40
"""Questions that are listed at first."""


def draw(ready: Services) -> None:
    """Draw one question, a list of them, or what there is, as the address says."""
    query = st.query_params
    with st.skeleton(height=400):  # the bank is checked when it is read the first time
        asked = ready.study.pool.questions(reader())
    if "q" in query:
        bank_question.draw(ready, query["q"])
    elif "topic" in query or "origin" in query:
        origin = next((one for one in ORIGINS if one == query.get("origin")), None)
        _draw_list(ready, asked, query.get("topic", ""), origin)
    else:
        _draw_overview(ready, asked)


def _draw_overview(ready: Services, asked: Sequence[AskedQuestion]) -> None:
    counts = Counter(question.origin for question in asked)
    stored = Counter(question.origin for question in ready.study.questions.list(reader()))
    with st.container(key="questions_origins", gap="small"):
        for origin, (name, told) in ORIGINS.items():
            with st.container(gap="xxsmall"):
                number = wording.count(counts[origin], "question")
                if counts[origin] or stored[origin]:
                    st.button(
                        f"**{name}** · {number}",
                        type="tertiary",
                        key=f"questions_origin_{origin}",
                        on_click=st.query_params.from_dict,
                        args=(address(origin=origin),),
                    )
                else:
                    st.markdown(f":small[**{name}** · none yet]")
                st.caption(told)
    if rejected := ready.study.pool.rejected(reader()):
        told = "; ".join(f"{number:,}: {REJECTED.get(gate, gate)}" for gate, number in rejected.items())
        st.caption(f"{wording.count(sum(rejected.values()), 'question')} can’t be asked now. {told}.")
    st.header("By topic", anchor=False)
    if not asked:
        st.markdown("There are no questions yet. Write some from your documents, or bring your own.")
        return
    by_topic = Counter((question.topic, question.kind) for question in asked)
    yours = Counter(question.topic for question in asked if question.origin != "bank")
    with st.container(horizontal=True, key="questions_topics", gap="medium"):
        for topic in sorted({question.topic for question in asked}):
            with st.container(width=240, gap="xxsmall"):
                st.button(
                    f"**{sanitise.label(wording.topic(topic))}**",
                    type="tertiary",
                    key=f"questions_topic_{topic}",
                    on_click=st.query_params.from_dict,
                    args=(address(topic=topic),),
                )
                parts = [
                    f"{by_topic[topic, 'mcq']} multiple choice",
                    f"{by_topic[topic, 'open']} open",
                    f"{yours[topic]} not of the bank" if yours[topic] else "",
                ]
                st.caption(" · ".join(filter(None, parts)))


def _draw_list(ready: Services, asked: Sequence[AskedQuestion], topic: str, origin: Origin | None) -> None:
    """Draw the questions of one topic, or of one origin with those that can't be asked now."""
    st.button(
        "All topics",
        icon=":material/arrow_back:",
        type="tertiary",
        key="questions_all",
        on_click=st.query_params.from_dict,
        args=(address(),),
    )
    askable = {question.id for question in asked}
    is_own = origin is not None and origin != "bank"
    if is_own:
        chosen = ready.study.questions.list(reader(), origin)
    else:
        chosen = [one for one in asked if (one.origin == origin if origin else one.topic == topic)]
    name, told = ORIGINS[origin] if origin else (wording.topic(topic), "")
    st.header(f"{sanitise.label(name)} · {wording.count(len(chosen), 'question')}", anchor=False)
    if told:
        st.caption(told)
    if not chosen:
        st.markdown("There are no questions here.")
        return
    if is_own:
        _draw_remove_all(ready, chosen)
    search = st.text_input(
        "Find a question",
        key="questions_find",
        placeholder="Find a question by its words",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    sought = search.casefold().split()
    found = [one for one in chosen if all(word in one.prompt.casefold() for word in sought)]
    shown = found if st.session_state.get("questions_everything") else found[:SHOWN]
    with st.container(key="questions_list", gap="small"):
        for question in shown:
            _draw_row(ready, question, is_askable=question.id in askable, with_topic=bool(origin))
    if not found:
        st.markdown("No question has these words.")
    if len(shown) < len(found):
        st.button(
            f"Show all {len(found):,}",
            key="questions_more",
            on_click=lambda: st.session_state.update(questions_everything=True),
        )


def _draw_row(ready: Services, question: AskedQuestion, *, is_askable: bool, with_topic: bool) -> None:
    here = {name: st.query_params[name] for name in ("topic", "origin") if name in st.query_params}
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="top", gap="small"
    ):
        with st.container(gap="xxsmall", width="stretch"):
            st.button(
                one_line(question.prompt),
                type="tertiary",
                key=f"questions_open_{question.id}",
                on_click=st.query_params.from_dict,
                args=(address(**here, q=question.id),),
            )
            parts = [
                sanitise.label(wording.topic(question.topic)) if with_topic else "",
                words.LEVELS[question.level],
                "Multiple choice" if question.kind == "mcq" else "Open",
                "" if question.origin == "bank" else ORIGINS[question.origin][0],
                "" if question.evidence else "no source given",
                "" if is_askable else "not asked now: reported, or its source has changed",
            ]
            st.caption(" · ".join(filter(None, parts)))
        if question.origin != "bank":
            st.button(
                "Remove",
                icon=":material/delete:",
                type="tertiary",
                key=f"questions_remove_{question.id}",
                help="Your earlier answers to it stay.",
                on_click=_remove,
                args=(ready, [question]),
            )


def _draw_remove_all(ready: Services, chosen: Sequence[AskedQuestion]) -> None:
    icon = ":material/delete_sweep:"
    with st.popover("Remove all", icon=icon, type="tertiary", key="questions_remove_all"):
        told = wording.count(len(chosen), "question")
        st.markdown(f"This removes {told} for good. Your earlier answers to them stay.")
        if st.button("Remove them", key="questions_remove_all_confirm"):
            _remove(ready, chosen)
            st.rerun()


def _remove(ready: Services, questions: Sequence[AskedQuestion]) -> None:
    for question in questions:
        ready.study.questions.remove(reader(), question.id)
