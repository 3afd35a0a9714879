"""Suggested questions: whatever the library holds, the first click gets an answer."""

from __future__ import annotations

from rag.services import Services
from rag.types import Ask, Completed
from tests.asking import LibraryOf

ONLY_CODE = "# Short\n\n```python\nx = 1  # one\n```\n"
BATS = "# Bats\n\nBats are flying mammals. Bats find insects by echolocation in the dark.\n"


def outcome(services: Services, question: str) -> str:
    last = list(services.answerer().stream(Ask(question)))[-1]
    assert isinstance(last, Completed)
    return last.answer.outcome


def test_every_suggestion_of_the_shipped_library_is_answered(viva: Services) -> None:
    suggested = {question for seed in range(12) for question in viva.suggested_questions(4, seed)}
    assert len(suggested) > 24
    assert {question for question in suggested if outcome(viva, question) != "answered"} == set()


def test_a_document_that_does_not_answer_its_title_is_not_suggested(library_of: LibraryOf) -> None:
    services = library_of({"short.md": ONLY_CODE, "bats.md": BATS})
    assert outcome(services, "What do the sources say about Short?") != "answered"
    for seed in range(4):
        assert services.suggested_questions(4, seed) == ["What do the sources say about Bats?"]


def test_one_topic_gives_several_suggestions_and_nothing_gives_none(library_of: LibraryOf) -> None:
    whales = "# Whales\n\nWhales are sea mammals. Whales breathe air through a blowhole.\n"
    assert len(library_of({"bats.md": BATS, "whales.md": whales}).suggested_questions()) == 2
    assert library_of({}).suggested_questions() == []
