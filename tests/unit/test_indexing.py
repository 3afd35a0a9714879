"""The library follows its files: what changed is read, cut and embedded, and nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.embedding.base import Embedder, Vectors, no_progress
from rag.embedding.onnx import OnnxEmbedder
from rag.errors import KnowledgeError, StoreError
from rag.ingestion import preparing, shipped
from rag.ingestion.chunking import chunk, windows
from rag.ingestion.indexing import Indexer, Ingested
from rag.ingestion.loading import load_upload
from rag.services import Services
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.library import Library, Original
from rag.text.sentences import sentences
from rag.types import Chunk, Document

BEES = "# Bees\n\nBees make honey in summer. A hive holds one queen.\n"
CATS = "# Cats\n\nCats sleep for sixteen hours a day. They hunt at dawn.\n"
LONG = "# Trains\n\n" + "\n\n".join(
    f"## Line {number}\n\nLine {number} leaves at {number} o'clock. It is never late." for number in range(8)
)


class Counting:
    """The real model, and how many texts it was given."""

    def __init__(self, embedder: Embedder, model: str = "") -> None:
        self._embedder = embedder
        self.model = model or embedder.model
        self.dimension = embedder.dimension
        self.texts = 0
        self.room = 1_000_000
        """How many texts it embeds before it is interrupted."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed and count."""
        return np.vstack([whole for whole, _ in self.embed_parts(texts, [()] * len(texts))])

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Embed and count."""
        self.texts += len(texts)
        if self.texts > self.room:
            raise KeyboardInterrupt
        return self._embedder.embed_parts(texts, parts)


@pytest.fixture
def counting(embedder: OnnxEmbedder) -> Counting:
    """The real model with a counter."""
    return Counting(embedder)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield opened
    opened.close()


@pytest.fixture
def library(database: Database) -> Library:
    """An empty library."""
    return Library(database)


@pytest.fixture
def indexer(library: Library, counting: Counting) -> Indexer:
    """Writes into the library with the counting model."""
    return Indexer(library, counting)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two documents."""
    made = tmp_path / "documents"
    (made / "02-animals").mkdir(parents=True)
    (made / "bees.md").write_text(BEES)
    (made / "02-animals" / "cats.md").write_text(CATS)
    return made


def outcomes(results: Sequence[Ingested]) -> list[tuple[str, str]]:
    """Return id and status of each file."""
    return [(result.id, result.status) for result in results]


def test_new_files_are_added(indexer: Indexer, library: Library, folder: Path) -> None:
    results = indexer.ingest([folder])
    assert outcomes(results) == [("02-animals.cats", "added"), ("bees", "added")]
    assert [result.chunks for result in results] == [1, 1]
    assert [(s.id, s.topic, s.origin) for s in library.summaries()] == [
        ("02-animals.cats", "animals", "added"),
        ("bees", "general", "added"),
    ]


def test_unchanged_files_embed_nothing(indexer: Indexer, counting: Counting, folder: Path) -> None:
    indexer.ingest([folder])
    counting.texts = 0
    assert outcomes(indexer.ingest([folder])) == [("02-animals.cats", "unchanged"), ("bees", "unchanged")]
    assert counting.texts == 0


def test_unchanged_files_leave_the_version_as_it_is(indexer: Indexer, library: Library, folder: Path) -> None:
    indexer.ingest([folder])
    before = library.version()
    indexer.ingest([folder])
    assert library.version() == before


def test_a_touched_file_is_unchanged(indexer: Indexer, folder: Path) -> None:
    indexer.ingest([folder])
    os.utime(folder / "bees.md", (1, 1))
    assert outcomes(indexer.ingest([folder / "bees.md"])) == [("bees", "unchanged")]


def test_a_changed_file_is_updated_in_one_step(indexer: Indexer, library: Library, folder: Path) -> None:
    indexer.ingest([folder])
    before = library.version()
    (folder / "bees.md").write_text(BEES + "Drones have no sting.\n")
    assert outcomes(indexer.ingest([folder])) == [("02-animals.cats", "unchanged"), ("bees", "updated")]
    assert library.version() == before + 1
    assert library.chunks("bees")[0].text.endswith("Drones have no sting.")


def test_only_the_changed_part_of_a_file_is_embedded(
    indexer: Indexer, counting: Counting, folder: Path
) -> None:
    (folder / "trains.md").write_text(LONG)
    indexer.ingest([folder / "trains.md"])
    assert counting.texts == 8
    (folder / "trains.md").write_text(LONG.replace("Line 3 leaves at 3", "Line 3 leaves at half past 3"))
    indexer.ingest([folder / "trains.md"])
    assert counting.texts == 9


def test_an_update_leaves_no_vector_behind(indexer: Indexer, library: Library, folder: Path) -> None:
    indexer.ingest([folder])
    (folder / "bees.md").write_text("# Bees\n\nBees sting.\n")
    indexer.ingest([folder])
    assert library.drop_unused_vectors() == 0


def test_every_vector_that_is_referred_to_is_stored(
    indexer: Indexer, library: Library, counting: Counting, folder: Path
) -> None:
    (folder / "trains.md").write_text(LONG)
    indexer.ingest([folder])
    keys = {window.vector_key for window in library.windows()}
    keys |= {sentence.vector_key for sentence in library.sentences() if sentence.vector_key}
    stored = library.vectors(counting.model, keys)
    assert stored.keys() == keys
    assert {vector.shape for vector in stored.values()} == {(384,)}


def test_the_questions_of_an_author_become_windows_of_their_chunk(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    asked = "---\nquestions:\n  Bees:\n    - Who makes honey?\n    - What do bees do?\n---\n"
    (folder / "bees.md").write_text(asked + BEES)
    indexer.ingest([folder / "bees.md"])
    (chunk,) = library.chunks("bees")
    assert chunk.questions == ("Who makes honey?", "What do bees do?")
    assert [window.chunk_id for window in library.windows()] == ["bees#0"] * 3


def test_a_failing_file_does_not_stop_the_others(indexer: Indexer, library: Library, folder: Path) -> None:
    (folder / "a-broken.md").write_text("---\ntags: [\n---\nText.\n")
    (folder / "b-empty.md").write_text("")
    (folder / "c-binary.txt").write_bytes(bytes(range(256)) * 10)
    results = indexer.ingest([folder])
    assert outcomes(results) == [
        ("02-animals.cats", "added"),
        ("", "failed"),
        ("", "failed"),
        ("bees", "added"),
        ("", "failed"),
    ]
    assert results[1].error.startswith("a-broken.md, line 3: the front matter is not valid YAML")
    assert results[2].error == "b-empty.md has no text."
    assert results[4].error == "c-binary.txt is not a text file."
    assert all(result.hint for result in results if result.status == "failed")
    assert {summary.id for summary in library.summaries()} == {"02-animals.cats", "bees"}


def test_a_file_that_fails_after_a_change_keeps_its_earlier_version(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    indexer.ingest([folder])
    (folder / "bees.md").write_text("")
    indexer.ingest([folder])
    document = library.document("bees")
    assert document is not None
    assert document.text == BEES


def test_of_two_files_with_the_same_id_the_second_fails(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    (folder / "again.md").write_text(f"---\nid: bees\n---\n{CATS}")
    results = indexer.ingest([folder])
    assert outcomes(results) == [("02-animals.cats", "added"), ("bees", "added"), ("", "failed")]
    assert results[2].error == f"{folder / 'bees.md'} has the same id as {folder / 'again.md'}: bees."
    assert results[2].hint == "Give one of them another `id` in its front matter."


def test_a_file_that_is_named_twice_is_read_once(indexer: Indexer, folder: Path) -> None:
    cats = folder / "02-animals" / "cats.md"
    assert outcomes(indexer.ingest([folder, cats, folder])) == [
        ("02-animals.cats", "added"),
        ("bees", "added"),
    ]


def test_a_path_that_does_not_exist_is_an_error_before_anything_is_read(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    with pytest.raises(KnowledgeError, match="nowhere does not exist"):
        indexer.ingest([folder, folder / "nowhere"])
    assert library.summaries() == []


def test_an_empty_folder_is_no_error(indexer: Indexer, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert indexer.ingest([tmp_path / "empty"]) == []


def test_the_same_file_under_another_name_is_unchanged(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    indexer.ingest([folder])
    shutil.copy(folder / "bees.md", folder / "drones.md")
    assert outcomes(indexer.ingest([folder / "drones.md"])) == [("bees", "unchanged")]
    assert {summary.id for summary in library.summaries()} == {"02-animals.cats", "bees"}


def test_two_files_that_swap_their_contents_are_both_updated(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    indexer.ingest([folder])
    (folder / "bees.md").write_text(CATS)
    (folder / "02-animals" / "cats.md").write_text(BEES)
    assert outcomes(indexer.ingest([folder])) == [("02-animals.cats", "updated"), ("bees", "updated")]
    texts = {summary.id: library.document(summary.id) for summary in library.summaries()}
    assert {key: document and document.text for key, document in texts.items()} == {
        "02-animals.cats": BEES,
        "bees": CATS,
    }


@pytest.mark.parametrize(("text", "status"), [(BEES, "unchanged"), (CATS, "updated")])
def test_an_upload_follows_its_file_under_the_shorter_id_it_was_given_once(
    indexer: Indexer, library: Library, text: str, status: str
) -> None:
    earlier = replace(load_upload(BEES.encode(), "My Bees.md")[0], id="uploads.my-bees")
    indexer.add(earlier, origin="added")
    result = indexer.add(load_upload(text.encode(), "My Bees.md")[0], origin="added")
    assert (result.id, result.status) == ("uploads.my-bees", status)
    assert [summary.id for summary in library.summaries()] == ["uploads.my-bees"]


def test_an_upload_leaves_a_document_alone_whose_id_is_its_own_without_the_digest(
    indexer: Indexer, library: Library
) -> None:
    indexer.add(load_upload(BEES.encode(), "my-bees.md")[0], origin="added")
    result = indexer.add(load_upload(CATS.encode(), "My Bees.md")[0], origin="added")
    assert result.status == "added"
    assert len(library.summaries()) == 2


def test_the_file_of_an_extracted_text_is_kept(indexer: Indexer, library: Library, folder: Path) -> None:
    page = b"<html><h1>Dogs</h1><p>Dogs bark at night.</p></html>"
    (folder / "dogs.html").write_bytes(page)
    indexer.ingest([folder])
    kept = {summary.id: library.original(summary.id) for summary in library.summaries()}
    assert {document_id for document_id, original in kept.items() if original} == {"dogs.html"}
    assert kept["dogs.html"] == Original("dogs.html", page)


def test_the_id_of_another_owners_document_is_refused(indexer: Indexer, library: Library) -> None:
    hers, his = (
        Document("uploads.x", "X", "uploads", f"{owner}'s text.", owner, owner=owner)
        for owner in ("ann", "bob")
    )
    indexer.add(hers, origin="added")
    with pytest.raises(KnowledgeError, match=r"The id uploads\.x is taken"):
        indexer.add(his, origin="added")
    assert library.document("uploads.x") == hers


def test_of_an_unexpected_error_only_the_place_is_logged(
    indexer: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(document: Document) -> list[Chunk]:
        raise ValueError(document.text)

    monkeypatch.setattr(preparing, "chunk", fail)
    (result,) = indexer.ingest([folder / "bees.md"])
    assert (result.status, result.error) == ("failed", "Something went wrong while reading this file.")
    assert "ValueError" in caplog.text
    assert "honey" not in caplog.text


def test_progress_names_the_files_and_ends_at_the_sum(
    library: Library, counting: Counting, folder: Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    Indexer(library, counting, lambda *step: steps.append(step)).ingest([folder])
    assert steps == [("Indexing cats.md", 0, 2), ("Indexing bees.md", 1, 2), ("Indexing", 2, 2)]


def test_a_removed_document_comes_back_when_it_is_ingested_again(
    indexer: Indexer, library: Library, folder: Path
) -> None:
    indexer.ingest([folder])
    assert library.remove("bees")
    assert outcomes(indexer.ingest([folder]))[1] == ("bees", "added")


def test_another_embedding_model_embeds_every_document_anew(
    indexer: Indexer, library: Library, embedder: OnnxEmbedder, folder: Path
) -> None:
    indexer.ingest([folder])
    other = Counting(embedder, "other/model")
    Indexer(library, other).reembed()
    keys = [window.vector_key for window in library.windows()]
    assert other.texts == 2
    assert library.embedding_model() == "other/model"
    assert library.vectors("other/model", keys).keys() == set(keys)
    assert library.drop_unused_vectors() == 0


def test_an_interrupted_change_of_model_goes_on_where_it_stopped(
    indexer: Indexer, library: Library, embedder: OnnxEmbedder, folder: Path
) -> None:
    indexer.ingest([folder])
    other = Counting(embedder, "other/model")
    other.room = 1
    with pytest.raises(KeyboardInterrupt):
        Indexer(library, other).reembed()
    assert library.embedding_model() == "all-MiniLM-L6-v2/onnx-int8"
    other.texts, other.room = 0, 100
    Indexer(library, other).reembed()
    assert other.texts == 1
    assert library.embedding_model() == "other/model"


@pytest.fixture
def start(tmp_path: Path, folder: Path) -> Iterator[object]:
    """A function that starts the services with `folder` as the shipped knowledge, as often as wanted."""
    opened: list[Services] = []

    def start_again(embedder: Embedder) -> Services:
        settings = load_settings({}, data_dir=tmp_path, knowledge_dir=folder)
        opened.append(Services(settings, embedder, Database(settings.sqlalchemy_url), no_progress))
        return opened[-1]

    yield start_again
    for services in opened:
        services.close()


def busy_once(add: Callable[..., Ingested]) -> Callable[..., Ingested]:
    """Return a way to add documents that meets a busy database the first time."""
    errors = [StoreError("The database is busy.", hint="Try again in a moment.")]

    def busy_at_first(*args: object, **named: object) -> Ingested:
        if errors:
            raise errors.pop()
        return add(*args, **named)

    return busy_at_first


def ids(services: Services) -> set[str]:
    """Return the ids of the library's documents."""
    return {summary.id for summary in services.library.summaries()}


def test_the_shipped_knowledge_is_indexed_at_the_first_start(start, counting) -> None:
    services = start(counting)
    assert ids(services) == {"02-animals.cats", "bees"}
    assert {summary.origin for summary in services.library.summaries()} == {"knowledge"}


def test_a_second_start_reads_and_embeds_nothing(start, counting) -> None:
    start(counting)
    counting.texts = 0
    version = start(counting).library.version()
    assert counting.texts == 0
    assert start(counting).library.version() == version


def test_a_file_that_vanished_from_the_knowledge_is_removed(start, counting, folder: Path) -> None:
    start(counting)
    (folder / "bees.md").unlink()
    assert ids(start(counting)) == {"02-animals.cats"}


def test_a_change_of_the_chunker_cuts_every_document_anew_and_embeds_none(
    start, counting, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(counting)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE chunks SET heading_path = '[]'")
    counting.texts = 0
    monkeypatch.setattr(shipped, "CHUNKER", preparing.CHUNKER + 1)
    services = start(counting)
    paths = {chunk.heading_path for chunk in services.library.all_chunks()}
    assert (paths, counting.texts) == ({("Bees",), ("Cats",)}, 0)
    version = services.library.version()
    assert start(counting).library.version() == version


def test_another_cut_needs_another_chunker_version() -> None:
    text = f"{LONG}\n\n" + "One sentence. Another, longer one follows it. " * 300 + "\n\n- item\n" * 3
    document = Document("d", "D", "t", text + "\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n", "h")
    cut = [(part.start, part.end, windows(document, part)) for part in chunk(document)]
    told = [(unit.start, unit.end, unit.kind) for unit in sentences(document.text, 0)]
    digest = hashlib.sha256(repr((cut, told)).encode()).hexdigest()[:16]
    assert (preparing.CHUNKER, digest) == (1, "c7790afe4f19e4a0")


def test_what_a_user_added_stays_when_the_knowledge_changes(start, counting, folder, tmp_path) -> None:
    (tmp_path / "own.md").write_text("# Own\n\nMy own text.\n")
    start(counting).ingest([tmp_path / "own.md"])
    (folder / "bees.md").unlink()
    assert ids(start(counting)) == {"02-animals.cats", "own"}


def test_a_knowledge_document_the_user_removed_stays_removed(start, counting) -> None:
    start(counting).remove("bees")
    assert ids(start(counting)) == {"02-animals.cats"}


@pytest.mark.parametrize("removal", ["remove", "take_out"])
def test_a_removed_knowledge_document_stays_away_when_the_knowledge_changes(
    start, counting, folder, removal: str
) -> None:
    getattr(start(counting), removal)("bees")
    (folder / "dogs.md").write_text("# Dogs\n\nDogs bark at night.\n")
    assert ids(start(counting)) == {"02-animals.cats", "dogs"}


def test_a_file_that_vanished_from_the_knowledge_and_came_back_is_indexed_again(
    start, counting, folder: Path
) -> None:
    start(counting)
    (folder / "bees.md").unlink()
    start(counting)
    (folder / "bees.md").write_text(BEES)
    assert ids(start(counting)) == {"02-animals.cats", "bees"}


def test_nothing_is_removed_while_a_file_of_the_knowledge_is_broken(start, counting, folder: Path) -> None:
    start(counting)
    (folder / "bees.md").write_text("")
    (folder / "02-animals" / "cats.md").unlink()
    assert ids(start(counting)) == {"02-animals.cats", "bees"}


def test_a_file_of_the_knowledge_that_met_a_busy_database_is_tried_again_at_the_next_start(
    start, counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Indexer, "add", busy_once(Indexer.add))
        assert ids(start(counting)) == {"bees"}
    assert ids(start(counting)) == {"02-animals.cats", "bees"}


def test_a_broken_file_of_the_knowledge_is_named_in_the_log(
    start, counting, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bees.md").write_text("---\nlevel: secret\n---\nText.\n")
    start(counting)
    assert "bees.md, line 2: `level` in the front matter is not valid" in caplog.text
    assert "Correct the lines between the two ---" in caplog.text
    assert "secret" not in caplog.text


def test_a_missing_knowledge_folder_leaves_the_library_alone(start, counting, folder: Path) -> None:
    start(counting)
    shutil.rmtree(folder)
    assert ids(start(counting)) == {"02-animals.cats", "bees"}


def test_a_start_with_another_model_embeds_anew_and_searches_with_it(start, counting, embedder) -> None:
    start(counting)
    services = start(Counting(embedder, "other/model"))
    assert services.library.embedding_model() == "other/model"
    assert services.retriever.retrieve("Who makes honey?").hits[0].chunk.document_id == "bees"


def test_lost_and_damaged_vectors_are_made_anew_at_the_start(start, counting, database: Database) -> None:
    start(counting)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM vectors WHERE rowid = (SELECT min(rowid) FROM vectors)")
        connection.exec_driver_sql(
            "UPDATE vectors SET vector = zeroblob(1536) WHERE rowid = (SELECT max(rowid) FROM vectors)"
        )
    counting.texts = 0
    services = start(counting)
    assert counting.texts == 2
    assert services.retriever.retrieve("Who makes honey?").hits[0].chunk.document_id == "bees"
