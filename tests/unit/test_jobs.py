"""Jobs and claims: what is kept of a file, who may work on it, and what happens when a worker is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from rag.storage.claims import SILENT, Claim, ClaimLost, Claims
from rag.storage.engine import Database
from rag.storage.jobs import Job, Jobs
from rag.storage.library import Library
from rag.storage.tables import job_files
from rag.types import Document
from tests.contract.test_storage_contract import postgres, url  # noqa: F401  # fixtures

FILES = [("bees.md", b"Bees."), ("cats.pdf", b"%PDF-1.7 cats")]


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the moment; the next one is a millisecond later."""
        self.now += timedelta(milliseconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """One clock for all."""
    return Clock()


@pytest.fixture
def database(url: str) -> Iterator[Database]:  # noqa: F811
    """An empty database, SQLite and Postgres."""
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def jobs(database: Database, clock: Clock) -> Jobs:
    """What people use."""
    return Jobs(database, clock)


@pytest.fixture
def claims(database: Database, clock: Clock) -> Claims:
    """What a worker uses."""
    return Claims(database, clock)


def contents(database: Database) -> list[bytes | None]:
    """Return the uploaded bytes that are still kept."""
    with database.read() as connection:
        return list(connection.scalars(select(job_files.c.content).order_by(job_files.c.position)))


def states(job: Job | None) -> list[str]:
    """Return the state of the job and of each file."""
    assert job is not None
    return [job.state, *(file.state for file in job.files)]


def claimed(claims: Claims) -> Claim:
    """Claim the next file."""
    claim = claims.claim()
    assert claim is not None
    return claim


def test_a_new_job_waits_with_its_files(jobs: Jobs, claims: Claims) -> None:
    assert not claims.waiting()
    job = jobs.get(jobs.add("ingest", FILES, "ann"))
    assert job is not None
    assert (job.kind, job.owner, job.state) == ("ingest", "ann", "queued")
    assert [(file.position, file.name, file.size, file.state) for file in job.files] == [
        (0, "bees.md", 5, "queued"),
        (1, "cats.pdf", 13, "queued"),
    ]
    assert claims.waiting()


def test_everybody_sees_their_own_jobs_newest_first(jobs: Jobs) -> None:
    first, other, last = (jobs.add("ingest", FILES, owner) for owner in ("ann", "bob", "ann"))
    assert [job.id for job in jobs.list("ann")] == [last, first]
    assert [job.id for job in jobs.list("bob")] == [other]
    assert jobs.list("") == []
    assert [job.id for job in jobs.list()] == [last, other, first]


def test_all_unfinished_jobs_are_listed_and_the_newest_finished_ones(jobs: Jobs, claims: Claims) -> None:
    running = jobs.add("ingest", FILES[:1], "ann")
    claimed(claims)
    ended = [jobs.add("ingest", FILES[:1], "ann") for _ in range(4)]
    for job_id in ended:
        jobs.cancel(job_id)
    queued = [jobs.add("ingest", FILES[:1], "ann") for _ in range(12)]
    listed = [job.id for job in jobs.list("ann", finished=2)]
    assert listed == [*reversed(queued), ended[3], ended[2], running]


def test_finished_jobs_are_forgotten_with_the_shared_rebuilding_and_nothing_else(
    jobs: Jobs, database: Database
) -> None:
    for kind, owner in (("ingest", "ann"), ("rebuild", ""), ("ingest", ""), ("ingest", "bob")):
        jobs.cancel(jobs.add(kind, FILES, owner))  # type: ignore[arg-type]
    waiting = jobs.add("ingest", FILES, "ann")
    jobs.delete_finished("ann")
    assert [job.id for job in jobs.list("ann")] == [waiting]
    assert [job.kind for job in jobs.list("")] == ["ingest"]
    assert len(jobs.list("bob")) == 1
    assert len(contents(database)) == 6


def test_files_are_claimed_in_order_and_forgotten_when_finished(
    jobs: Jobs, claims: Claims, database: Database
) -> None:
    job_id = jobs.add("ingest", FILES)
    first = claimed(claims)
    assert (first.name, claims.content(first)) == ("bees.md", b"Bees.")
    assert states(jobs.get(job_id)) == ["running", "running", "queued"]
    claims.finish(first, "added", document_id="uploads.bees", chunks=1)
    assert states(jobs.get(job_id)) == ["running", "added", "queued"]
    assert contents(database) == [None, b"%PDF-1.7 cats"]
    claims.finish(claimed(claims), "failed", error="No text.", hint="Scan it again.")
    job = jobs.get(job_id)
    assert states(job) == ["done", "added", "failed"]
    assert job is not None
    assert (job.files[0].document_id, job.files[0].chunks) == ("uploads.bees", 1)
    assert (job.files[1].error, job.files[1].hint) == ("No text.", "Scan it again.")
    assert contents(database) == [None, None]
    assert claims.claim() is None


def test_two_processes_never_get_the_same_file(jobs: Jobs, claims: Claims, url: str) -> None:  # noqa: F811
    jobs.add("ingest", FILES)
    jobs.add("ingest", FILES[:1])
    other = Database(url)
    assert claimed(claims).name == "bees.md"
    assert Claims(other).claim() is not None  # of the other job
    assert Claims(other).claim() is None
    assert claims.claim() is None
    other.close()


def test_progress_is_kept_while_the_claim_holds(jobs: Jobs, claims: Claims) -> None:
    job_id = jobs.add("ingest", FILES)
    claim = claimed(claims)
    assert claims.report(claim, "embedding", 32, 100)
    job = jobs.get(job_id)
    assert job is not None
    assert (job.files[0].stage, job.files[0].done, job.files[0].total) == ("embedding", 32, 100)


def test_cancelling_ends_the_claim_and_keeps_what_is_finished(
    jobs: Jobs, claims: Claims, database: Database
) -> None:
    job_id = jobs.add("ingest", [*FILES, ("dogs.md", b"Dogs.")])
    claims.finish(claimed(claims), "added")
    claim = claimed(claims)
    assert jobs.cancel(job_id)
    assert states(jobs.get(job_id)) == ["cancelled", "added", "cancelled", "cancelled"]
    assert contents(database) == [None, None, None]
    assert not claims.holds(claim)
    assert not claims.report(claim, "embedding", 1, 2)
    with pytest.raises(ClaimLost):
        claims.finish(claim, "added")
    assert not jobs.cancel(job_id)


def test_a_deleted_job_is_gone_and_so_is_the_claim(jobs: Jobs, claims: Claims) -> None:
    job_id = jobs.add("ingest", FILES)
    claim = claimed(claims)
    assert jobs.delete(job_id)
    assert jobs.get(job_id) is None
    assert not claims.holds(claim)
    with pytest.raises(ClaimLost):
        claims.content(claim)
    assert not jobs.delete(job_id)


def test_a_document_and_its_result_are_saved_together_or_not_at_all(
    jobs: Jobs, claims: Claims, database: Database
) -> None:
    job_id = jobs.add("ingest", FILES)
    claim = claimed(claims)
    with pytest.raises(KeyError), claims.holding(claim) as whole:
        Library(whole).save(Document("bees", "Bees", "t", "Bees.", "h"), [], {}, [])
        Claims(whole).finish(claim, "added", document_id="bees")
        raise KeyError
    assert (Library(database).summaries(), states(jobs.get(job_id))[1]) == ([], "running")
    with claims.holding(claim) as whole:
        Library(whole).save(Document("bees", "Bees", "t", "Bees.", "h"), [], {}, [])
        Claims(whole).finish(claim, "added", document_id="bees")
    assert [summary.id for summary in Library(database).summaries()] == ["bees"]
    assert states(jobs.get(job_id))[1] == "added"


def test_nothing_is_saved_for_a_claim_that_is_lost(jobs: Jobs, claims: Claims, database: Database) -> None:
    job_id = jobs.add("ingest", FILES)
    claim = claimed(claims)
    jobs.cancel(job_id)
    with pytest.raises(ClaimLost), claims.holding(claim) as whole:
        Library(whole).save(Document("bees", "Bees", "t", "Bees.", "h"), [], {}, [])
    assert Library(database).summaries() == []


def test_a_file_that_ends_its_reader_three_times_is_given_up(jobs: Jobs, claims: Claims) -> None:
    job_id = jobs.add("ingest", FILES)
    for attempt in (1, 2, 3):
        claim = claimed(claims)
        assert (claim.position, claim.attempts) == (0, attempt)
        claims.give_back(claim.job_id, claim.position, claim.attempts, counted=True)
    job = jobs.get(job_id)
    assert states(job) == ["queued", "failed", "queued"]
    assert job is not None
    assert job.files[0].error == "Reading this file ended the reader three times."
    assert job.files[0].hint
    assert claimed(claims).name == "cats.pdf"


def test_a_stop_of_the_server_does_not_count_against_the_file(jobs: Jobs, claims: Claims) -> None:
    jobs.add("ingest", FILES)
    for _ in range(5):
        claim = claimed(claims)
        claims.give_back(claim.job_id, claim.position, claim.attempts, counted=False)
    assert claimed(claims).attempts == 1


def test_what_a_silent_worker_had_is_queued_again_and_its_late_result_refused(
    jobs: Jobs, claims: Claims, clock: Clock
) -> None:
    job_id = jobs.add("ingest", FILES)
    late = claimed(claims)
    clock.now += SILENT / 2
    assert claims.holds(late)
    claims.keep(job_id)
    clock.now += SILENT / 2
    claims.recover()
    assert states(jobs.get(job_id))[:2] == ["running", "running"]
    clock.now += SILENT
    claims.recover()
    assert states(jobs.get(job_id))[:2] == ["queued", "queued"]
    again = claimed(claims)
    assert (again.position, again.attempts) == (0, 2)
    with pytest.raises(ClaimLost):
        claims.finish(late, "added")
    claims.finish(again, "added")


def test_a_job_whose_worker_died_between_two_files_goes_on(jobs: Jobs, claims: Claims, clock: Clock) -> None:
    job_id = jobs.add("ingest", FILES)
    claims.finish(claimed(claims), "added")
    assert not claims.waiting()
    clock.now += 2 * SILENT
    claims.recover()
    assert claims.waiting()
    assert states(jobs.get(job_id)) == ["queued", "added", "queued"]


def test_one_rebuild_is_enough(jobs: Jobs, claims: Claims) -> None:
    assert jobs.unfinished("rebuild") is None
    job_id = jobs.add("rebuild", [("All documents", b"")])
    assert jobs.unfinished("rebuild") == job_id
    claims.finish(claimed(claims), "updated")
    assert jobs.unfinished("rebuild") is None
