"""Runs that write questions with a model: what was asked for, how far they are, what each gate dropped."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from rag.errors import StoreError
from rag.storage.engine import Database
from rag.storage.quiz_tables import generations

Json = dict[str, Any]
State = Literal["running", "done", "failed", "interrupted"]

_DIED = "The program ended before the run was finished."


@dataclass(frozen=True, slots=True)
class GenerationRun:
    """One attempt to write questions on some documents."""

    id: str
    """Also the trace id of its model calls in the ledger, and the batch of its questions."""
    owner: str
    state: State
    config: Json
    """documents (ids), n, kind, provider and model."""
    yields: dict[str, int]
    """drafted, kept, and for each gate how many drafts it dropped: drafted is the sum of all others."""
    done: int
    """Wanted questions that are settled: kept, or given up after three drafts."""
    total: int
    """Wanted questions."""
    error: str
    """Why it failed or was interrupted, for people."""
    started_at: datetime
    finished_at: datetime | None


class Generations:
    """Stores runs as they happen. Every method is one transaction.

    Methods that change a run raise StoreError when there is none with this id.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def start(self, owner: str, config: Json, total: int) -> str:
        """Write down that a run for `total` questions begins, and return its id."""
        run_id = self._new_id()
        row = {
            "id": run_id,
            "owner": owner,
            "state": "running",
            "config": config,
            "yields": {"drafted": 0, "kept": 0},
            "done": 0,
            "total": total,
            "error": "",
            "started_at": self._clock(),
        }
        with self._database.write() as connection:
            connection.execute(insert(generations), row)
        return run_id

    def progress(self, run_id: str, yields: Mapping[str, int], done: int) -> None:
        """Store what became of the drafts so far."""
        self._change(run_id, {"yields": dict(yields), "done": done})

    def finish(self, run_id: str) -> None:
        """Mark a run as done, whatever it was held for meanwhile."""
        self._end(run_id, "done", "")

    def fail(self, run_id: str, error: str) -> None:
        """Mark a run as failed; `error` says why, for people. What it kept stays."""
        self._end(run_id, "failed", error)

    def interrupt(self, run_id: str, reason: str) -> None:
        """Mark a run as interrupted; what it kept stays."""
        self._end(run_id, "interrupted", reason)

    def close_open(self) -> int:
        """Mark runs that a crash left open as interrupted; return their number.

        One that another process is still at is finished by it afterwards, which then counts.
        """
        change = update(generations).where(generations.c.state == "running")
        with self._database.write() as connection:
            return connection.execute(
                change.values(state="interrupted", error=_DIED, finished_at=self._clock())
            ).rowcount

    def get(self, run_id: str) -> GenerationRun | None:
        """Return a run; None when there is none with this id."""
        with self._database.read() as connection:
            row = connection.execute(select(generations).where(generations.c.id == run_id)).one_or_none()
        return None if row is None else _run(row)

    def list(self, owner: str, limit: int = 20) -> list[GenerationRun]:
        """Return the last runs of one person, newest first."""
        query = (
            select(generations)
            .where(generations.c.owner == owner)
            .order_by(generations.c.started_at.desc(), generations.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def _end(self, run_id: str, state: State, error: str) -> None:
        self._change(run_id, {"state": state, "error": error, "finished_at": self._clock()})

    def _change(self, run_id: str, values: Json) -> None:
        with self._database.write() as connection:
            change = update(generations).where(generations.c.id == run_id).values(values)
            if not connection.execute(change).rowcount:
                raise StoreError("This run is no longer there.", hint="Start a new one.")


def _run(row: Row[Any]) -> GenerationRun:
    return GenerationRun(
        row.id,
        row.owner,
        row.state,
        row.config,
        row.yields,
        row.done,
        row.total,
        row.error,
        row.started_at,
        row.finished_at,
    )
