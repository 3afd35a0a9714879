"""The worker and a database that is busy: whose fault it is, how long it waits, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.embedding.onnx import OnnxEmbedder
from rag.errors import StoreError
from rag.settings import load_settings
from rag.storage.claims import SILENT, Claims
from rag.storage.engine import Database
from rag.storage.jobs import JobFile, Jobs
from rag.storage.library import Library
from rag.working import BUSY_PAUSES_S, Worker

BEES = ("bees.md", b"# Bees\n\nBees make honey.\n")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield opened
    opened.close()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the worker made, in seconds; none of them is waited for."""
    return []


@pytest.fixture
def worker(database: Database, tmp_path: Path, pauses: list[float]) -> Worker:
    """A worker in this process."""
    return Worker(load_settings({}, data_dir=tmp_path, load_knowledge=False), database, pauses.append)


def file_of(database: Database, job_id: str) -> JobFile:
    """Return the only file of a job."""
    job = Jobs(database).get(job_id)
    assert job is not None
    return job.files[0]


def failing(times: int, *, retryable: bool) -> Callable[..., bytes]:
    """Return a stand-in for Claims.content that meets a failing database so many times."""
    content, left = Claims.content, list(range(times))

    def fails_at_first(claims: Claims, claim: object) -> bytes:
        if left:
            left.pop()
            error = StoreError("The database is busy.", hint="Try again in a moment.")
            error.retryable = retryable
            raise error
        return content(claims, claim)  # type: ignore[arg-type]

    return fails_at_first


def test_a_file_that_meets_a_busy_database_is_begun_again_after_a_pause(
    worker: Worker,
    database: Database,
    embedder: OnnxEmbedder,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = Jobs(database).add("ingest", [BEES])
    monkeypatch.setattr(Claims, "content", failing(4, retryable=True))
    worker.run(embedder, lambda _: None)
    file = file_of(database, job_id)
    assert (file.state, file.attempts, pauses) == ("added", 1, [1.0, 2.0, 4.0, 8.0])
    assert [summary.id for summary in Library(database).summaries()] == ["uploads.bees"]


def test_a_database_that_stays_busy_ends_the_worker_and_does_not_count_against_the_file(
    worker: Worker,
    database: Database,
    embedder: OnnxEmbedder,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = Jobs(database).add("ingest", [BEES])
    monkeypatch.setattr(Claims, "content", failing(1000, retryable=True))
    with pytest.raises(StoreError, match="busy"):
        worker.run(embedder, lambda _: None)
    file = file_of(database, job_id)
    assert (file.state, file.attempts, len(pauses)) == ("queued", 0, len(BUSY_PAUSES_S))


def test_a_database_that_fails_otherwise_is_not_waited_for(
    worker: Worker,
    database: Database,
    embedder: OnnxEmbedder,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = Jobs(database).add("ingest", [BEES])
    monkeypatch.setattr(Claims, "content", failing(1, retryable=False))
    worker.run(embedder, lambda _: None)
    file = file_of(database, job_id)
    assert (file.state, file.error, pauses) == ("failed", "The database is busy.", [])


def test_no_pause_is_so_long_that_the_worker_is_taken_for_dead() -> None:
    assert max(BUSY_PAUSES_S) < SILENT.total_seconds()
