"""Every fact of the domain's outline is stated by a document, at the words that are quoted for it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rag.ingestion.loading import load_folder
from tests.conftest import ROOT

FACTS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "tests" / "golden" / "outline_facts.yaml").read_text(encoding="utf-8")
)
DOCUMENTS = load_folder(ROOT / "knowledge")
SECTIONS = (
    "1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 4.1 4.2 4.3 5.1 5.2 5.3 6.1 6.2 6.3 6.4 7.1 7.2 7.3 8.1 8.2 "
    "9 10 11.1 11.2 11.3 12"
).split()


def test_every_section_of_the_outline_is_there() -> None:
    assert list(dict.fromkeys(str(fact["section"]) for fact in FACTS)) == SECTIONS


def test_no_fact_is_named_twice() -> None:
    facts = [(str(fact["section"]), fact["fact"]) for fact in FACTS]
    assert len(set(facts)) == len(facts) >= 120


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact['section']} {fact['fact'][:50]}")
def test_a_document_states_the_fact(fact: dict[str, Any]) -> None:
    document = DOCUMENTS[fact["document"]]
    assert len(fact["quote"]) >= 30
    assert fact["quote"] in document.text[document.body_start :]
