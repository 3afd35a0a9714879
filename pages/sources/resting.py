"""Draws what rests on a document or on its marked words: answers that cite it and quiz questions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import streamlit as st

from pages.shared import links, people, sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.sources import marking
from pages.sources.legend import CHAT_PAGE
from rag.errors import KnowledgeError
from rag.services import Services
from rag.types import Document

SHOWN = 30
"""Answers and questions that are listed at first."""
QUOTED = 240
"""Characters of a quote that are shown."""
MARKED, WHOLE = "The marked words", "The whole document"


class Resting(NamedTuple):
    """An answer or a question of the quiz with the words that it rests on."""

    title: str
    about: str
    quote: str
    start: int
    end: int
    trace: str = ""
    conversation_id: str = ""


def draw(ready: Services, document: Document, place: links.Place) -> None:
    """Draw the list, closed at first."""
    opened = st.expander(
        "What rests on this", icon=":material/account_tree:", key="sources_resting", on_change="rerun"
    )
    if not opened.open:
        return
    with opened:
        scope = WHOLE
        if marking.stands(document, place):
            scope = st.segmented_control(
                "What rests on", [MARKED, WHOLE], default=MARKED, required=True, key="sources_scope",
                label_visibility="collapsed",
            )  # fmt: skip
        within = place if scope == MARKED else None
        answers, questions = _answers(ready, document), _questions(ready, document)
        for name, all_of, none in (
            ("Answers", answers, "No stored answer cites"),
            ("Quiz questions", questions, "No question of the quiz rests on"),
        ):
            found = [one for one in all_of if within is None or _overlaps(one, within)]
            st.markdown(f"**{name}**" + (f" ({len(found)})" if found else ""))
            if not found:
                st.caption(f"{none} {'these words' if within else 'this document'} yet.")
            for _, same in groupby(found[:SHOWN], lambda one: (one.title, one.trace)):
                _draw_one(document, list(same))
            if len(found) > SHOWN:
                st.caption(f"And {len(found) - SHOWN:,} more.")


def _answers(ready: Services, document: Document) -> list[Resting]:
    return [
        Resting(
            cited.question,
            f"answered {wording.day(cited.created_at)}",
            cited.quote,
            cited.start,
            cited.end,
            cited.trace_id,
            cited.conversation_id,
        )
        for cited in ready.citations.of(document.id, people.reader())
    ]


def _questions(ready: Services, document: Document) -> list[Resting]:
    try:
        items = ready.quiz_items_on(document.id)
    except KnowledgeError as error:
        st.warning(sanitise.label(f"{error} {error.hint}"), icon=":material/error:")
        return []
    kinds = {"mcq": "multiple choice", "open": "open question"}
    return [
        Resting(item.prompt, f"{kinds[item.kind]}, {item.level} level", item.quote, item.start, item.end)
        for item in items
    ]


def _overlaps(one: Resting, place: links.Place) -> bool:
    return (
        place.start is not None and place.end is not None and one.start < place.end and place.start < one.end
    )


def _draw_one(document: Document, quoting: Sequence[Resting]) -> None:
    """Draw an answer or a question with all the words that it rests on."""
    first = quoting[0]
    with st.container(gap="xxsmall"):
        st.markdown(f"**{sanitise.label(first.title)}**")
        st.caption(first.about)
        if first.conversation_id:
            st.page_link(
                CHAT_PAGE,
                label="Open the answer",
                icon=":material/forum:",
                query_params={"c": first.conversation_id},
            )
        for one in quoting:
            quote = sanitise.plain(one.quote)
            shown = quote if len(quote) <= QUOTED else quote[:QUOTED].rsplit(" ", 1)[0] + " …"
            st.markdown(f":small[“{sanitise.label(shown)}”]")
            st.page_link(
                SOURCES_PAGE,
                label="Show these words",
                icon=":material/format_ink_highlighter:",
                query_params=links.source_params(document.id, one.start, one.end, one.quote, one.trace),
            )
