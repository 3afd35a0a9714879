"""Documents leave the search at once and come back as they were, shipped ones as their files are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.embedding.base import no_progress
from rag.embedding.onnx import OnnxEmbedder
from rag.services import REMOVED_IS_KEPT, Services
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.library import Library, Original
from tests.asking import LibraryOf, answered

BEES = "---\nid: bees\n---\n# Bees\n\nBees make honey in summer. A hive holds one queen.\n"
CATS = "# Cats\n\nCats sleep for sixteen hours a day. They hunt at dawn.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A knowledge folder with two documents."""
    folder = tmp_path / "knowledge"
    (folder / "02-insects").mkdir(parents=True)
    (folder / "02-insects" / "bees.md").write_text(BEES)
    (folder / "cats.md").write_text(CATS)
    return folder


@pytest.fixture
def shipped(library_of: LibraryOf, folder: Path) -> Services:
    """Services that ship the folder."""
    return library_of({}, load_knowledge=True, knowledge_dir=folder)


def found(services: Services, query: str) -> list[str]:
    """Return the documents that a search uses."""
    return [hit.chunk.document_id for hit in services.retriever.retrieve(query).kept]


def test_a_document_that_was_taken_out_answers_nothing_until_it_is_restored(library_of: LibraryOf) -> None:
    services = library_of({"bees.md": BEES, "cats.md": CATS})
    before = services.document("bees"), services.library.windows(), services.library.sentences()
    assert services.take_out("bees")
    assert "bees" not in found(services, "Who makes honey in summer?")
    assert answered(services, "Who makes honey in summer?").outcome == "not_in_kb"
    assert services.restore("bees")
    assert (services.document("bees"), services.library.windows(), services.library.sentences()) == before
    assert answered(services, "Who makes honey in summer?").citations[0].document_id == "bees"
    assert services.library.removed() == []


def test_a_restored_document_has_its_origin_and_its_file(library_of: LibraryOf) -> None:
    services = library_of({"bees.md": BEES})
    bees, file = services.document("bees"), Original("bees.docx", b"PK")
    assert bees is not None
    services.library.save(bees, [], {}, [], origin="added", original=file)
    services.take_out("bees")
    services.restore("bees")
    assert [(s.id, s.origin) for s in services.library.summaries()] == [("bees", "added")]
    assert services.library.original("bees") == file


def test_what_was_never_there_can_neither_be_taken_out_nor_restored(library_of: LibraryOf) -> None:
    services = library_of({"bees.md": BEES})
    assert not services.take_out("dogs")
    assert not services.restore("dogs")
    assert not services.restore("bees")


def test_a_shipped_document_is_restored_as_its_file_is_now(shipped: Services, folder: Path) -> None:
    shipped.take_out("bees")
    (folder / "02-insects" / "bees.md").write_text(BEES + "Bees dance.\n")
    assert shipped.restore("bees")
    bees = shipped.document("bees")
    assert bees is not None
    assert (bees.text, bees.path) == (BEES + "Bees dance.\n", "02-insects/bees.md")
    assert {s.origin for s in shipped.library.summaries()} == {"knowledge"}


def test_a_shipped_document_whose_file_is_gone_is_restored_from_its_copy(
    shipped: Services, folder: Path
) -> None:
    bees = shipped.document("bees")
    shipped.take_out("bees")
    (folder / "02-insects" / "bees.md").unlink()
    assert shipped.restore("bees")
    assert shipped.document("bees") == bees


def test_a_shipped_document_that_was_deleted_is_read_from_the_knowledge_again(
    shipped: Services, folder: Path
) -> None:
    bees = shipped.document("bees")
    assert shipped.remove("bees")
    (folder / "02-insects" / "ants.pdf").write_bytes(b"no PDF")
    assert shipped.restore("bees")
    assert shipped.document("bees") == bees
    assert shipped.library.dismissed() == frozenset()


def test_a_deleted_document_without_a_file_stays_away(shipped: Services, folder: Path) -> None:
    shipped.remove("bees")
    (folder / "02-insects" / "bees.md").unlink()
    assert not shipped.restore("bees")
    assert shipped.library.dismissed() == {"bees"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    """A database that lies where the services will look for it."""
    database = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield database
    database.close()


def test_a_start_forgets_what_was_taken_out_more_than_thirty_days_ago(
    opened: Database, embedder: OnnxEmbedder, tmp_path: Path
) -> None:
    assert timedelta(days=30) == REMOVED_IS_KEPT
    now = datetime.now(UTC)
    settings = load_settings({}, data_dir=tmp_path, load_knowledge=False)
    services = Services(settings, embedder, opened, no_progress)
    for name, days in (("old", 31), ("new", 29)):
        (tmp_path / f"{name}.md").write_text(BEES.replace("bees", name))
        services.ingest([tmp_path / f"{name}.md"])
        Library(opened, lambda days=days: now - timedelta(days=days)).take_out(name)
    again = Services(settings, embedder, opened, no_progress)
    assert [removed.id for removed in again.library.removed()] == ["new"]
