"""Draws what one can do with an answer: search for something else, answer anew, leaf through, rate."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import picker, sanitise
from pages.shared.case_dialog import draw_test_case
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.storage.conversations import Rating, StoredAnswer, StoredTurn
from rag.types import Answer

RATINGS: tuple[Rating, Rating] = ("down", "up")
"""In the order of `st.feedback`: 0 is thumbs down."""


def draw_search(n: int, answer: Answer, search: Callable[[str], None]) -> None:
    """Draw what was searched for; another text searches again."""
    if not answer.searched_for:
        return
    key = f"chat_search_text_{n}"

    def changed() -> None:
        text = str(st.session_state[key] or "").strip()
        if text and text != answer.searched_for:
            search(text)

    label = f"Searched for “{sanitise.label(answer.searched_for)}”"
    with st.expander(label, type="compact", key=f"chat_searched_for_{n}", icon=":material/search:"):
        st.session_state[key] = answer.searched_for
        with (  # a form: one event for both, the text and the button
            st.form(f"chat_search_form_{n}", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            st.text_input("Search for something else", key=key)
            st.form_submit_button("Search again", key=f"chat_search_again_{n}", on_click=changed)


def draw_actions(
    services: Services,
    n: int,
    turn: StoredTurn,
    stored: StoredAnswer,
    answer_again: Callable[[ModelChoice], None],
) -> None:
    """Draw the row under an answer."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Answer again",
            icon=":material/refresh:",
            type="tertiary",
            key=f"chat_regenerate_{n}",
            on_click=lambda: answer_again(picker.chosen(services)),
        )
        models = picker.usable(services)
        if len(models) > 1:
            st.menu_button(
                "Other model",
                [sanitise.label(name) for name in models],
                icon=":material/swap_horiz:",
                type="tertiary",
                key=f"chat_regenerate_with_{n}",
                on_click=lambda: _with_picked(n, models, answer_again),
            )
        _draw_rating(services, n, stored)
        draw_test_case(services, n, turn, stored)
        if len(turn.answers) > 1:
            _draw_variants(services, n, turn)


def _with_picked(n: int, models: dict[str, ModelChoice], answer_again: Callable[[ModelChoice], None]) -> None:
    picked = st.session_state[f"chat_regenerate_with_{n}"]
    for name, choice in models.items():
        if sanitise.label(name) == picked:
            answer_again(choice)
            return


def _draw_rating(services: Services, n: int, stored: StoredAnswer) -> None:
    """Draw thumbs and, once one is chosen, a field for the reason; both show what is stored."""
    thumbs, reason = f"chat_feedback_{n}", f"chat_feedback_reason_{n}"

    def rated() -> None:
        value = st.session_state[thumbs]
        text = str(st.session_state.get(reason) or "").strip()
        services.conversations.set_feedback(stored.id, None if value is None else RATINGS[value], text)

    given = stored.feedback
    st.session_state[thumbs] = RATINGS.index(given.rating) if given else None
    st.feedback("thumbs", key=thumbs, on_change=rated)
    if given:
        st.session_state[reason] = given.reason
        st.text_input(
            "Reason",
            key=reason,
            placeholder="What was wrong?" if given.rating == "down" else "What was good?",
            label_visibility="collapsed",
            max_chars=500,
            width=240,
            on_change=rated,
        )


def _draw_variants(services: Services, n: int, turn: StoredTurn) -> None:
    """Draw the way to the other answers to the same question."""

    def show(position: int) -> None:
        services.conversations.show(turn.id, turn.answers[position].id)

    last = len(turn.answers) - 1
    st.button(
        "Before",
        icon=":material/chevron_left:",
        type="tertiary",
        key=f"chat_variant_before_{n}",
        disabled=turn.shown == 0,
        on_click=show,
        args=(turn.shown - 1,),
    )
    st.caption(f"{turn.shown + 1} of {last + 1}", width="content")
    st.button(
        "Next",
        icon=":material/chevron_right:",
        icon_position="right",
        type="tertiary",
        key=f"chat_variant_after_{n}",
        disabled=turn.shown == last,
        on_click=show,
        args=(turn.shown + 1,),
    )
