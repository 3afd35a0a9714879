"""Draws one turn of a conversation: the question, its answer as it is written, and its evidence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import (
    StopException,
    add_script_run_ctx,
    get_script_run_ctx,
)

from pages.shared import asking, picker, sanitise
from pages.shared.actions import draw_actions, draw_search
from pages.shared.answers import draw_answer, draw_ways_on
from pages.shared.evidence import draw_citations, draw_hits, draw_usage
from pages.shared.running import Running
from pages.shared.wording import count
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.storage.conversations import StoredAnswer, StoredTurn

REPAINT_S = 1 / 15
PATIENCE_S = 2
"""After so many seconds the waiting is counted aloud."""
GONE_AFTER_S = 0.3
"""How long Streamlit needs to notice that a page was closed or reloaded."""


class TurnView:
    """The places of one turn on the page, top to bottom, and how they are filled."""

    def __init__(
        self,
        services: Services,
        conversation_id: str,
        turn: StoredTurn,
        running: Running | None,
        ask: Callable[[str], None],
    ) -> None:
        """`running`: the shown answer if it is being written; `ask` begins a new turn."""
        self._services = services
        self._conversation_id = conversation_id
        self._turn = turn
        self._running = running
        self._ask = ask
        self._n = turn.position + 1

    def draw(self) -> None:
        """Draw the turn; an answer that is being written is watched to its end."""
        with (
            st.container(key=f"chat_question_{self._n}"),
            st.chat_message("user", avatar=":material/person:"),
        ):
            st.text(self._turn.question)
        left, right = st.columns([5, 3], gap="large")
        with left, st.chat_message("assistant", avatar=":material/menu_book:"):
            self._search = st.empty()
            answer = st.container(key=f"chat_answer_{self._n}", gap="small")
            self._status, self._text = answer.empty(), answer.empty()
            self._notes, self._below = answer.empty(), st.empty()
        self._evidence = right.empty()
        if not self._turn.answers:
            self._status.caption("This question was not answered.")
            self._below.button("Try again", key=f"chat_retry_{self._n}", on_click=self._again)
            return
        stored = self._turn.answers[self._turn.shown]
        running = self._running
        if running is None:
            self._draw_finished(stored)
            return
        try:
            self._watch(running)
        except StopException:
            # The stop button ended this run: only another thread can still draw in it.
            if _page_is_open():
                running.stop()
                _draw_in_thread(lambda: self._draw_finished(_settled(stored, running)))
            raise
        self._draw_finished(_settled(stored, running))

    def _watch(self, running: Running) -> None:
        """Repaint the text as it grows, at most 15 times a second, and say what is going on."""
        shown = ""
        for place in (self._search, self._notes, self._below):
            place.empty()
        self._evidence.skeleton(height=140)
        if not st.session_state.get("chat_input"):  # else the input itself has a stop button
            self._below.button(
                "Stop", icon=":material/stop_circle:", key=f"chat_stop_{self._n}", on_click=running.stop
            )
        while True:
            is_settled = running.wait(REPAINT_S)
            text = running.text
            if text and text != shown:
                self._text.markdown(sanitise.markdown(text), anchors=False)
                shown = text
            if is_settled:
                return
            if shown:
                self._status.empty()
            else:
                self._status.markdown(f":shimmer[{_step(running)}]")

    def _draw_finished(self, stored: StoredAnswer) -> None:
        answer, n = stored.answer, self._n
        with self._search.container():
            draw_search(n, answer, self._search_again)
        self._status.empty()
        draw_answer(answer, banner=self._status, text=self._text, notes=self._notes)
        with self._below.container(gap="small"):
            draw_ways_on(answer, n, self._ask, self._general_knowledge(), self._again)
            draw_usage(n, answer)
            draw_actions(self._services, n, self._turn, stored, self._answer_again)
        with self._evidence.container():
            draw_citations(n, answer.citations, answer.trace_id)
            draw_hits(n, answer)

    def _again(self) -> None:
        self._answer_again(picker.chosen(self._services))

    def _answer_again(self, choice: ModelChoice) -> None:
        asking.answer_again(self._services, self._conversation_id, self._turn.id, choice)

    def _search_again(self, searched_for: str) -> None:
        asking.answer_again(
            self._services,
            self._conversation_id,
            self._turn.id,
            picker.chosen(self._services),
            searched_for=searched_for,
        )

    def _general_knowledge(self) -> Callable[[], None] | None:
        choice = picker.chosen(self._services)
        if choice.provider == "embedded" or picker.lacking(self._services):
            return None
        return lambda: asking.answer_again(
            self._services, self._conversation_id, self._turn.id, choice, general_knowledge=True
        )


def _step(running: Running) -> str:
    """Return what the answer is waiting for."""
    seconds = time.monotonic() - running.started
    waited = f", {seconds:.0f} s" if seconds > PATIENCE_S else ""
    if running.retrieval is None:
        return f"Searching the library{waited}"
    return f"Reading {count(len(running.retrieval.kept), 'passage')}{waited}"


def _settled(stored: StoredAnswer, running: Running) -> StoredAnswer:
    return stored if running.answer is None else replace(stored, answer=running.answer)


def _page_is_open() -> bool:
    """Tell the stop button from a reload: both end the run, but after a reload nobody watches it."""
    time.sleep(GONE_AFTER_S)
    context = get_script_run_ctx()
    return context is not None and get_instance().is_active_session(context.session_id)


def _draw_in_thread(draw: Callable[[], None]) -> None:
    thread = threading.Thread(target=draw)
    add_script_run_ctx(thread)
    thread.start()
    thread.join()
