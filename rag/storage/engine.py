"""Owns the database: opens it, brings its schema up to date and lends connections.

SQLite before 3.51.3 can damage a file when two connections write or checkpoint at the same instant
(the WAL-reset bug). So a file has one writer at a time: one connection a process, lent under a
lock, and a locked file beside the database keeps other processes out for the length of each write.
Readers can neither write nor checkpoint, and never wait for a writer.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError

from rag.errors import ConfigurationError, StoreError
from rag.storage.migrations import migrate

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_FORMS = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME."
WAIT_S = 5.0
"""How long a write waits for its turn."""
_READERS = 8
"""SQLite connections kept open for reading; more are opened when needed, up to 64 at once."""

_CAUSES = (
    (
        ("database is locked", "database table is locked", "queuepool limit"),
        "The database {name} is busy.",
        "Try again in a moment; if it stays busy, another program may have the file open.",
    ),
    (
        ("disk is full", "no space left", "disk i/o error", "could not extend file"),
        "The database {name} can't be written: the disk is full or failing.",
        "Free some space and try again; what was saved before is still there.",
    ),
    (
        (
            "readonly database",
            "unable to open database file",
            "read-only",
            "permission denied",
            "file exists",
            "not a directory",
        ),
        "The database {name} can't be opened for writing.",
        "Check that its folder exists and that this user may write to it.",
    ),
    (
        ("not a database", "malformed"),
        "{name} is not a database or is damaged.",
        "Move the file away and restore a backup, or start without it; nothing in it was changed.",
    ),
    (
        ("connection refused", "could not translate host", "connection failed", "server closed"),
        "The database {name} can't be reached.",
        "Check that the server runs and that VIVA_DATABASE_URL is right.",
    ),
)


class Database:
    """A database at `url`, migrated to today's schema. Safe to share between threads.

    `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. Raises StoreError when it can't be
    opened, is damaged or is newer than the program, ConfigurationError when the address is wrong.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("sqlite:"):
            path = _file(url)
            self.name = str(path)
            """Where the data is, for messages; never holds a password."""
            self._writer, self._readers = _sqlite(path)
            self._turn: Callable[[], AbstractContextManager[None]] = _WriteTurns(path).take
        else:
            parsed = _server(url)
            self.name = parsed.set(username=None, password=None, query={}).render_as_string()
            self._writer, self._readers = _postgres(parsed)
            self._turn = nullcontext
        self._reading = threading.local()
        try:
            migrate(self.write)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back when it raises.

        Once the block is left without an error, the data survives a crash and a power cut. Blocks
        must not be nested. Raises StoreError when the turn to write does not come within WAIT_S, or
        the disk is full or fails.
        """
        with self._turn(), self._store_errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the data, whatever is written during the block.

        Blocks may be nested: the inner ones of the same thread see the moment of the outermost.
        """
        outer: Connection | None = getattr(self._reading, "connection", None)
        if outer is not None:
            with self._store_errors():
                yield outer
            return
        with self._store_errors(), self._readers.begin() as connection:
            self._reading.connection = connection
            try:
                yield connection
            finally:
                self._reading.connection = None

    def problems(self) -> list[str]:
        """Read the whole file and say what is damaged; empty when nothing is, or for a server."""
        if self._readers.dialect.name != "sqlite":
            return []
        with self.read() as connection:
            rows = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        found = [str(row) for row in rows if row != "ok"]
        return found + [f"a row of {table} belongs to no {parent}" for table, _, parent, _ in orphans]

    def close(self) -> None:
        """Close all connections that are not in use; those in use close when their block ends."""
        self._readers.dispose()
        self._writer.dispose()

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _store_error(error, self.name) from error


class _WriteTurns:
    """One writer at a time: among threads by a lock, among processes by a locked file."""

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._lock_file = path.with_suffix(".lock")
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold the turn for the length of the block; StoreError when it does not come within WAIT_S."""
        deadline = time.monotonic() + WAIT_S
        if not self._lock.acquire(timeout=WAIT_S):
            raise _store_error(TimeoutError("database is locked"), self._name)
        try:
            with self._open() as file:
                self._wait(file.fileno(), deadline)
                yield  # closing the file gives the turn back, and so does the end of the process
        finally:
            self._lock.release()

    def _open(self) -> IO[bytes]:
        try:
            return self._lock_file.open("ab")
        except OSError as error:
            raise _store_error(error, self._name) from error

    def _wait(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                return _try_lock(descriptor)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise _store_error(TimeoutError("database is locked"), self._name) from error
            # uneven, so that no process always comes too late
            time.sleep(random.uniform(0.001, 0.005))  # noqa: S311


def _server(url: str) -> URL:
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise _unusable("The address of the database is not valid.") from None
    if parsed.get_backend_name() != "postgresql":
        raise _unusable(f"{parsed.drivername} databases can't be used.")
    return parsed


def _file(url: str) -> Path:
    """Return the path in a SQLite address as it is: a folder's name may hold a question mark."""
    path = url.removeprefix("sqlite:///")
    if path in ("", ":memory:", url):
        raise _unusable("A database in memory would lose everything at the end.")
    return Path(path)


def _unusable(message: str) -> ConfigurationError:
    return ConfigurationError(message, hint=f"Set VIVA_DATABASE_URL to {_FORMS}")


def _sqlite(path: Path) -> tuple[Engine, Engine]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _store_error(error, str(path)) from error
    writer = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, "rwc"),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )
    readers = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, "ro"),
        poolclass=QueuePool,
        pool_size=_READERS,
        max_overflow=64 - _READERS,
        pool_timeout=WAIT_S,
        hide_parameters=True,
    )
    event.listen(writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(readers, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return writer, readers


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if mode == "ro":
            connection.execute("PRAGMA wal_autocheckpoint=0")
            return connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is gone from the file too
        return connection
    except sqlite3.Error:
        connection.close()
        raise


def _postgres(url: URL) -> tuple[Engine, Engine]:
    try:
        engine = create_engine(url, pool_pre_ping=True, pool_size=10, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Postgres needs the package {error.name}, which is not installed.",
            hint='Run `pip install "psycopg[binary]"`.',
        ) from None
    readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine, readers


def _store_error(error: Exception, name: str) -> StoreError:
    cause = error.orig if isinstance(error, StatementError) else error
    words = f"{cause}".lower()
    for fragments, message, hint in _CAUSES:
        if any(fragment in words for fragment in fragments):
            found = StoreError(message.format(name=name), hint=hint)
            found.retryable = "busy" in message
            return found
    return StoreError(
        f"The database {name} refused a request ({type(cause).__name__}).",
        hint="Run `python -m rag doctor` to check it.",
    )
