"""Lends the files of the jobs to workers, one file to one worker at a time.

A claim is lost when someone cancels or deletes the job, or when its worker was silent for so long that
another may take over; whatever the worker then still writes is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from rag.storage.engine import Database
from rag.storage.jobs import FileStage, JobKind, set_state, settle
from rag.storage.tables import job_files, jobs

Outcome = Literal["added", "updated", "unchanged", "failed"]

ATTEMPTS = 3
"""How often a file may end its reader before it is given up."""
SILENT = timedelta(seconds=15)
"""A worker that has not been heard of for so long is taken for dead."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to one file, until it finishes it or loses it."""

    job_id: str
    position: int
    attempts: int
    """How many workers have begun this file, this one included."""
    kind: JobKind
    owner: str
    name: str
    created_at: datetime
    """When the job was created."""


class ClaimLost(Exception):
    """The file was cancelled, or another worker has taken it over."""


class Claims:
    """Claims on the files of all jobs. Every method is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def waiting(self) -> bool:
        """Tell whether there is a job that no worker is at."""
        with self._database.read() as connection:
            return connection.execute(select(jobs.c.id).where(jobs.c.state == "queued")).first() is not None

    def claim(self) -> Claim | None:
        """Give the caller the next queued file, oldest job first; None when there is none.

        A job of which another worker has a file waits, so that each job's sign of life is of one worker.
        """
        running = job_files.alias()
        query = (
            select(
                job_files.c.job_id,
                job_files.c.position,
                (job_files.c.attempts + 1).label("attempts"),
                jobs.c.kind,
                jobs.c.owner,
                job_files.c.name,
                jobs.c.created_at,
            )
            .join(jobs, jobs.c.id == job_files.c.job_id)
            .where(
                jobs.c.state.in_(("queued", "running")),
                job_files.c.state == "queued",
                ~exists().where(running.c.job_id == jobs.c.id, running.c.state == "running"),
            )
            .order_by(jobs.c.created_at, jobs.c.id, job_files.c.position)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            claim = Claim(*row)
            connection.execute(
                update(job_files)
                .where(_place(claim.job_id, claim.position))
                .values(state="running", attempts=claim.attempts, stage="reading", done=0, total=0)
            )
            set_state(connection, claim.job_id, "running", self._clock())
            return claim

    def content(self, claim: Claim) -> bytes:
        """Return the bytes of a claimed file. Raises ClaimLost."""
        with self._database.read() as connection:
            row = connection.execute(select(job_files.c.content).where(_held(claim))).one_or_none()
        if row is None or row.content is None:
            raise ClaimLost
        return bytes(row.content)

    def report(self, claim: Claim, stage: FileStage, done: int, total: int) -> bool:
        """Store how far a file is, as a sign of life too; False when the claim is lost."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(job_files).where(_held(claim)).values(stage=stage, done=done, total=total)
            )
            if changed.rowcount:
                _touch(connection, claim.job_id, self._clock())
            return bool(changed.rowcount)

    def holds(self, claim: Claim) -> bool:
        """Tell whether the file is still the worker's."""
        with self._database.read() as connection:
            return connection.execute(select(job_files.c.position).where(_held(claim))).first() is not None

    def keep(self, job_id: str) -> None:
        """Give a sign of life of the worker that is at a job."""
        with self._database.write() as connection:
            _touch(connection, job_id, self._clock())

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[Database]:
        """A transaction during which the claim holds; yields the database as this transaction sees it.

        What Library and Claims write through it is saved together or not at all. Raises ClaimLost.
        """
        held = select(job_files.c.position).where(_held(claim)).with_for_update()
        with self._database.write() as connection:
            if connection.execute(held).first() is None:
                raise ClaimLost
            yield _OneTransaction(self._database.name, connection)

    def finish(self, claim: Claim, state: Outcome, **values: str | int) -> None:
        """Store what became of a file, with whatever else of JobFile changes. Raises ClaimLost."""
        result = {"state": state, "content": None, **values}
        with self._database.write() as connection:
            if not connection.execute(update(job_files).where(_held(claim)).values(result)).rowcount:
                raise ClaimLost
            settle(connection, claim.job_id, self._clock(), goes_on=True)

    def give_back(self, job_id: str, position: int, attempts: int, *, counted: bool) -> None:
        """Queue the file of a worker that is gone, or give it up if it ended its reader too often.

        Nothing happens to a file whose claim was lost or that is finished. counted: the file may be what
        ended the worker.
        """
        with self._database.write() as connection:
            _requeue(connection, job_id, position, attempts, counted)
            settle(connection, job_id, self._clock())

    def recover(self) -> None:
        """Queue the jobs of workers that have been silent for too long."""
        silent = select(jobs.c.id).where(
            jobs.c.state == "running", jobs.c.updated_at < self._clock() - SILENT
        )
        with self._database.read() as connection:
            if connection.execute(silent).first() is None:
                return
        with self._database.write() as connection:
            for job_id in connection.scalars(silent.with_for_update()).all():
                running = select(job_files.c.position, job_files.c.attempts).where(
                    job_files.c.job_id == job_id, job_files.c.state == "running"
                )
                for position, attempts in connection.execute(running).all():
                    _requeue(connection, job_id, position, attempts, counted=True)
                settle(connection, job_id, self._clock())


class _OneTransaction(Database):
    """The database as a transaction sees it that is open already: its blocks end with that one."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield the connection of the transaction."""
        yield self._connection

    read = write


def _place(job_id: str, position: int) -> ColumnElement[bool]:
    return and_(job_files.c.job_id == job_id, job_files.c.position == position)


def _held(claim: Claim) -> ColumnElement[bool]:
    """Return the condition that a claim still holds: every new claim of the file counts one attempt more."""
    return and_(
        _place(claim.job_id, claim.position),
        job_files.c.state == "running",
        job_files.c.attempts == claim.attempts,
    )


def _requeue(connection: Connection, job_id: str, position: int, attempts: int, counted: bool) -> None:
    values: dict[str, Any] = {"state": "queued", "stage": "", "done": 0, "total": 0}
    if not counted:
        values["attempts"] = attempts - 1
    elif attempts >= ATTEMPTS:
        values = {
            "state": "failed",
            "content": None,
            "error": "Reading this file ended the reader three times.",
            "hint": "Save it in another format or in smaller parts, and upload it again.",
        }
    held = and_(_place(job_id, position), job_files.c.state == "running", job_files.c.attempts == attempts)
    connection.execute(update(job_files).where(held).values(values))


def _touch(connection: Connection, job_id: str, now: datetime) -> None:
    is_worked_on = and_(jobs.c.id == job_id, jobs.c.state == "running")
    connection.execute(update(jobs).where(is_worked_on).values(updated_at=now))
