"""Keeps the jobs that work in the background: uploaded files, how far each is, and what became of it.

People add, watch and cancel them here; `claims` is what the workers use.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, true, update

from rag.storage.engine import Database
from rag.storage.tables import job_files, jobs

JobKind = Literal["ingest", "rebuild"]
JobState = Literal["queued", "running", "done", "cancelled"]
FileState = Literal["queued", "running", "added", "updated", "unchanged", "failed", "cancelled"]
FileStage = Literal["", "reading", "cutting", "embedding", "saving"]

_OPEN = ("queued", "running")
_NEWEST = (jobs.c.created_at.desc(), jobs.c.id)


@dataclass(frozen=True, slots=True)
class JobFile:
    """One file of a job, and how far it is."""

    position: int
    """0-based place in the upload."""
    name: str
    size: int
    """Bytes as uploaded."""
    state: FileState
    stage: FileStage = ""
    """What is being done while it is running; the last thing that was done afterwards."""
    done: int = 0
    """Windows embedded so far; of a rebuild: documents."""
    total: int = 0
    """0: not known yet."""
    attempts: int = 0
    document_id: str = ""
    """The document it became, or that is the same file already; empty before that is known."""
    chunks: int = 0
    error: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Files that were handed over together."""

    id: str
    kind: JobKind
    owner: str
    """Who may see it; empty: everybody."""
    state: JobState
    created_at: datetime
    updated_at: datetime
    """When a worker last gave a sign of life, or something changed."""
    files: tuple[JobFile, ...]


_Jobs = list[Job]


class Jobs:
    """Stores jobs. Every method is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def add(self, kind: JobKind, files: Sequence[tuple[str, bytes]], owner: str = "") -> str:
        """Queue a job of files given as (name, content); return its id."""
        job_id, now = uuid.uuid4().hex[:16], self._clock()
        row = {"id": job_id, "kind": kind, "owner": owner, "state": "queued"}
        with self._database.write() as connection:
            connection.execute(insert(jobs), {**row, "created_at": now, "updated_at": now})
            for position, (name, content) in enumerate(files):
                connection.execute(insert(job_files), _file_row(job_id, position, name, content))
            settle(connection, job_id, now)
        return job_id

    def get(self, job_id: str) -> Job | None:
        """Return a job; None when there is none with this id."""
        found = self._found(jobs.c.id == job_id)
        return found[0] if found else None

    def list(self, owner: str | None = None, finished: int = 10) -> _Jobs:
        """Return the jobs of one owner, or of all for None, the newest first.

        These are all that are not finished, and the newest `finished` of the others.
        """
        owned = jobs.c.owner == owner if owner is not None else true()
        ended = select(jobs.c.id).where(owned, jobs.c.state.not_in(_OPEN)).order_by(*_NEWEST).limit(finished)
        return self._found(and_(owned, or_(jobs.c.state.in_(_OPEN), jobs.c.id.in_(ended))))

    def cancel(self, job_id: str) -> bool:
        """Cancel every file that is not finished, also the running one; False when all are finished.

        What is being read is not saved any more; its worker notices within a second or so.
        """
        unfinished = and_(job_files.c.job_id == job_id, job_files.c.state.in_(_OPEN))
        with self._database.write() as connection:
            cancelled = update(job_files).where(unfinished).values(state="cancelled", content=None)
            if not connection.execute(cancelled).rowcount:
                return False
            settle(connection, job_id, self._clock())
            return True

    def delete(self, job_id: str) -> bool:
        """Forget a job with its uploaded files; False when there is none with this id.

        Documents that came of it stay. A file that is being read is not saved any more.
        """
        with self._database.write() as connection:
            return bool(connection.execute(delete(jobs).where(jobs.c.id == job_id)).rowcount)

    def delete_finished(self, owner: str) -> None:
        """Forget the finished jobs that `owner` sees: their own, and rebuilding, which belongs to everybody.

        Documents that came of them stay.
        """
        shared = and_(jobs.c.owner == "", jobs.c.kind == "rebuild")
        seen = and_(jobs.c.state.not_in(_OPEN), or_(jobs.c.owner == owner, shared))
        with self._database.write() as connection:
            connection.execute(delete(jobs).where(seen))

    def unfinished(self, kind: JobKind) -> str | None:
        """Return the id of the oldest job of this kind that is not finished; None without one."""
        query = select(jobs.c.id).where(jobs.c.kind == kind, jobs.c.state.in_(_OPEN))
        with self._database.read() as connection:
            return connection.scalar(query.order_by(jobs.c.created_at).limit(1))

    def _found(self, condition: ColumnElement[bool]) -> _Jobs:
        chosen = select(jobs).where(condition).order_by(*_NEWEST)
        columns = [column for column in job_files.c if column.name != "content"]
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
            of_these = select(*columns).where(job_files.c.job_id.in_([row.id for row in rows]))
            files: dict[str, list[JobFile]] = {row.id: [] for row in rows}
            for job_id, *values in connection.execute(of_these.order_by(job_files.c.position)):
                files[job_id].append(JobFile(*values))
        return [_job(row, files[row.id]) for row in rows]


def _file_row(job_id: str, position: int, name: str, content: bytes) -> dict[str, Any]:
    nothing_yet = {"stage": "", "done": 0, "total": 0, "attempts": 0}
    nothing_said = {"document_id": "", "chunks": 0, "error": "", "hint": ""}
    row = {"job_id": job_id, "position": position, "name": name, "size": len(content)}
    return {**row, "content": content, "state": "queued", **nothing_yet, **nothing_said}


def _job(row: Row[*tuple[Any, ...]], files: Sequence[JobFile]) -> Job:
    return Job(row.id, row.kind, row.owner, row.state, row.created_at, row.updated_at, tuple(files))


def settle(connection: Connection, job_id: str, now: datetime, *, goes_on: bool = False) -> None:
    """Let a job's state follow from its files'; `goes_on`: its worker takes the next file at once."""
    states = select(job_files.c.state).where(job_files.c.job_id == job_id).distinct()
    found = set(connection.scalars(states))
    state: JobState = "cancelled" if "cancelled" in found else "done"
    if "running" in found or ("queued" in found and goes_on):
        state = "running"
    elif "queued" in found:
        state = "queued"
    set_state(connection, job_id, state, now)


def set_state(connection: Connection, job_id: str, state: JobState, now: datetime) -> None:
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(state=state, updated_at=now))
