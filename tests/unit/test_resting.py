"""The questions that rest on a document are found, each quote at its exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import KnowledgeError
from rag.quiz.bank import load_bank
from rag.quiz.resting import RestingItem, items_resting_on, topics_naming
from rag.types import Document
from tests.asking import LibraryOf

BEES = "---\nid: bees\n---\n# Bees\n\nBees make honey. A hive holds one queen. Bees dance.\n"
BANK = """
topic: insects
open:
  - id: open-1
    level: mid
    skill: understanding
    question: How do bees live?
    points:
      - {claim: One queen., must_have: true, weight: 1, document: bees, quote: A hive holds one queen.}
      - {claim: Honey., must_have: false, weight: 1, document: bees, quote: Bees make honey.}
      - {claim: Again., must_have: false, weight: 1, document: bees, quote: Bees make honey.}
      - {claim: Gone., must_have: false, weight: 1, document: bees, quote: Bees swim.}
      - {claim: Naps., must_have: false, weight: 1, document: cats, quote: Cats sleep.}
    model_answer: Together.
    follow_ups: [Why?, How?]
multiple_choice:
  - id: mcq-1
    level: junior
    skill: recall
    question: What do bees do?
    options:
      - {text: Dance, why: They do., correct: true}
      - {text: Swim, why: No.}
      - {text: Read, why: No.}
      - {text: Sing, why: No.}
    document: bees
    quote: Bees dance.
"""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A folder with a question bank of two topics, one of which names no bee."""
    folder = tmp_path / "knowledge" / "questions"
    folder.mkdir(parents=True)
    (folder / "insects.yaml").write_text(BANK)
    (folder / "others.yaml").write_text("topic: others\n")
    return folder


def document(text: str = BEES, document_id: str = "bees") -> Document:
    return Document(document_id, "Bees", "insects", text, "h", body_start=17)


def test_each_quote_of_a_question_is_found_once_at_its_place(bank: Path) -> None:
    bees = document()
    items = items_resting_on(load_bank(bank), bees)
    assert items == [
        RestingItem("open-1", "open", "insects", "mid", "How do bees live?", 25, 41, "Bees make honey."),
        RestingItem(
            "open-1", "open", "insects", "mid", "How do bees live?", 42, 65, "A hive holds one queen."
        ),
        RestingItem("mcq-1", "mcq", "insects", "junior", "What do bees do?", 66, 77, "Bees dance."),
    ]
    assert [bees.text[item.start : item.end] for item in items] == [item.quote for item in items]


def test_a_quote_of_another_document_does_not_count(bank: Path) -> None:
    assert items_resting_on(load_bank(bank), document(document_id="dogs")) == []


def test_only_topics_that_name_the_document_are_read_and_changes_are_seen(bank: Path) -> None:
    (bank / "others.yaml").write_text("topic: [")
    assert [topic.topic for topic in topics_naming(bank, "bees")] == ["insects"]
    (bank / "insects.yaml").write_text(BANK.replace("topic: insects", "topic: bugs"))
    assert [topic.topic for topic in topics_naming(bank, "bees")] == ["bugs"]
    assert topics_naming(bank / "none", "bees") == []
    with pytest.raises(KnowledgeError):
        topics_naming(bank, "topic")


def test_the_services_find_the_questions_on_a_document(library_of: LibraryOf, bank: Path) -> None:
    services = library_of({"bees.md": BEES}, knowledge_dir=bank.parent)
    assert [item.quote for item in services.quiz_items_on("bees")] == [
        "Bees make honey.",
        "A hive holds one queen.",
        "Bees dance.",
    ]
    assert services.quiz_items_on("dogs") == []
