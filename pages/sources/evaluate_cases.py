"""Draws the test cases that were made of answers in the chat: what each expects, deleting, exporting."""

from __future__ import annotations

from textwrap import shorten

import streamlit as st

from pages.shared import people, sanitise, wording
from pages.shared.failures import attempt
from pages.sources.evaluate_result import FAILURE, GROUPS, draw_question
from rag.evaluation.cases import exported
from rag.evaluation.golden import Answerable, GoldenItem, group, parse
from rag.services import Services

CHAT_PAGE = "chat/page.py"
FACTS_SHOWN, FACT_LENGTH = 2, 80
"""Key facts that are shown of a case, and characters of each."""


def draw(ready: Services) -> None:
    """Draw the reader's test cases, newest first."""
    stored = ready.test_cases.list(people.reader())
    if not stored:
        st.markdown("**No test cases yet.**")
        st.markdown(
            "When an answer in the chat is right, or wrong, choose “Make this a test case” under it and say "
            "what it should have been answered from. From then on every measurement checks it."
        )
        st.page_link(CHAT_PAGE, label="Ask something", icon=":material/forum:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{wording.count(len(stored), 'test case')}. Measure them above: “My test cases”.")
        st.download_button(
            "Export",
            exported(stored),
            file_name="test_cases.jsonl",
            mime="application/jsonl",
            icon=":material/download:",
            type="tertiary",
            key="evaluate_export",
            on_click="ignore",
            help="JSON lines, the form that `python -m rag evaluate --set FILE` reads.",
        )
    readable = [summary for summary in ready.library.summaries() if people.may_read(summary.owner)]
    titles = {summary.id: summary.title for summary in readable}
    for case in stored:
        with st.container(horizontal=True, vertical_alignment="center", key=f"evaluate_case_{case.id}"):
            with st.container(width="stretch"):
                item = parse(case.item)
                draw_question(item.question, _expected(item, titles), case.id)
            st.button(
                "Delete",
                icon=":material/delete:",
                type="tertiary",
                key=f"evaluate_case_delete_{case.id}",
                help=f"Delete the test case “{sanitise.label(item.question)}”",
                on_click=attempt,
                args=(FAILURE, ready.test_cases.delete, case.id, people.reader()),
            )


def _expected(item: GoldenItem, titles: dict[str, str]) -> str:
    """Return what the right answer is, for people."""
    if not isinstance(item, Answerable):
        return f"Should be refused ({GROUPS[group(item)].lower()})"
    named = ", ".join(titles.get(known, f"{known} (not in the library)") for known in item.documents)
    facts = [shorten(" or ".join(fact), FACT_LENGTH, placeholder=" …") for fact in item.key_facts]
    told = "; ".join(facts[:FACTS_SHOWN])
    more = f"; and {len(facts) - FACTS_SHOWN} more" if len(facts) > FACTS_SHOWN else ""
    return f"Should be answered from: {named}" + (f". Key facts: {told}{more}" if facts else "")
