"""Of the found passages, the sentences that answer the question are chosen, whole and once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answering.questions import wanted
from rag.answering.selection import Candidate, Unit, candidates, select
from rag.services import Services
from rag.text.words import stems
from tests.asking import LibraryOf

HIVE = """# Hives

## What a hive is

A hive is a box in which beekeepers keep bees. Hives stand in gardens and on roofs.
Beekeepers move hives because bees need flowers close by.
A hive weighs 40 kilograms in autumn.

```python
hive.open()
```
"""
TASKS = """# Tasks

A worker bee has these tasks:

- It cleans the cells.
- It feeds the brood.
- It guards the entrance.

Bees do not sleep much.
"""


def ranked(services: Services, question: str) -> list[Candidate]:
    """Return the scored sentences of the passages found for a question."""
    retriever, retrieval = services.retriever, services.retriever.retrieve(question)
    index = retriever.index
    passages = [(hit, chunk) for hit in retrieval.kept if (chunk := index.chunk(hit.chunk.id))]
    return candidates(
        passages,
        retriever.embed(question),
        stems(question),
        index.vectors,
        index.lexical.idf,
        wanted(question),
    )


def selected(services: Services, question: str) -> list[Unit]:
    """Return the units that are chosen to answer a question, best first."""
    return select(ranked(services, question), wanted(question))


def texts(units: Sequence[Unit]) -> list[list[str]]:
    """Return the sentences of each unit."""
    return [[candidate.text for candidate in unit.candidates] for unit in units]


def test_nothing_is_chosen_from_nothing() -> None:
    assert select([], wanted("What is a hive?")) == []


def test_a_definition_is_chosen_first(library_of: LibraryOf) -> None:
    units = selected(library_of({"hive.md": HIVE}), "What is a hive?")
    assert texts(units)[0] == ["A hive is a box in which beekeepers keep bees."]


def test_a_question_for_a_number_is_answered_with_one_first(library_of: LibraryOf) -> None:
    units = selected(library_of({"hive.md": HIVE}), "How many kilograms does a hive weigh?")
    assert texts(units)[0] == ["A hive weighs 40 kilograms in autumn."]


def test_a_question_for_a_reason_is_answered_with_one_first(library_of: LibraryOf) -> None:
    units = selected(library_of({"hive.md": HIVE}), "Why do beekeepers move hives?")
    assert texts(units)[0] == ["Beekeepers move hives because bees need flowers close by."]


@pytest.mark.parametrize("question", ["What is a hive?", "Why do beekeepers move hives?"])
def test_headings_and_code_are_not_quoted_unless_asked_for(library_of: LibraryOf, question: str) -> None:
    kinds = {candidate.sentence.kind for candidate in ranked(library_of({"hive.md": HIVE}), question)}
    assert kinds == {"prose"}


def test_code_is_quoted_when_it_is_asked_for(library_of: LibraryOf) -> None:
    found = ranked(library_of({"hive.md": HIVE}), "Show a code example that opens a hive")
    assert [c.text for c in found if c.sentence.kind == "code"] == ["```python\nhive.open()\n```"]


def test_a_sentence_is_the_text_of_its_place(viva: Services) -> None:
    for candidate in ranked(viva, "What is the difference between WSGI and ASGI?"):
        document = viva.document(candidate.hit.chunk.document_id)
        assert document is not None
        assert candidate.text == document.text[candidate.sentence.start : candidate.sentence.end]


def test_a_sentence_that_two_passages_share_counts_once(viva: Services) -> None:
    places = [
        (candidate.hit.chunk.document_id, candidate.sentence.start)
        for candidate in ranked(viva, "How do I prevent a cache stampede?")
    ]
    assert len(places) == len(set(places))


def test_a_short_list_is_chosen_whole_with_the_line_that_introduces_it(library_of: LibraryOf) -> None:
    units = selected(library_of({"tasks.md": TASKS}), "What tasks does a worker bee have?")
    assert texts(units)[0] == [
        "A worker bee has these tasks:",
        "It cleans the cells.",
        "It feeds the brood.",
        "It guards the entrance.",
    ]


def test_one_item_of_a_short_list_brings_the_others(library_of: LibraryOf) -> None:
    units = selected(library_of({"tasks.md": TASKS}), "Who guards the entrance?")
    assert texts(units)[0][-1] == "It guards the entrance."
    assert len(texts(units)[0]) == 4


def test_of_a_long_list_single_items_are_chosen_each_with_the_introduction(library_of: LibraryOf) -> None:
    duties = "\n".join(f"- Bee number {n} carries {n} grains of pollen to cell {n}." for n in range(20, 30))
    services = library_of({"duties.md": f"# Duties\n\nThe bees have these duties:\n\n{duties}\n"})
    units = selected(services, "How much pollen does bee number 27 carry?")
    assert texts(units)[0] == [
        "The bees have these duties:",
        "Bee number 27 carries 27 grains of pollen to cell 27.",
    ]


def test_an_introduction_is_not_quoted_without_what_it_introduces(library_of: LibraryOf) -> None:
    services = library_of({"end.md": "# Honey\n\nHoney keeps for years. Honey has these uses:\n"})
    assert texts(selected(services, "Which uses does honey have?")) == [["Honey keeps for years."]]


def test_a_sentence_that_says_the_same_again_is_not_chosen(library_of: LibraryOf) -> None:
    services = library_of(
        {
            "a.md": "# Honey\n\nBees make honey from nectar in summer. Honey is stored in cells of wax.\n",
            "b.md": "# Nectar\n\nIn summer, bees make honey from nectar. Nectar comes from flowers.\n",
        }
    )
    chosen = [
        text for unit in texts(selected(services, "How do bees make honey from nectar?")) for text in unit
    ]
    assert sum("make honey from nectar" in text for text in chosen) == 1


def test_a_comparison_has_sentences_about_both_sides(library_of: LibraryOf) -> None:
    services = library_of(
        {
            "bees.md": "# Bees\n\nBees live for weeks. Bees eat pollen. Bees differ from wasps in diet.\n",
            "wasps.md": "# Wasps\n\nWasps hunt flies. Wasps build nests of paper.\n",
        }
    )
    chosen = [text for unit in texts(selected(services, "bees vs wasps")) for text in unit]
    assert chosen[0] == "Bees differ from wasps in diet."
    assert any(text.startswith("Wasps") for text in chosen)
    assert any(text.startswith("Bees eat") or text.startswith("Bees live") for text in chosen)


@pytest.mark.parametrize(
    "question",
    [
        "Which port number does a WSGI server use?",
        "How many threads does the thread pool of FastAPI have?",
        "Which PEP standardised WSGI?",
    ],
)
def test_a_narrow_answer_has_three_units_at_most(viva: Services, question: str) -> None:
    units = selected(viva, question)
    assert 1 <= len(units) <= 3
    assert sum(unit.words for unit in units[1:]) <= 80


@pytest.mark.parametrize("question", ["How does HNSW work?", "Explain prompt injection", "caching"])
def test_a_broad_answer_has_seven_units_at_most(viva: Services, question: str) -> None:
    units = selected(viva, question)
    assert 3 <= len(units) <= 7
    assert sum(unit.words for unit in units) <= 160


@pytest.mark.parametrize("question", ["How does HNSW work?", "Explain prompt injection", "caching"])
def test_no_sentence_is_chosen_twice(viva: Services, question: str) -> None:
    places = [
        (candidate.hit.chunk.document_id, candidate.sentence.start)
        for unit in selected(viva, question)
        for candidate in unit.candidates
    ]
    assert len(places) == len(set(places))
