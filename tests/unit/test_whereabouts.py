"""For any passage it is told how far it came in a search and what lost it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.prompt_preview import what_is_sent
from rag.errors import InvalidInput
from rag.ingestion.indexing import Indexer
from rag.retrieval.whereabouts import Stage, Whereabouts
from rag.services import Services
from rag.types import Filters, RetrievalConfig
from tests.asking import LibraryOf

ANIMALS = {
    "zoo/bees.md": "# Bees\n\nBees make honey in summer. A hive holds one queen.",
    "zoo/cats.md": "# Cats\n\nCats sleep for sixteen hours a day. They hunt at dawn.",
    "zoo/ants.md": "# Ants\n\nAnts carry leaves into their nest.",
    "money/taxes.md": "# Taxes\n\nTaxes are due in April. A late payment costs interest.",
}
QUESTION = "What do bees make in summer?"
SHORT_LISTS = RetrievalConfig(top_k=1, candidates=1)


def asked(services: Services, document: str, question: str = QUESTION, **options: object) -> Whereabouts:
    """Return where the only passage of a document is lost."""
    (chunk,) = services.library.chunks(document)
    return services.retriever.whereabouts(question, chunk.id, **options)


def stage(found: Whereabouts, name: str) -> Stage:
    return next(stage for stage in found.stages if stage.name == name)


def test_a_passage_that_is_used_passes_every_stage(library_of: LibraryOf) -> None:
    found = asked(library_of(ANIMALS), "zoo.bees")
    assert found.lost_at == ""
    assert [stage.name for stage in found.stages] == [
        "filters",
        "meaning",
        "words",
        "fusion",
        "cut-off",
        "prompt",
    ]
    assert [(stage.place, stage.passed) for stage in found.stages[:5]] == [
        (None, True),
        (1, True),
        (1, True),
        (1, True),
        (1, True),
    ]
    assert stage(found, "filters").told == "All 4 passages are searched."
    assert stage(found, "meaning").told == "Rank 1 of 4 by meaning; the list takes 40."
    assert stage(found, "words").told == "Rank 1 of 1 by words (bee, make, summer); the list takes 40."
    assert stage(found, "fusion").told == "Rank 1 of 4 once both lists are fused."
    assert stage(found, "cut-off").told == (
        "Kept as number 1 of 1; what was found is good enough to answer from."
    )
    assert stage(found, "prompt").told.endswith("tokens of a prompt of at most 4,000.")


def test_the_filters_lose_a_passage_of_another_topic(library_of: LibraryOf) -> None:
    found = asked(library_of(ANIMALS), "zoo.bees", filters=Filters(topics=frozenset({"money"})))
    assert found.lost_at == "filters"
    assert (stage(found, "filters").of, stage(found, "meaning").told) == (1, "Not reached.")


def test_what_neither_list_takes_is_lost_before_the_fusion(library_of: LibraryOf) -> None:
    found = asked(library_of(ANIMALS), "money.taxes", config=SHORT_LISTS)
    assert found.lost_at == "fusion"
    assert (stage(found, "meaning").place, stage(found, "meaning").passed) == (4, False)
    assert stage(found, "words").told == "Shares no word with the question."
    assert stage(found, "fusion").told == (
        "On neither list, so it is no candidate; listed, it would be at rank 2 of 2."
    )


def test_the_cut_off_says_why_a_candidate_is_not_used(library_of: LibraryOf) -> None:
    found = asked(library_of(ANIMALS), "money.taxes")
    assert found.lost_at == "cut-off"
    assert stage(found, "cut-off").told == "Cut: far behind the best passage."


def test_nothing_is_used_when_all_that_was_found_is_too_far(library_of: LibraryOf) -> None:
    services, question = library_of(ANIMALS), "Which zebra crossings are there in Kazakhstan?"
    best = services.retriever.retrieve(question).hits[0].chunk
    found = services.retriever.whereabouts(question, best.id)
    assert found.lost_at == "cut-off"
    assert "too far from the question to answer from it" in stage(found, "cut-off").told


def test_the_prompt_drops_what_has_no_room(library_of: LibraryOf) -> None:
    about = "Bees make honey in summer, and the keeper of the {0} hive takes it in autumn {0}. "
    texts = {
        f"{name}.md": f"# {name}\n\n" + "".join(about.format(f"{name}{n}") for n in range(12))
        for name in ("alder", "birch", "cedar", "maple")
    }
    services = library_of(texts, chat={"context_tokens": 800})
    retrieval = services.retriever.retrieve(QUESTION)
    preview = what_is_sent(retrieval, 800)
    assert [part.fits for part in preview.parts] == [True, False, False, False][: len(preview.parts)]
    assert preview.tokens <= 800 < preview.tokens + preview.parts[1].tokens
    found = services.retriever.whereabouts(QUESTION, retrieval.kept[-1].chunk.id)
    assert found.lost_at == "prompt"
    assert "more than the better passages leave" in stage(found, "prompt").told


def test_a_passage_of_somebody_else_is_not_known(library_of: LibraryOf) -> None:
    services = library_of(ANIMALS)
    bees = services.library.document("zoo.bees")
    assert bees is not None
    Indexer(services.library, services.embedder).index(replace(bees, owner="ada"), origin="added")
    assert asked(services, "zoo.bees", filters=Filters(reader="ada")).lost_at == ""
    with pytest.raises(InvalidInput, match="has no passage"):
        asked(services, "zoo.bees", filters=Filters(reader="bob"))


def test_a_passage_that_does_not_exist_is_not_known(library_of: LibraryOf) -> None:
    with pytest.raises(InvalidInput, match="has no passage 'x'"):
        library_of(ANIMALS).retriever.whereabouts(QUESTION, "x")
