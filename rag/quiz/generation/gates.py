"""The gates that code can decide about a drafted question: form, evidence, foreign text, repeats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rag.embedding.base import Vectors
from rag.prompts import prompt
from rag.quiz.bank import OpenQuestion
from rag.quiz.form_gates import Item, share_in
from rag.quiz.generation.passages import Passage
from rag.quiz.set_gates import DUPLICATE
from rag.quiz.validation import Embed, check_all, open_failures
from rag.quiz_types import AskedQuestion
from rag.text.polarity import NEGATIONS, numbers, spoken
from rag.text.words import stems, words

RELATED = 0.4
"""Cosine of a quote with question and key, plus the share of their words that it has, if it is on them.

Of the bank's items 1 in 200 has less, of the same items with a sentence of another document 96 in 100
(tests/bench/mutations.py).
"""
_PROMPTS = ("draft_choice", "draft_open", "judge", "solve_choice", "solve_open")
_LEAKED_WORDS = 8
"""So many words in a row from our own instructions are no coincidence."""
_MARKUP = re.compile(
    r"https?:|www\.|!\[|\]\(|</?[a-z][^>]*>|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)


def form_fault(question: AskedQuestion, passage: Passage, embed: Embed) -> str:
    """Return the first gate of form or evidence that a question fails; empty: none.

    Its quotes are known to stand in the passage.
    """
    if any(_MARKUP.search(text) or _leaks(text) for text in _texts(question)):
        return "foreign_text"
    faults = (
        _choice_faults(question, passage, embed)
        if question.kind == "mcq"
        else _open_faults(question, passage)
    )
    return next(faults, "")


def _choice_faults(question: AskedQuestion, passage: Passage, embed: Embed) -> Iterator[str]:
    if question.answer is None or question.evidence is None or not all(map(str.strip, question.options)):
        yield "schema"
        return
    item = Item(
        id=question.id,
        question=question.prompt,
        options=question.options,
        correct=question.answer,
        passage=passage.chunk.text,
        quote=question.evidence.quote,
        whys=question.whys,
    )
    yield from (failure.gate for failure in check_all([item], embed)[0].failures)
    key, quote = item.key, item.quote
    if any(_says_the_same(key, other) for other in item.distractors):
        yield "distinct_options"
    if _denies(key) and not _denies(quote) and not _denies(item.question):
        yield "polarity"
    asked = f"{item.question} {key}"
    vectors = embed([asked, quote])
    if float(vectors[0] @ vectors[1]) + share_in(asked, quote) < RELATED:
        yield "unrelated_quote"


def _says_the_same(option: str, other: str) -> bool:
    """Tell whether one of two options has the other's words in their order and at most one more."""
    short, long = sorted((stems(option), stems(other)), key=len)
    return (
        0 < len(short) >= len(long) - 1
        and any(long[start : start + len(short)] == short for start in range(len(long) - len(short) + 1))
        and _denies(option) == _denies(other)
        and numbers(option) == numbers(other)
    )


def _denies(text: str) -> bool:
    return bool(NEGATIONS & set(words(spoken(text))))


def _open_faults(question: AskedQuestion, passage: Passage) -> Iterator[str]:
    points = [
        {
            "claim": point.claim,
            "must_have": point.must_have,
            "weight": point.weight,
            "document": passage.document.id,
            "quote": point.evidence.quote if point.evidence else "",
        }
        for point in question.points
    ]
    try:
        written = OpenQuestion.model_validate(
            {
                "id": question.id,
                "level": question.level,
                "skill": question.skill,
                "question": question.prompt,
                "points": points,
                "model_answer": question.model_answer,
                "follow_ups": question.follow_ups,
            }
        )
    except ValueError:
        yield "schema"
        return
    yield from (failure.gate for failure in open_failures(written, {passage.document.id: passage.document}))


def _texts(question: AskedQuestion) -> Iterator[str]:
    """Yield all that the model wrote."""
    yield from (
        question.prompt,
        *question.options,
        *question.whys,
        question.model_answer,
        *question.follow_ups,
    )
    yield from (point.claim for point in question.points)


def _leaks(text: str) -> bool:
    """Tell whether a text repeats our instructions."""
    return not _runs(text).isdisjoint(_OURS)


def _runs(text: str) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[start : start + _LEAKED_WORDS]) for start in range(len(said) - _LEAKED_WORDS + 1)}


_OURS = frozenset(run for name in _PROMPTS for run in _runs(prompt(name)))


class Repeats:
    """Knows the questions that there are, and tells whether a new one asks the same."""

    def __init__(self, known: Iterable[AskedQuestion], embed: Embed) -> None:
        self._embed = embed
        texts = [asked_text(question) for question in known]
        self._vectors: list[Vectors] = [embed(texts)] if texts else []

    def has(self, question: AskedQuestion) -> bool:
        """Tell whether a question is too close to a known one."""
        own = self._embed([asked_text(question)])[0]
        return any(float(np.max(vectors @ own)) >= DUPLICATE for vectors in self._vectors)

    def add(self, question: AskedQuestion) -> None:
        """Know this one, too."""
        self._vectors.append(self._embed([asked_text(question)]))


def asked_text(question: AskedQuestion) -> str:
    """Return what is compared: an open question alone, any other with its key."""
    if question.answer is None:
        return question.prompt
    return f"{question.prompt} {question.options[question.answer]}"


def asked_on(document_id: str, known: Sequence[AskedQuestion], most: int) -> list[str]:
    """Return the last questions that rest on a document."""
    return [one.prompt for one in known if one.evidence and one.evidence.document_id == document_id][-most:]
