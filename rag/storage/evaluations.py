"""Evaluation runs with the result of every question, and the test cases that readers made of answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, insert, select, update

from rag.errors import StoreError
from rag.storage.engine import Database
from rag.storage.tables import evaluation_results, evaluation_runs, test_cases

Json = dict[str, Any]
State = Literal["running", "done", "failed", "interrupted"]

_DIED = "The program ended before the run was finished."


@dataclass(frozen=True, slots=True)
class Run:
    """One pass over a set of golden questions."""

    id: str
    name: str
    """Of the set."""
    state: State
    config: Json
    """What was measured: who answered, how passages were found, which questions and documents."""
    metrics: Json | None
    """None until the run is done."""
    done: int
    """Questions asked so far."""
    total: int
    error: str
    """Why it failed or was interrupted, for people."""
    started_at: datetime
    finished_at: datetime | None
    owner: str
    """Who started it; empty: nobody in particular, such as the command line."""


@dataclass(frozen=True, slots=True)
class TestCase:
    """A golden question that a reader made of an answer."""

    __test__ = False  # a class of tests to pytest otherwise

    id: str
    answer_id: str
    """Of the answer that was judged; it may be deleted by now."""
    item: Json
    created_at: datetime
    owner: str
    """Who made it; empty where there is no login."""


_Runs = list[Run]
_Cases = list[TestCase]
_Results = list[Json]


class Evaluations:
    """Stores runs as they happen, question by question. Every method is one transaction.

    A run is listed for its owner alone, like a conversation. That holds for runs of nobody, too: the command
    line measures test cases and files of its own, and their questions are not for everybody who logs in.

    Methods that change a run raise StoreError when it was deleted.
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

    def start(self, name: str, config: Json, total: int, owner: str = "") -> str:
        """Write down that a run over `total` questions begins, and return its id."""
        run_id = self._new_id()
        row = {
            "id": run_id,
            "name": name,
            "state": "running",
            "config": config,
            "done": 0,
            "total": total,
            "error": "",
            "started_at": self._clock(),
            "owner": owner,
        }
        with self._database.write() as connection:
            connection.execute(insert(evaluation_runs), row)
        return run_id

    def result(self, run_id: str, position: int, item_id: str, result: Json) -> None:
        """Store what one question brought; `position` counts from 0."""
        row = {"run_id": run_id, "position": position, "item_id": item_id, "result": result}
        self._change(run_id, {"done": position + 1}, row)

    def finish(self, run_id: str, metrics: Json) -> None:
        """Mark a run as done, whatever it was held for meanwhile."""
        self._end(run_id, "done", "", metrics)

    def fail(self, run_id: str, error: str) -> None:
        """Mark a run as failed; `error` says why, for people."""
        self._end(run_id, "failed", error, None)

    def interrupt(self, run_id: str, reason: str) -> None:
        """Mark a run as interrupted; the results so far stay."""
        self._end(run_id, "interrupted", reason, None)

    def close_open(self) -> int:
        """Mark runs that a crash left open as interrupted; return their number.

        One that another process is still at is finished by it afterwards, which then counts.
        """
        change = update(evaluation_runs).where(evaluation_runs.c.state == "running")
        with self._database.write() as connection:
            return connection.execute(
                change.values(state="interrupted", error=_DIED, finished_at=self._clock())
            ).rowcount

    def get(self, run_id: str) -> Run | None:
        """Return a run; None when there is none with this id."""
        with self._database.read() as connection:
            row = connection.execute(
                select(evaluation_runs).where(evaluation_runs.c.id == run_id)
            ).one_or_none()
        return None if row is None else _run(row)

    def list(self, limit: int = 50, owner: str = "") -> _Runs:
        """Return the last runs of `owner`, newest first."""
        table = evaluation_runs
        newest = (table.c.started_at.desc(), table.c.id)
        query = select(table).where(table.c.owner == owner).order_by(*newest).limit(limit)
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def results(self, run_id: str) -> _Results:
        """Return the stored results of a run in the order of its questions."""
        table = evaluation_results
        query = select(table.c.result).where(table.c.run_id == run_id).order_by(table.c.position)
        with self._database.read() as connection:
            return [*connection.scalars(query)]

    def delete(self, run_id: str, owner: str = "") -> None:
        """Delete a run of `owner` with its results; nothing happens when there is none."""
        table = evaluation_runs
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.id == run_id, table.c.owner == owner))

    def _end(self, run_id: str, state: State, error: str, metrics: Json | None) -> None:
        self._change(
            run_id, {"state": state, "error": error, "metrics": metrics, "finished_at": self._clock()}
        )

    def _change(self, run_id: str, values: Json, result: Json | None = None) -> None:
        change = update(evaluation_runs).where(evaluation_runs.c.id == run_id)
        with self._database.write() as connection:
            if not connection.execute(change.values(values)).rowcount:
                raise StoreError("This evaluation run is no longer there.", hint="Start a new one.")
            if result is not None:
                connection.execute(insert(evaluation_results), result)


class TestCases:
    """Stores golden questions that readers made of answers; each is its owner's alone."""

    __test__ = False

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def add(self, answer_id: str, item: Json, owner: str = "") -> str:
        """Store a golden question and return its id."""
        case_id = self._new_id()
        row = {"id": case_id, "answer_id": answer_id, "item": item, "created_at": self._clock()}
        row["owner"] = owner
        with self._database.write() as connection:
            connection.execute(insert(test_cases), row)
        return case_id

    def list(self, owner: str = "") -> _Cases:
        """Return the test cases of `owner`, newest first."""
        table = test_cases
        query = select(table.c.id, table.c.answer_id, table.c.item, table.c.created_at, table.c.owner)
        newest = (table.c.created_at.desc(), table.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query.where(table.c.owner == owner).order_by(*newest))
            return [TestCase(*row) for row in rows]

    def delete(self, case_id: str, owner: str = "") -> None:
        """Delete a test case of `owner`; nothing happens when there is none."""
        table = test_cases
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.id == case_id, table.c.owner == owner))


def _run(row: Row[Any]) -> Run:
    return Run(
        row.id,
        row.name,
        row.state,
        row.config,
        row.metrics,
        row.done,
        row.total,
        row.error,
        row.started_at,
        row.finished_at,
        row.owner,
    )
