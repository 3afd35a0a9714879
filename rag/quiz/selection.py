"""Chooses questions from the bank for one quiz: even over topics, the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rag.errors import InvalidInput
from rag.quiz.bank import MultipleChoice, OpenQuestion, TopicBank
from rag.quiz.verdicts import ItemVerdicts, faults
from rag.types import Document, Level

Kind = Literal["mcq", "open"]
Question = OpenQuestion | MultipleChoice


@dataclass(frozen=True, slots=True)
class Chosen:
    """A question with the place of its evidence in the document as it is now."""

    topic: str
    question: Question
    document: Document
    start: int
    """First character of the quote in `document.text`."""
    quote: str


@dataclass(frozen=True, slots=True)
class Quiz:
    """The questions of one quiz, and how many may not be asked now, by the gate they fail."""

    questions: tuple[Chosen, ...]
    rejected: Mapping[str, int]


def choose(
    topics: Sequence[TopicBank],
    judged: Mapping[str, ItemVerdicts],
    document: Callable[[str], Document | None],
    *,
    n: int,
    topic: str | None = None,
    level: Level | None = None,
    kind: Kind | None = None,
    seed: int = 0,
) -> Quiz:
    """Return up to `n` questions whose quotes are in place and whose options were judged.

    Topics take turns, so that none has two questions more than another while it has any left. Raises
    InvalidInput for a topic that the bank does not have.
    """
    names = sorted(one.topic for one in topics)
    if topic is not None and topic not in names:
        raise InvalidInput(f"There are no questions on {topic!r}.", hint=f"Topics: {', '.join(names)}.")
    chooser = random.Random(seed)  # noqa: S311  # nothing secret depends on it
    rejected: Counter[str] = Counter()
    found: list[list[Chosen]] = []
    for one in topics:
        if topic not in (None, one.topic):
            continue
        wanted: list[Question] = [
            *(one.open if kind in (None, "open") else ()),
            *(one.multiple_choice if kind in (None, "mcq") else ()),
        ]
        usable = []
        for question in wanted:
            if level not in (None, question.level):
                continue
            chosen = _located(one.topic, question, document)
            if chosen is None:
                rejected["quote"] += 1
            elif isinstance(question, MultipleChoice) and next(faults(question, judged), None):
                rejected["options_judged"] += 1
            else:
                usable.append(chosen)
        chooser.shuffle(usable)
        found.append(usable)
    chooser.shuffle(found)
    turns = [chosen for turn in zip_longest(*found) for chosen in turn if chosen is not None]
    return Quiz(tuple(turns[:n]), dict(rejected))


def _located(topic: str, question: Question, document: Callable[[str], Document | None]) -> Chosen | None:
    """Return the question with its evidence; None when a quoted document has changed or is gone."""
    evidence = (
        [(question.document, question.quote)]
        if isinstance(question, MultipleChoice)
        else [(point.document, point.quote) for point in question.points]
    )
    places = []
    for document_id, quote in evidence:
        source = document(document_id)
        start = source.text.find(quote, source.body_start) if source else -1
        if source is None or start < 0:
            return None
        places.append(Chosen(topic, question, source, start, quote))
    return places[0]
