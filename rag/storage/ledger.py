"""The ledger of model calls: a row before each call, settled after it, so nothing is uncounted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from rag.errors import StoreError
from rag.storage.engine import Database
from rag.storage.tables import calls
from rag.types import Usage

Status = Literal["open", "completed", "interrupted", "failed"]

_ERROR_LENGTH = 300

_UNKNOWN = Usage(estimated=True)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A model call that is about to be made."""

    trace_id: str
    """Of the answer it belongs to."""
    purpose: str
    """E.g. "answer", "condense" or "grade"."""
    provider: str
    model: str
    expected: Usage = _UNKNOWN
    """What it will use at most or about; counts until it is settled, and for good after a crash."""


@dataclass(frozen=True, slots=True)
class Call:
    """A row of the ledger."""

    id: str
    trace_id: str
    purpose: str
    provider: str
    model: str
    status: Status
    usage: Usage
    """Of an open call: what was expected."""
    ms: float
    """From sending the request to the last byte; 0 while open and after a crash."""
    error: str
    started_at: datetime
    settled_at: datetime | None
    """None while the call is open."""


@dataclass(frozen=True, slots=True)
class Total:
    """All calls of one model added up."""

    provider: str
    model: str
    calls: int = 0
    failed: int = 0
    interrupted: int = 0
    estimated: int = 0
    """Calls whose tokens the provider did not report."""
    unpriced: int = 0
    """Calls whose price is unknown; they are not in `cost_usd`."""
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    ms: float = 0
    """Of all settled calls together."""


class Ledger:
    """Records model calls with tokens, cost, time and outcome. Every method is one transaction."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    def open(self, record: CallRecord) -> str:
        """Write a call down before it is made and return its id."""
        call_id = self._new_id()
        row = {
            "id": call_id,
            "trace_id": record.trace_id,
            "purpose": record.purpose,
            "provider": record.provider,
            "model": record.model,
            "status": "open",
            "ms": 0.0,
            "error": "",
            "started_at": self._clock(),
        }
        with self._database.write() as connection:
            connection.execute(insert(calls), row | _columns(record.expected))
        return call_id

    def settle(
        self,
        call_id: str,
        status: Literal["completed", "interrupted", "failed"],
        usage: Usage,
        ms: float,
        error: str = "",
    ) -> None:
        """Write down how a call ended; may be repeated, the last word counts.

        error: what kind of failure, never a prompt or a provider's response. Raises StoreError for
        an unknown call.
        """
        values = {
            "status": status,
            "ms": ms,
            "error": error[:_ERROR_LENGTH],
            "settled_at": self._clock(),
        }
        change = update(calls).where(calls.c.id == call_id).values(values | _columns(usage))
        with self._database.write() as connection:
            if not connection.execute(change).rowcount:
                raise StoreError(f"There is no model call {call_id} in the ledger.")

    def close_open(self) -> int:
        """Mark calls that a crash left open as interrupted and estimated; return their number.

        A call that another process is still making is settled by it afterwards, which then counts.
        """
        change = update(calls).where(calls.c.status == "open")
        with self._database.write() as connection:
            return connection.execute(
                change.values(status="interrupted", estimated=True, settled_at=self._clock())
            ).rowcount

    def calls(self, limit: int = 100) -> list[Call]:
        """Return the last calls, newest first."""
        query = select(calls).order_by(calls.c.started_at.desc(), calls.c.id).limit(limit)
        with self._database.read() as connection:
            return [_call(row) for row in connection.execute(query)]

    def totals(self, since: datetime) -> list[Total]:
        """Add up the calls started at or after `since` by provider and model, in that order."""
        query = select(calls).where(calls.c.started_at >= since)
        found: dict[tuple[str, str], Total] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                model = (row.provider, row.model)
                found[model] = _plus(found.get(model, Total(*model)), row)
        return [found[model] for model in sorted(found)]

    def spent_usd(self, since: datetime) -> Decimal:
        """Return the known cost of the calls since then, open ones with what they may cost."""
        query = select(calls.c.cost_usd).where(calls.c.started_at >= since, calls.c.cost_usd.is_not(None))
        with self._database.read() as connection:
            return sum(connection.scalars(query), Decimal(0))

    def spent_on(self, trace_id: str) -> Usage:
        """Return what all calls of one trace used together, open ones with what they may use.

        `cost_usd` adds up the known prices: zero without a call, None when no call has one. `estimated` is
        True when any count is, and when only some of the prices are known.
        """
        query = select(calls).where(calls.c.trace_id == trace_id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        costs = [row.cost_usd for row in rows if row.cost_usd is not None]
        return Usage(
            sum(row.input_tokens for row in rows),
            sum(row.cached_input_tokens for row in rows),
            sum(row.output_tokens for row in rows),
            None if rows and not costs else sum(costs, Decimal(0)),
            0 < len(costs) < len(rows) or any(row.estimated for row in rows),
        )


def _columns(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost_usd,
        "estimated": usage.estimated,
    }


def _call(row: Row[Any]) -> Call:
    usage = Usage(row.input_tokens, row.cached_input_tokens, row.output_tokens, row.cost_usd, row.estimated)
    return Call(
        row.id,
        row.trace_id,
        row.purpose,
        row.provider,
        row.model,
        row.status,
        usage,
        row.ms,
        row.error,
        row.started_at,
        row.settled_at,
    )


def _plus(total: Total, row: Row[Any]) -> Total:
    return Total(
        provider=total.provider,
        model=total.model,
        calls=total.calls + 1,
        failed=total.failed + (row.status == "failed"),
        interrupted=total.interrupted + (row.status == "interrupted"),
        estimated=total.estimated + row.estimated,
        unpriced=total.unpriced + (row.cost_usd is None),
        input_tokens=total.input_tokens + row.input_tokens,
        cached_input_tokens=total.cached_input_tokens + row.cached_input_tokens,
        output_tokens=total.output_tokens + row.output_tokens,
        cost_usd=total.cost_usd + (row.cost_usd or 0),
        ms=total.ms + row.ms,
    )
