"""The shipped question bank passes every gate, is large and even enough, and every option has been judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.embedding.onnx import OnnxEmbedder
from rag.ingestion.loading import load_folder
from rag.quiz.bank import BEYOND_RECALL, load_bank
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import policies, policy_bound
from rag.quiz.validation import Report, check_bank
from rag.quiz.verdicts import faults, load_verdicts
from tests.bench import item_gates
from tests.conftest import ROOT
from tests.golden.test_knowledge import TOPICS

KNOWLEDGE = ROOT / "knowledge"
BANK = load_bank(KNOWLEDGE / "questions")
OPEN = [item for topic in BANK for item in topic.open]
CHOICES = [item for topic in BANK for item in topic.multiple_choice]
LEVELS = ("junior", "mid", "senior")


@pytest.fixture(scope="module")
def report(embedder: OnnxEmbedder) -> Report:
    return check_bank(BANK, load_folder(KNOWLEDGE), embedder.embed)


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return item_gates.bank_items()


@pytest.fixture(scope="module")
def caught(items: list[Item], embedder: OnnxEmbedder) -> dict[str, float]:
    return item_gates.measure(items, embedder.embed)


def test_every_question_passes_every_gate(report: Report) -> None:
    assert {item.id: item.failures for item in report.items if not item.passed} == {}


def test_the_set_passes_every_gate(report: Report) -> None:
    assert [gate for gate in report.gates if not gate.passed] == []


def test_the_bank_has_350_questions_of_each_kind() -> None:
    assert (len(OPEN) >= 350, len(CHOICES) >= 350) == (True, True)


@pytest.mark.parametrize("topic", BANK, ids=lambda topic: topic.topic)
def test_a_topic_has_both_kinds_on_every_level(topic: Any) -> None:
    assert {item.level for item in topic.open} == set(LEVELS)
    assert {item.level for item in topic.multiple_choice} == set(LEVELS)


def test_the_bank_covers_every_topic() -> None:
    assert {topic.topic for topic in BANK} == TOPICS


def test_a_third_of_each_kind_asks_for_more_than_recall() -> None:
    assert sum(item.skill in BEYOND_RECALL for item in OPEN) * 3 >= len(OPEN)
    assert sum(item.skill in BEYOND_RECALL for item in CHOICES) * 3 >= len(CHOICES)


def test_at_least_forty_questions_are_scenarios() -> None:
    assert sum(item.scenario for item in (*OPEN, *CHOICES)) >= 40


@pytest.mark.parametrize("policy", ["longest", "shortest", "stem_overlap", "convergence", "same_letter"])
def test_no_policy_without_knowledge_beats_chance(items: list[Item], policy: str) -> None:
    assert policies(items)[policy] <= policy_bound(len(items))


def test_every_option_was_judged_against_its_source_without_the_key() -> None:
    judged = load_verdicts(KNOWLEDGE / "questions" / "verdicts")
    assert {item.id: found for item in CHOICES if (found := list(faults(item, judged)))} == {}


def test_no_verdict_is_left_without_its_item() -> None:
    judged = load_verdicts(KNOWLEDGE / "questions" / "verdicts")
    assert set(judged) == {item.id for item in CHOICES}


@pytest.mark.parametrize(
    "flaw",
    [
        "wrong quote",
        "altered quote",
        "long key",
        "all of the above",
        "stem leans on its source",
        "explanation missing",
        "second true option, copied",
        "duplicate, reworded",
    ],
)
def test_a_planted_flaw_of_form_is_caught(caught: dict[str, float], flaw: str) -> None:
    assert caught[flaw] >= 0.98


def test_more_than_half_of_the_swapped_keys_are_caught(caught: dict[str, float]) -> None:
    assert caught["swapped key"] >= 0.5


def test_the_duplicate_gate_was_chosen_on_fifty_labelled_pairs(embedder: OnnxEmbedder) -> None:
    figures = item_gates.duplicate_figures(embedder.embed)
    assert figures["pairs"] >= 50
    assert figures["precision"] >= 0.7
    assert figures["recall"] >= 0.5


def test_the_published_course_fails_as_a_set(eval_dir: Path) -> None:
    longest = item_gates.course(eval_dir)["longest"]
    assert not longest.passed
    assert longest.value == pytest.approx(0.914, abs=0.001)
