"""What is chosen for the whole installation is kept in the database and counts in every process at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.embedding.base import no_progress
from rag.embedding.onnx import OnnxEmbedder
from rag.errors import InvalidInput
from rag.services import Services
from rag.storage.engine import Database
from rag.storage.preferences import Preferences
from rag.types import RetrievalConfig
from tests.asking import LibraryOf

ANIMALS = {
    "bees.md": "# Bees\n\nBees make honey in summer.",
    "cats.md": "# Cats\n\nCats sleep all day.",
    "ants.md": "# Ants\n\nAnts carry leaves.",
}


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(Database(f"sqlite:///{tmp_path / 'viva.db'}"))


def test_a_name_has_what_was_set_last(preferences: Preferences) -> None:
    preferences.set("colour", {"name": "red"})
    preferences.set("colour", {"name": "blue", "shades": [1, 2]})
    assert preferences.get("colour") == {"name": "blue", "shades": [1, 2]}


def test_a_name_that_was_cleared_has_nothing(preferences: Preferences) -> None:
    preferences.set("colour", {"name": "red"})
    preferences.clear("colour")
    assert preferences.get("colour") is None


def test_the_settings_decide_how_passages_are_found_until_a_choice_is_made(library_of: LibraryOf) -> None:
    services = library_of({}, retrieval={"top_k": 3, "words_weight": 0.2, "index": "ivf", "effort": 5})
    assert services.retrieval_config == RetrievalConfig(3, 40, 0.2, "ivf", 5)
    services.set_retrieval_config(RetrievalConfig(top_k=9))
    assert services.retrieval_config == RetrievalConfig(top_k=9)
    services.set_retrieval_config(None)
    assert services.retrieval_config == RetrievalConfig(3, 40, 0.2, "ivf", 5)


def test_a_choice_counts_at_once_in_another_process(library_of: LibraryOf, embedder: OnnxEmbedder) -> None:
    services = library_of(ANIMALS)
    database = Database(services.settings.sqlalchemy_url)
    other = Services(services.settings, embedder, database, no_progress)
    services.set_retrieval_config(RetrievalConfig(top_k=1, index="hnsw"))
    retrieval = other.retriever.retrieve("What do bees and cats do?")
    assert len(retrieval.kept) == 1
    assert retrieval.config == RetrievalConfig(top_k=1, index="hnsw")
    other.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_k", 0),
        ("top_k", 51),
        ("candidates", 4),
        ("words_weight", 1.1),
        ("words_weight", float("nan")),
        ("index", "tree"),
        ("effort", -1),
        ("top_k", "6"),
    ],
)
def test_a_choice_out_of_range_is_refused_by_name(library_of: LibraryOf, name: str, value: object) -> None:
    services = library_of({})
    with pytest.raises(InvalidInput, match=f"`{name}` is not valid"):
        services.set_retrieval_config(replace(RetrievalConfig(), **{name: value}))
    assert services.retrieval_config == RetrievalConfig()


def test_a_choice_of_a_program_with_other_ranges_gives_way_to_the_settings(library_of: LibraryOf) -> None:
    services = library_of({})
    services.preferences.set("retrieval", {"top_k": 5000, "colour": "red"})
    assert services.retrieval_config == RetrievalConfig()
