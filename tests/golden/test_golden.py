"""The figures that the README quotes for the golden questions hold, with a little room below or above."""

from __future__ import annotations

from typing import Any

import pytest

from rag.evaluation.golden import load
from rag.evaluation.runs import measure
from rag.services import Services
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
HALVES = ("tune", "check")


@pytest.fixture(scope="module")
def report(viva: Services) -> dict[str, Any]:
    return measure(viva, GOLDEN)


def test_every_golden_question_has_an_id_of_its_own() -> None:
    ids = [item.id for item in load(GOLDEN)]
    assert len(set(ids)) == len(ids)


def test_every_wanted_document_is_in_the_library(viva: Services) -> None:
    wanted = {document for item in load(GOLDEN) for document in getattr(item, "documents", [])}
    assert wanted - {summary.id for summary in viva.library.summaries()} == set()


@pytest.mark.parametrize("half", HALVES)
def test_both_halves_are_large_enough_to_measure(report: dict[str, Any], half: str) -> None:
    assert report[half]["answerable_questions"] >= 48
    assert report[half]["follow_up_questions"] >= 12
    assert report[half]["off_topic_questions"] >= 20
    assert report[half]["neighbouring_questions"] >= 25
    assert report[half]["near_miss_questions"] >= 20
    assert report[half]["false_premise_questions"] >= 8


@pytest.mark.parametrize("half", HALVES)
def test_the_right_document_is_among_the_first_three(report: dict[str, Any], half: str) -> None:
    assert report[half]["answerable_right_document_in_top_3"] >= 0.9


def test_the_right_document_comes_first(report: dict[str, Any]) -> None:
    assert report["all"]["answerable_right_document_first"] >= 0.82


def test_the_interview_queries_are_many_and_cover_every_topic(report: dict[str, Any]) -> None:
    assert report["all"]["interview_questions"] >= 250
    assert len(report["topics"]) == 22
    assert min(figures["interview_questions"] for figures in report["topics"].values()) >= 5


def test_an_interview_query_finds_the_right_document(report: dict[str, Any]) -> None:
    assert report["all"]["interview_right_document_in_top_3"] >= 0.94
    assert report["all"]["interview_right_document_first"] >= 0.81


@pytest.mark.parametrize("half", HALVES)
def test_an_interview_query_finds_the_right_document_on_either_half(
    report: dict[str, Any], half: str
) -> None:
    assert report[half]["interview_right_document_in_top_3"] >= 0.92
    assert report[half]["interview_right_document_first"] >= 0.8


def test_interview_queries_are_hardly_ever_refused(report: dict[str, Any]) -> None:
    assert report["all"]["interview_refused"] <= 0.03


def test_answers_contain_the_key_facts(report: dict[str, Any]) -> None:
    assert report["all"]["answerable_key_facts"] >= 0.77


def test_answers_contain_the_key_facts_on_the_half_that_was_not_tuned_on(report: dict[str, Any]) -> None:
    assert report["check"]["answerable_key_facts"] >= 0.75


def test_answers_stay_short(report: dict[str, Any]) -> None:
    assert report["all"]["answerable_words"] <= 130


def test_answerable_questions_are_hardly_ever_refused(report: dict[str, Any]) -> None:
    assert report["all"]["answerable_refused"] <= 0.05


def test_follow_ups_find_the_right_document(report: dict[str, Any]) -> None:
    assert report["all"]["follow_up_right_document_in_top_3"] >= 0.95


def test_follow_ups_contain_the_key_facts(report: dict[str, Any]) -> None:
    assert report["all"]["follow_up_key_facts"] >= 0.76


def test_follow_ups_are_not_refused(report: dict[str, Any]) -> None:
    assert report["all"]["follow_up_refused"] <= 0.04


@pytest.mark.parametrize("half", HALVES)
def test_no_question_off_topic_is_answered(report: dict[str, Any], half: str) -> None:
    assert report[half]["off_topic_answered"] == 0


def test_questions_off_topic_hardly_ever_get_a_partial_answer(report: dict[str, Any]) -> None:
    assert report["all"]["off_topic_partial"] <= 0.05


def test_neighbouring_questions_are_hardly_ever_answered(report: dict[str, Any]) -> None:
    assert report["all"]["neighbouring_answered"] <= 0.06


def test_neighbouring_questions_seldom_get_a_partial_answer(report: dict[str, Any]) -> None:
    assert report["all"]["neighbouring_partial"] <= 0.19


def test_near_misses_are_answered_at_most_half_of_the_time(report: dict[str, Any]) -> None:
    assert report["all"]["near_miss_answered"] <= 0.5


def test_false_premises_are_corrected(report: dict[str, Any]) -> None:
    assert report["all"]["false_premise_corrected"] >= 0.87


def test_every_citation_is_an_exact_quote(report: dict[str, Any]) -> None:
    assert report["citations"] >= 900
    assert report["citations_exact"] == 1.0


def test_embedded_answers_cost_nothing(report: dict[str, Any]) -> None:
    assert report["cost_usd"] == 0
