"""Makes golden questions of answers that a reader judged, and a set of all of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rag.errors import InvalidInput
from rag.evaluation.golden import Answerable, GoldenSet, Unanswerable, as_lines, parse
from rag.storage.evaluations import TestCase
from rag.text.words import stems
from rag.types import Answer

Json = dict[str, Any]
RefusedAs = Literal["off_topic", "neighbouring", "near_miss"]

CASES = "My test cases"
"""Name of the set of all of them."""
KIND = "chat"
OFFERED = 8
"""Documents that were found and not cited, offered for choice."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a test case made of an answer could say, for the reader to correct."""

    question: str
    """As it stands without the conversation."""
    should_be_refused: bool
    documents: dict[str, str]
    """Titles by id: the cited documents, then the nearest of the others that were found."""
    cited: tuple[str, ...]
    """Ids of the cited ones."""
    facts: tuple[str, ...]
    """The cited sentences."""


def propose(question: str, answer: Answer) -> Proposal:
    """Return a test case that takes the answer for right."""
    cited = {citation.document_id: citation.title for citation in answer.citations}
    hits = answer.retrieval.hits if answer.retrieval else ()
    others = {h.chunk.document_id: h.title for h in hits if h.chunk.document_id not in cited}
    quotes = [citation.quote.replace("|", " ") for citation in answer.citations]  # a bar parts alternatives
    return Proposal(
        answer.searched_for or question,
        answer.outcome == "not_in_kb",
        cited | dict(list(others.items())[:OFFERED]),
        tuple(cited),
        tuple(dict.fromkeys(" ".join(quote.split()) for quote in quotes)),
    )


def answered_from(question: str, documents: Sequence[str], facts: str) -> Json:
    """Return the golden question that these documents answer.

    facts: one a line; alternatives are separated by " | ". Raises InvalidInput when something is missing.
    """
    if not documents:
        raise InvalidInput("No document is chosen.", hint="Choose those that hold the whole answer.")
    found = [
        [part.strip() for part in re.split(r"\s\|\s", line) if part.strip()] for line in facts.splitlines()
    ]
    empty = [fact for fact in found for part in fact if not stems(part)]
    if empty:
        raise InvalidInput(
            f"“{empty[0][0]}” has no word that could be looked for.", hint="Write the fact in more words."
        )
    return _stored(
        Answerable(
            id=_id(),
            kind=KIND,
            question=_checked(question),
            documents=list(documents),
            key_facts=[fact for fact in found if fact],
        )
    )


def refused(question: str, kind: RefusedAs) -> Json:
    """Return the golden question that is to be refused; raises InvalidInput without a question."""
    return _stored(Unanswerable(id=_id(), kind=kind, question=_checked(question)))


def set_of(cases: Sequence[TestCase]) -> GoldenSet:
    """Return all test cases as a set, the oldest first."""
    return GoldenSet(CASES, tuple(parse(case.item) for case in reversed(cases)))


def exported(cases: Sequence[TestCase]) -> str:
    """Return test cases as JSON lines, the form that `python -m rag evaluate --set FILE` reads."""
    return as_lines(set_of(cases).items)


def _checked(question: str) -> str:
    words = " ".join(question.split())
    if not words:
        raise InvalidInput("The question is empty.", hint="Write what is asked.")
    return words


def _id() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def _stored(item: Answerable | Unanswerable) -> Json:
    return item.model_dump(exclude_defaults=True)
