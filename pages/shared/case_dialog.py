"""Turns an answer in the chat into a test case: what should it be answered from, or should it be refused?"""

from __future__ import annotations

from typing import cast

import streamlit as st

from pages.shared.failures import draw_failure
from pages.shared.people import may_read, reader
from rag.answering.asking import LONGEST_QUESTION
from rag.errors import RagError
from rag.evaluation import cases
from rag.services import Services
from rag.storage.conversations import StoredAnswer, StoredTurn

ANSWERED, REFUSED = "Be answered from", "Be refused"
REFUSED_AS: dict[cases.RefusedAs, str] = {
    "neighbouring": "It is about a neighbouring subject",
    "off_topic": "It is about something else altogether",
    "near_miss": "The sources come close but do not hold the answer",
}
LONGEST_FACTS = 4000
_OPEN, _SAVED = "case_open", "case_saved"
"""Where a session keeps the id of the answer whose dialog is open, and of the one that was just saved."""


def draw_test_case(services: Services, n: int, turn: StoredTurn, stored: StoredAnswer) -> None:
    """Draw the button under an answer, the dialog that it opens, and that a test case was saved."""
    if stored.answer.outcome == "interrupted" or stored.answer.basis == "conversation":
        return

    def opened() -> None:
        st.session_state[_OPEN] = stored.id

    st.button(
        "Make this a test case",
        icon=":material/fact_check:",
        type="tertiary",
        key=f"chat_test_case_{n}",
        on_click=opened,
    )
    if st.session_state.get(_OPEN) == stored.id:
        _ask(services, turn, stored)
    if st.session_state.get(_SAVED) == stored.id:
        del st.session_state[_SAVED]
        st.toast("Saved. It is under Sources, Evaluation, My test cases.", icon=":material/fact_check:")


def _closed() -> None:
    st.session_state.pop(_OPEN, None)


@st.dialog("Make this a test case", icon=":material/fact_check:", width="medium", on_dismiss=_closed)
def _ask(services: Services, turn: StoredTurn, stored: StoredAnswer) -> None:
    """Ask what the right answer is and store it as a golden question."""
    proposal = cases.propose(turn.question, stored.answer)
    is_bad = stored.feedback is not None and stored.feedback.rating == "down"
    key = f"case_{stored.id}"
    st.caption("Every evaluation of “My test cases” asks this question and checks the answer.")
    question = st.text_input(
        "Question, as it stands without the conversation",
        proposal.question,
        key=f"{key}_question",
        max_chars=LONGEST_QUESTION,
    )
    should = st.segmented_control(
        "This question should",
        [ANSWERED, REFUSED],
        default=REFUSED if proposal.should_be_refused else ANSWERED,
        required=True,
        key=f"{key}_should",
    )
    documents: list[str] = []
    facts, kind = "", "neighbouring"
    if should == REFUSED:
        kind = st.radio("Because", list(REFUSED_AS), format_func=REFUSED_AS.__getitem__, key=f"{key}_kind")
    else:
        titles = _titles(services, proposal)  # a list of choices shows plain text
        documents = st.multiselect(
            "Documents that hold the whole answer",
            list(titles),
            default=[] if is_bad else [cited for cited in proposal.cited if cited in titles],
            format_func=lambda document_id: titles.get(document_id, document_id),
            key=f"{key}_documents",
            placeholder="Choose documents",
        )
        facts = st.text_area(
            "Key facts the answer must have (optional)",
            "" if is_bad else "\n".join(proposal.facts)[:LONGEST_FACTS],
            key=f"{key}_facts",
            help="One a line; shorten each to the words that matter. It counts as found when one sentence of "
            "the answer has all its words. Part alternatives with a bar: stale | outdated.",
            height=140,
            max_chars=LONGEST_FACTS,
        )
    if not st.button("Save test case", type="primary", icon=":material/check:", key=f"{key}_save"):
        return
    try:
        if should == REFUSED:
            item = cases.refused(question, cast(cases.RefusedAs, kind))
        else:
            item = cases.answered_from(question, documents, facts)
        services.test_cases.add(stored.id, item, reader())
    except RagError as error:
        draw_failure(error)
        return
    _closed()
    st.session_state[_SAVED] = stored.id
    st.rerun()


def _titles(services: Services, proposal: cases.Proposal) -> dict[str, str]:
    """Return the documents to choose from by id: those of the answer first, then all others by title."""
    readable = {s.id: s.title for s in services.library.summaries() if may_read(s.owner)}
    first = {known: readable[known] for known in proposal.documents if known in readable}
    others = sorted(readable.items(), key=lambda entry: entry[1].lower())
    return first | dict(others)
