"""The figures that the README quotes for search and embedded answers hold, with a little room below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench import retrieval

METHODS = ("dense", "BM25", "reciprocal rank fusion")
MEASURES = ("hit@1", "recall@5", "mrr@10", "ndcg@10")


@pytest.fixture(scope="module")
def figures(eval_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    corpus, queries, gold = retrieval.load(eval_dir / "retrieval_xquad_en", retrieval.QUESTIONS)
    services = retrieval.build(corpus, tmp_path_factory.mktemp("passages") / "data")
    try:
        return retrieval.measure(services, queries, gold)
    finally:
        services.close()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("method", METHODS)
def test_fused_search_is_at_least_as_good_as_each_part(
    figures: dict[str, Any], method: str, measure: str
) -> None:
    assert figures["fused"][measure] >= figures[method][measure]


def test_fused_search_puts_the_right_passage_first(figures: dict[str, Any]) -> None:
    assert figures["fused"]["hit@1"] >= 0.96


def test_fused_search_has_the_right_passage_among_five(figures: dict[str, Any]) -> None:
    assert figures["fused"]["recall@5"] >= 0.995


def test_embedded_answers_contain_the_gold_answer(figures: dict[str, Any]) -> None:
    assert figures["answers"]["contain the gold answer"] >= 0.935


def test_embedded_answers_stay_short(figures: dict[str, Any]) -> None:
    assert figures["answers"]["words"] <= 90


def test_answerable_questions_are_hardly_ever_refused(figures: dict[str, Any]) -> None:
    assert figures["answers"]["refused"] <= 0.01
