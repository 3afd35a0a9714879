"""What was found is enough, enough for a part, or too far from the question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.cutoff import Evidence, weigh
from rag.services import Services

NOTHING = Evidence(question=None, window=0, sentence=0, cover=0, neighbourhood=0, terms=0)
CLOSE = Evidence(question=None, window=0.6, sentence=0.6, cover=0.8, neighbourhood=0.4, terms=4)
CLOSE_WITH_QUESTION = replace(CLOSE, question=0.8)
SHARES = st.floats(0, 1)
EVIDENCE = st.builds(
    Evidence,
    question=st.none() | SHARES,
    window=SHARES,
    sentence=SHARES,
    cover=SHARES,
    neighbourhood=SHARES,
    terms=st.integers(0, 30),
)


def test_no_evidence_is_insufficient() -> None:
    assert weigh(NOTHING).level == "insufficient"
    assert weigh(NOTHING).margin == pytest.approx(-6.56)


def test_close_passages_suffice() -> None:
    assert weigh(CLOSE).level == "sufficient"
    assert weigh(CLOSE_WITH_QUESTION).level == "sufficient"


def test_words_without_their_meaning_do_not_suffice() -> None:
    assert weigh(replace(CLOSE, window=0, sentence=0)).level == "insufficient"


def test_meaning_without_words_must_be_closer() -> None:
    assert weigh(replace(CLOSE, window=0.5, sentence=0.5, cover=0)).level == "borderline"


def test_a_library_about_something_else_is_not_enough() -> None:
    assert weigh(replace(CLOSE_WITH_QUESTION, neighbourhood=0.25)).level == "borderline"
    assert weigh(replace(CLOSE_WITH_QUESTION, neighbourhood=0.1)).level == "insufficient"


@pytest.mark.parametrize(
    ("cover", "level"),
    [(0.30, "insufficient"), (0.31, "borderline"), (0.48, "borderline"), (0.49, "sufficient")],
)
def test_the_borders_lie_where_they_were_fitted(cover: float, level: str) -> None:
    assert weigh(replace(NOTHING, window=0.3, sentence=0.34, cover=cover)).level == level


@given(evidence=EVIDENCE, more=st.floats(0, 0.5), sign=st.sampled_from(["window", "sentence", "cover"]))
def test_more_evidence_never_lowers_the_margin(evidence: Evidence, more: float, sign: str) -> None:
    nearer = replace(evidence, **{sign: getattr(evidence, sign) + more})
    assert weigh(nearer).margin >= weigh(evidence).margin


@given(evidence=EVIDENCE)
def test_the_level_follows_the_margin(evidence: Evidence) -> None:
    verdict = weigh(evidence)
    refused, answered = (-1.0, 0.0) if evidence.question is None else (-0.8, 0.8)
    assert (verdict.level == "insufficient") == (verdict.margin < refused)
    assert (verdict.level == "sufficient") == (verdict.margin >= answered)


@pytest.mark.parametrize(
    "question",
    [
        "What is the difference between WSGI and ASGI?",
        "How do I prevent a cache stampede?",
        "What is prompt injection?",
        "Why does HNSW need so much memory?",
    ],
)
def test_questions_the_knowledge_answers_have_a_wide_margin(viva: Services, question: str) -> None:
    retrieval = viva.retriever.retrieve(question)
    assert retrieval.sufficient
    assert not retrieval.borderline
    assert retrieval.margin > 2


@pytest.mark.parametrize(
    "question",
    [
        "How do I cook rice?",
        "Who won the football match yesterday?",
        "What is the capital of Kazakhstan?",
        "Which vaccine do I need for a trip to Kenya?",
    ],
)
def test_questions_about_something_else_have_none(viva: Services, question: str) -> None:
    retrieval = viva.retriever.retrieve(question)
    assert not retrieval.sufficient
    assert retrieval.margin < -2
