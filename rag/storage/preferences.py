"""Keeps what people chose for the whole installation, by name, in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from rag.storage.engine import Database
from rag.storage.tables import preferences

Json = dict[str, Any]


class Preferences:
    """JSON objects by name. What one process sets, all read at once."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def get(self, name: str) -> Json | None:
        """Return what was set under this name; None when nothing is."""
        with self._database.read() as connection:
            found: Json | None = connection.scalar(
                select(preferences.c.value).where(preferences.c.name == name)
            )
            return found

    def set(self, name: str, value: Json) -> None:
        """Store `value` in place of what the name had before."""
        values = {"value": value, "updated_at": self._clock()}
        with self._database.write() as connection:
            known = update(preferences).where(preferences.c.name == name).values(**values)
            if not connection.execute(known).rowcount:
                connection.execute(insert(preferences).values(name=name, **values))

    def clear(self, name: str) -> None:
        """Forget what the name had."""
        with self._database.write() as connection:
            connection.execute(delete(preferences).where(preferences.c.name == name))
