"""Sets of thirty questions from the shipped bank: even, without repeats, and no help to who knows nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rag.quiz.assembling import assemble, compared
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import DUPLICATE, PER_PASSAGE, policies, policy_bound
from rag.quiz_types import AskedQuestion, Kind
from rag.services import Services

SEEDS = range(5)
Sets = list[list[AskedQuestion]]


def drawn(viva: Services, kind: Kind | None = None) -> Sets:
    pool = viva.study.pool
    return [assemble(pool.questions(""), pool.embed, n=30, kind=kind, seed=seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def mixed(viva: Services) -> Sets:
    return drawn(viva)


@pytest.fixture(scope="module")
def choices(viva: Services) -> Sets:
    return drawn(viva, "mcq")


def items(questions: list[AskedQuestion]) -> list[Item]:
    return [Item(one.id, one.prompt, one.options, one.answer) for one in questions if one.answer is not None]


def ids(sets: Sets) -> list[list[str]]:
    return [[question.id for question in one] for one in sets]


def test_no_policy_without_knowledge_beats_its_bound_in_any_set(mixed: Sets, choices: Sets) -> None:
    for one in (*mixed, *choices):
        found = items(one)
        assert {
            name: value for name, value in policies(found).items() if value > policy_bound(len(found))
        } == {}


def test_no_policy_without_knowledge_beats_its_bound_over_all_sets(choices: Sets) -> None:
    distinct = items(list({question.id: question for one in choices for question in one}.values()))
    assert len(distinct) >= 100
    assert max(policies(distinct).values()) <= policy_bound(len(distinct))


def test_topics_and_levels_are_even(mixed: Sets) -> None:
    for one in mixed:
        topics = Counter(question.topic for question in one)
        assert (len(topics), max(topics.values())) == (22, 2)
        assert Counter(question.level for question in one) == {"junior": 9, "mid": 12, "senior": 9}


def test_nothing_is_asked_twice(viva: Services, mixed: Sets) -> None:
    for one in mixed:
        vectors = viva.study.pool.embed([compared(question) for question in one])
        assert np.triu(vectors @ vectors.T, k=1).max() < DUPLICATE
        assert max(Counter(question.passage for question in one).values()) <= PER_PASSAGE


def test_the_same_seed_gives_the_same_quiz_and_another_seed_another(viva: Services, mixed: Sets) -> None:
    assert ids(drawn(viva)) == ids(mixed)
    assert len({tuple(one) for one in ids(mixed)}) == len(SEEDS)


def test_all_of_the_bank_may_be_asked_and_quotes_its_documents(viva: Services) -> None:
    questions = viva.study.pool.questions("")
    assert viva.study.pool.rejected("") == {}
    documents = {summary.id: viva.document(summary.id) for summary in viva.library.summaries()}
    for question in questions:
        for place in (question.evidence, *(point.evidence for point in question.points)):
            assert place is not None
            document = documents[place.document_id]
            assert document is not None
            assert document.text[place.start : place.end] == place.quote
