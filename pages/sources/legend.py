"""Draws what the marks in a document mean, switches them, and steps through the cited sentences."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import links, people, sanitise, wording
from pages.shared.evidence import SOURCES_PAGE
from pages.shared.reading import Layer
from pages.sources.marking import Told
from rag.answering.evidence import CitedPlace, Evidence
from rag.services import Services
from rag.types import Answer

CHAT_PAGE = "chat/page.py"


def draw(ready: Services, told: Told | None, place: links.Place) -> list[Layer]:
    """Draw the legend and return the layers to show; nothing is drawn where no answer is looked at."""
    if told is None:
        if place.trace:
            st.caption("The answer of this link is no longer stored; only the words it points at are marked.")
        return []
    with st.container(key="sources_legend", gap="xsmall"):
        st.page_link(
            CHAT_PAGE,
            label="Back to the answer",
            icon=":material/forum:",
            query_params={"c": told.conversation_id},
        )
        st.markdown(f"Evidence of the answer to “{sanitise.label(told.question)}”")
        shown: list[Layer] = []
        with st.container(horizontal=True, gap="small"):
            for layer, label, explained in _layers(told.evidence, told.answer):
                if st.checkbox(label, value=True, key=f"sources_layer_{layer}", help=explained):
                    shown.append(layer)
        if shown:
            st.caption(
                "Numbers are those of the answer’s citations. The search found passages; the answer is made "
                "of sentences in them. What is underlined with dots was found and set aside."
            )
        _draw_elsewhere(ready, told)
    if told.evidence.cited:
        with st.bottom:
            _draw_steps(told.evidence.cited, place)
    return shown + (["aside"] if "found" in shown else [])


def _layers(evidence: Evidence, answer: Answer) -> list[tuple[Layer, str, str]]:
    """Return name, label and explanation of each layer that has something in the document."""
    sent = "Could be quoted" if answer.basis == "quotes" else "Given to the model"
    aside = f", {len(evidence.aside)} set aside" if evidence.aside else ""
    found: list[tuple[Layer, int, str, str]] = [
        (
            "cited",
            len(evidence.cited),
            f"Cited: {wording.count(len(evidence.cited), 'sentence')}",
            "The answer rests on these sentences. The number in front is that in the answer.",
        ),
        (
            "sent",
            len(evidence.sent),
            f"{sent}: {wording.count(len(evidence.sent), 'sentence')}",
            "The answer could be made of these sentences, and of no others.",
        ),
        (
            "found",
            len(evidence.found) + len(evidence.aside),
            f"Found: {wording.count(len(evidence.found), 'passage')}{aside}",
            "The search returned these passages. What was set aside is underlined with dots.",
        ),
    ]
    return [(layer, label, explained) for layer, number, label, explained in found if number]


def _draw_elsewhere(ready: Services, told: Told) -> None:
    """Draw links to what the answer cites of other documents."""
    readable = {one.id for one in ready.library.summaries() if people.may_read(one.owner)}
    by_document: dict[str, list[CitedPlace]] = {}
    for cited in told.evidence.elsewhere:
        if cited.document_id in readable:
            by_document.setdefault(cited.document_id, []).append(cited)
    number = sum(map(len, by_document.values()))
    if not number:
        return
    more = "more " if told.evidence.cited else ""
    documents = "another document" if len(by_document) == 1 else f"{len(by_document)} other documents"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{wording.count(number, f'{more}sentence')} cited in {documents}:", width="content")
        for places in by_document.values():
            count = f" ({len(places)})" if len(places) > 1 else ""
            st.page_link(
                SOURCES_PAGE,
                label=f"{sanitise.label(places[0].title)}{count}",
                query_params=_query(places[0], told.answer.trace_id),
            )


def _draw_steps(cited: tuple[CitedPlace, ...], place: links.Place) -> None:
    """Draw the buttons that go from one cited sentence to the next."""
    here = next(
        (n for n, one in enumerate(cited, 1) if (one.start, one.end) == (place.start, place.end)), None
    )
    at = -1 if place.start is None else place.start
    before = next((one for one in reversed(cited) if one.start < at), None)
    after = next((one for one in cited if one.start > at), None)
    number = wording.count(len(cited), "sentence")
    told = f"Cited: {number}" if here is None else f"Cited sentence {here} of {len(cited)}"

    def step(label: str, target: CitedPlace | None) -> None:
        st.button(
            label,
            key=f"sources_{label.lower()}",
            shortcut=label[0],
            disabled=target is None,
            on_click=None if target is None else _go_to(target, place.trace),
        )

    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="center", key="sources_steps"
    ):
        step("Previous", before)
        st.markdown(told, width="content")
        step("Next", after)


def _go_to(cited: CitedPlace, trace: str) -> Callable[[], None]:
    def go() -> None:
        st.query_params.from_dict(_query(cited, trace))

    return go


def _query(cited: CitedPlace, trace: str) -> dict[str, str]:
    return links.source_params(cited.document_id, cited.start, cited.end, cited.quote, trace)
