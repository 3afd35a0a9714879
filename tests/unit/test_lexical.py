"""Passages are found by their words: BM25 over stems, as a share of the highest score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.retrieval.fusion import fused_score, ranks, reciprocal_rank
from rag.retrieval.lexical import K1, B, LexicalIndex
from rag.text.words import content_words, distinct, stems

TEXTS = (
    "Caching answers saves money.",
    "A cache stampede happens when many callers miss the same cached key.",
    "Rate limits return status 429.",
    "Money can't buy time.",
)


def bm25(query: list[str], texts: tuple[str, ...], row: int) -> float:
    """Return the score that the definition of BM25 gives, with the idf of Lucene."""
    documents = [stems(text) for text in texts]
    average = sum(map(len, documents)) / len(documents)
    score = 0.0
    for term in query:
        having = sum(term in document for document in documents)
        idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        count = documents[row].count(term)
        norm = K1 * (1 - B + B * len(documents[row]) / average)
        score += idf * count / (count + norm)
    return score


def test_scores_are_those_of_the_definition() -> None:
    index, query = LexicalIndex(TEXTS), stems("cached money")
    bound = sum(index.idf(term) for term in query)
    expected = [bm25(query, TEXTS, row) / bound for row in range(4)]
    assert index.scores(query) == pytest.approx(expected, abs=1e-4)


def test_word_forms_are_the_same_word() -> None:
    scores = LexicalIndex(TEXTS).scores(stems("cache"))
    assert scores[0] > 0
    assert scores[1] > 0
    assert scores[2] == scores[3] == 0


def test_numbers_are_words() -> None:
    assert LexicalIndex(TEXTS).scores(stems("429")).argmax() == 2


def test_a_share_never_exceeds_one() -> None:
    index = LexicalIndex(["cache " * 1000, "other words"])
    assert 0.9 < index.scores(stems("cache"))[0] <= 1


def test_a_word_that_no_text_has_lowers_the_share() -> None:
    index = LexicalIndex(TEXTS)
    known, with_unknown = index.scores(stems("money")), index.scores(stems("money zebra"))
    assert 0 < with_unknown[0] < known[0]


def test_only_unknown_words_score_nothing() -> None:
    assert LexicalIndex(TEXTS).scores(stems("zebra giraffe")).tolist() == [0, 0, 0, 0]


def test_a_query_without_content_words_scores_nothing() -> None:
    assert LexicalIndex(TEXTS).scores(stems("what is the")).tolist() == [0, 0, 0, 0]


def test_no_texts_have_no_scores() -> None:
    index = LexicalIndex([])
    assert index.scores(["cach"]).shape == (0,)
    assert index.frequency("cach") == 0


@pytest.mark.parametrize("texts", [("", ""), ("the of and", "…")])
def test_texts_without_words_score_nothing(texts: tuple[str, ...]) -> None:
    assert LexicalIndex(texts).scores(["cach"]).tolist() == [0, 0]


def test_frequency_counts_texts_not_words() -> None:
    index = LexicalIndex(TEXTS)
    assert index.frequency("cach") == 2
    assert index.frequency("429") == 1
    assert index.frequency("zebra") == 0


def test_rare_words_weigh_more() -> None:
    index = LexicalIndex(TEXTS)
    assert index.idf("zebra") == pytest.approx(math.log(1 + 4.5 / 0.5))
    assert index.idf("429") == pytest.approx(math.log(1 + 3.5 / 1.5))
    assert index.idf("cach") == pytest.approx(math.log(1 + 2.5 / 2.5))


def test_matched_words_are_those_of_the_text_in_the_order_of_the_query() -> None:
    index = LexicalIndex(TEXTS)
    assert index.matched(stems("money for answers, money for caching"), 0) == ("money", "answer", "cach")
    assert index.matched(stems("money for answers"), 3) == ("money",)
    assert index.matched(stems("zebra"), 0) == ()


WORDS = st.lists(st.sampled_from("cache money time rate limit token vector".split()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(WORDS.map(" ".join), min_size=1, max_size=8), query=WORDS.map(" ".join))
def test_shares_lie_between_zero_and_one_and_are_positive_exactly_for_matches(
    texts: list[str], query: str
) -> None:
    index = LexicalIndex(texts)
    terms = list(distinct(stems(query)))
    scores = index.scores(terms)
    assert scores.shape == (len(texts),)
    assert np.all((scores >= 0) & (scores <= 1 + 1e-6))
    assert [score > 0 for score in scores] == [bool(index.matched(terms, row)) for row in range(len(texts))]


def test_a_compound_is_found_by_its_parts_and_as_a_whole() -> None:
    index = LexicalIndex(["Set maxUploadSize to 20.", "Set the rate-limit."])
    assert index.scores(stems("upload size"))[0] > 0
    assert index.scores(stems("maxuploadsize"))[0] > 0
    assert index.scores(stems("limit"))[1] > 0


def test_content_words_are_as_the_user_wrote_them() -> None:
    assert content_words("What does HNSW cost, and what did HNSW costs?") == ["HNSW", "cost"]


def test_ranks_count_from_the_highest_score_and_ties_from_the_lower_key() -> None:
    assert ranks({4: 0.5, 2: 0.9, 1: 0.5}) == {2: 1, 1: 2, 4: 3}
    assert ranks({}) == {}


def test_the_fused_score_weighs_meaning_and_words() -> None:
    assert fused_score(1, 1, 0.45) == pytest.approx(1)
    assert fused_score(0.8, 0, 0.45) == pytest.approx(0.44)
    assert fused_score(0, 0.8, 0.45) == pytest.approx(0.36)


def test_reciprocal_rank_fusion_ignores_lists_that_lack_the_passage() -> None:
    assert reciprocal_rank(1, None) == pytest.approx(1 / 61)
    assert reciprocal_rank(1, 3) == pytest.approx(1 / 61 + 1 / 63)
    assert reciprocal_rank(None, None) == 0
