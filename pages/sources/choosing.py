"""Lets the reader find documents of the library: by words, topic, level and format, in some order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st

from pages.shared import sanitise, wording
from rag.storage.library import DocumentSummary
from rag.types import Format, Level

LONGEST_SEARCH = 200
Name = TypeVar("Name", bound=str)
Sort = Callable[[DocumentSummary], Any]
LEVELS: tuple[Level, ...] = ("junior", "mid", "senior")
BY_TOPIC = "By topic"
SORTS: Mapping[str, Sort] = {
    BY_TOPIC: lambda document: (document.origin == "knowledge", document.path, document.title),
    "By title": lambda document: document.title.casefold(),
    "Last changed first": lambda document: -document.updated_at.timestamp(),
    "Most cited first": lambda document: (-document.cited, document.title.casefold()),
    "Largest first": lambda document: -document.bytes,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader wants to see."""

    search: str
    topic: str
    level: Level | Literal[""]
    format: Format | Literal[""]
    sort: str

    def allows(self, document: DocumentSummary) -> bool:
        """Tell whether a document has the chosen topic, level and format; empty chooses all."""
        return (
            self.topic in ("", document.topic)
            and self.level in ("", document.level)
            and self.format in ("", document.format)
        )

    def names(self, document: DocumentSummary) -> bool:
        """Tell whether every word of the search is in the title, topic, tags or id."""
        named = " ".join((document.title, wording.topic(document.topic), *document.tags, document.id))
        return all(word in named.casefold() for word in self.search.casefold().split())


def draw(documents: Sequence[DocumentSummary]) -> Choice:
    """Draw the search field, the filters that tell documents apart, and the order."""
    with st.container(horizontal=True, key="sources_choice", gap="small"):
        search = st.text_input(
            "Find a document",
            key="sources_find",
            placeholder="Find a document by title, topic, tag or words",
            label_visibility="collapsed",
            icon=":material/filter_list:",
            type="search",
            live=True,
            persist_state="session",
        )
        topics = sorted({document.topic for document in documents}, key=wording.topic)
        levels = [level for level in LEVELS if any(level == d.level for d in documents)]
        formats = [name for name in wording.FORMATS if any(name == d.format for d in documents)]
        topic = _select("Topic", "All topics", topics, lambda name: sanitise.label(wording.topic(name)))
        level = _select("Level", "Any level", levels, str.capitalize)
        chosen_format = _select("Format", "Any format", formats, lambda name: wording.FORMATS[name])
        sort = st.selectbox(
            "Order",
            list(SORTS),
            key="sources_order",
            label_visibility="collapsed",
            width=170,
            persist_state="session",
        )
    return Choice((search or "").strip()[:LONGEST_SEARCH], topic, level, chosen_format, sort)


def _select(
    label: str, everything: str, names: Sequence[Name], told: Callable[[Name], str]
) -> Name | Literal[""]:
    """Draw a filter and return what it lets through; empty, and no filter, where there is no choice."""
    if len(names) < 2:
        return ""
    return st.selectbox(
        label,
        ["", *names],
        format_func=lambda name: told(name) if name else everything,
        key=f"sources_{label.lower()}",
        label_visibility="collapsed",
        width=150,
        persist_state="session",
    )


def show_all() -> None:
    """Take back the search and the filters."""
    st.session_state["sources_find"] = ""
    for name in ("topic", "level", "format"):
        st.session_state[f"sources_{name}"] = ""
