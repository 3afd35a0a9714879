"""Uploads through a real worker process: what becomes of every file, and of a worker that is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rag import supervising
from rag.embedding.onnx import OnnxEmbedder
from rag.services import Services
from rag.storage.jobs import Job
from tests.conftest import ROOT
from tests.uploads import UNFINISHED, finished, flaws, is_gone, open_services, prose

BEES = b"# Bees\n\nBees make honey in summer. A hive holds one queen.\n"
PAGE = b"<html><title>Cats</title><h1>Cats</h1><p>Cats sleep for sixteen hours a day.</p></html>"
KILLS = 3

SERVER = """
import sys, threading
from rag.services import build_services
from rag.settings import load_settings
services = build_services(load_settings({}, data_dir=sys.argv[1], load_knowledge=False))
services.start_jobs()
print("ready", flush=True)
while True:
    pid = services._supervisor.worker_pid
    if pid:
        print(pid, flush=True)
        threading.Event().wait()
    threading.Event().wait(0.05)
"""


@pytest.fixture(scope="module", autouse=True)
def quick_rounds() -> Iterator[None]:
    """Supervisors that look after their workers more often, for the sake of the tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervising, "WORKING_S", 0.05)
        yield


@pytest.fixture(scope="module")
def services(
    exported: Path, embedder: OnnxEmbedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services that work on jobs; tests share the library."""
    opened = open_services(tmp_path_factory.mktemp("server"), embedder, exported / "models")
    yield opened
    opened.close()


def outcomes(job: Job) -> list[tuple[str, str, str]]:
    """Return name, state and document of each file."""
    return [(file.name, file.state, file.document_id) for file in job.files]


def until_idle(services: Services) -> None:
    """Wait until there is no worker."""
    assert services._supervisor is not None
    while services._supervisor.worker_pid is not None:
        time.sleep(0.01)


def begun(services: Services, job_id: str, windows: int = 0) -> None:
    """Wait until a worker has the first file, and has embedded so many windows of it."""
    while (job := services.jobs.get(job_id)) and (job.state == "queued" or job.files[0].done < windows):
        time.sleep(0.01)


def test_uploaded_files_become_searchable_and_a_bad_one_keeps_nobody_waiting(services: Services) -> None:
    job = finished(
        services,
        services.upload([("bees.md", BEES), ("empty.txt", b" \n"), ("cats.html", PAGE), ("drones.md", BEES)]),
    )
    assert job.state == "done"
    assert outcomes(job) == [
        ("bees.md", "added", "uploads.bees"),
        ("empty.txt", "failed", ""),
        ("cats.html", "added", "uploads.cats-html"),
        ("drones.md", "unchanged", "uploads.bees"),
    ]
    assert job.files[1].error
    assert job.files[1].hint
    hits = services.retriever.retrieve("How long do cats sleep?").hits
    assert hits[0].chunk.document_id == "uploads.cats-html"
    original = services.library.original("uploads.cats-html")
    assert original is not None
    assert (original.name, original.content) == ("cats.html", PAGE)
    assert services.library.original("uploads.bees") is None
    assert flaws(services) == []


def test_the_same_name_updates_and_another_owner_has_documents_of_their_own(services: Services) -> None:
    changed = b"# Wasps\n\nWasps chew wood into paper.\n"
    services.upload([("wasps.md", b"# Wasps\n\nWasps sting.\n")])
    ours = services.upload([("wasps.md", changed), ("again.md", changed)])
    hers = services.upload([("wasps.md", changed)], owner="ann")
    (file,) = finished(services, hers).files
    assert [file.state for file in finished(services, ours).files] == ["updated", "unchanged"]
    document = services.library.document("uploads.wasps")
    assert document is not None
    assert document.text.encode() == changed
    assert file.state == "added"
    document = services.library.document(file.document_id)
    assert document is not None
    assert document.owner == "ann"


def test_a_cancelled_file_is_left_within_a_moment_and_leaves_nothing(services: Services) -> None:
    before = services.library.version()
    cancelled = services.upload(prose(40_000, 2, "cancelled"))
    after = services.upload([("after.md", b"# After\n\nThe next one is read.\n")])
    begun(services, cancelled, windows=16)
    assert services.jobs.cancel(cancelled)
    assert finished(services, after).files[0].state == "added"
    job = finished(services, cancelled)
    assert [job.state, *(file.state for file in job.files)] == ["cancelled"] * 3
    assert services.library.version() == before + 1
    until_idle(services)
    assert services.library.drop_unused_vectors() == 0


def test_rebuilding_reads_and_embeds_every_document_anew(services: Services) -> None:
    with services.database.write() as connection:
        connection.exec_driver_sql("UPDATE vectors SET vector = zeroblob(1536), crc32 = 0")
        connection.exec_driver_sql("DELETE FROM sentences")
    assert flaws(services) != []
    job_id = services.rebuild()
    assert services.rebuild() == job_id
    (file,) = finished(services, job_id).files
    count = len(services.library.summaries())
    assert (file.state, file.done, file.total) == ("updated", count, count)
    assert flaws(services) == []


def test_a_worker_killed_at_any_moment_loses_nothing_and_leaves_nothing_half_saved(
    services: Services,
) -> None:
    chance = random.Random(11)
    job_id = services.upload(prose(12_000, 6, "killed"))
    killed: set[int] = set()
    while len(killed) < KILLS and (job := services.jobs.get(job_id)) and job.state in UNFINISHED:
        pid = services._supervisor.worker_pid if services._supervisor else None
        if pid is None or pid in killed or job.state == "queued":
            time.sleep(0.01)
            continue
        time.sleep(chance.uniform(0, 0.5))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    assert len(killed) > 1
    assert flaws(services) == []
    job = finished(services, job_id)
    said = {(file.state, file.attempts, file.error) for file in job.files}
    assert said <= {
        *(("added", attempts, "") for attempts in (1, 2, 3)),
        ("failed", 3, "Reading this file ended the reader three times."),
    }
    assert flaws(services) == []


def test_two_servers_share_the_work_and_do_none_of_it_twice(
    services: Services, embedder: OnnxEmbedder, exported: Path
) -> None:
    other = open_services(services.settings.data_dir, embedder, exported / "models")
    job_ids = [services.upload(prose(3_000, 3, "ours")), other.upload(prose(3_000, 3, "theirs"))]
    for job_id in job_ids:
        job = finished(services, job_id)
        assert [(file.state, file.attempts) for file in job.files] == [("added", 1)] * 3
        seen = finished(other, job_id)
        assert (seen.id, seen.files) == (job.id, job.files)
    assert flaws(services) == []
    other.close()


def test_the_worker_goes_with_its_server_and_the_next_server_goes_on(
    embedder: OnnxEmbedder, exported: Path, tmp_path: Path
) -> None:
    services = open_services(tmp_path / "data", embedder, exported / "models", jobs=False)
    job_id = services.upload(prose(6_000, 2, "left"))
    command = [sys.executable, "-c", SERVER, str(tmp_path / "data")]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    worker = int(server.stdout.readline())
    begun(services, job_id)
    server.kill()
    server.communicate()
    assert is_gone(worker)
    assert services.library.summaries() == []
    services.start_jobs()
    job = finished(services, job_id)
    assert [(file.state, file.attempts) for file in job.files] == [("added", 2), ("added", 1)]
    assert flaws(services) == []
    services.close()
