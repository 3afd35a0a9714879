"""How a SQLite database is opened, shared between threads and processes, and how its failures read."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from rag.errors import ConfigurationError, StoreError
from rag.storage import engine
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.migrations import MIGRATIONS, migrate
from rag.storage.tables import calls, conversations, schema_version

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "viva.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{file}")
    yield database
    database.close()


def row(conversation_id: str) -> dict[str, object]:
    return {
        "id": conversation_id,
        "title": "",
        "title_folded": "",
        "created_at": NOW,
        "updated_at": NOW,
    }


def ids(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(conversations.c.id).order_by(conversations.c.id)))


# Opening


def test_missing_folders_are_made(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'a' / 'b c?#%' / 'viva.db'}").close()
    assert (tmp_path / "a" / "b c?#%" / "viva.db").is_file()


def test_the_file_is_set_up_for_durable_writes_beside_reads(database: Database) -> None:
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_readers_never_checkpoint(database: Database) -> None:
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
        with pytest.raises(StoreError), database.read() as same:
            same.exec_driver_sql("CREATE TABLE x (y)")


def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path) -> None:
    file.write_text("Dear diary, " * 500)
    with pytest.raises(StoreError, match=r"viva\.db is not a database") as caught:
        Database(f"sqlite:///{file}")
    assert "Move the file away and restore a backup" in caught.value.hint
    assert file.read_text() == "Dear diary, " * 500


def test_a_damaged_database_is_refused_and_left_alone(file: Path) -> None:
    Database(f"sqlite:///{file}").close()
    damaged = file.read_bytes()[:100] + b"\xff" * 8_000 + file.read_bytes()[8_100:]
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match="is damaged"):
        Database(f"sqlite:///{file}")
    assert file.read_bytes() == damaged


def test_damage_inside_the_file_is_found_by_a_check(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    Conversations(database, lambda: NOW).create("x" * 30_000)
    assert database.problems() == []
    database.close()
    whole = bytearray(file.read_bytes())
    whole[-4096:-4092] = b"\xff\xff\xff\xff"  # a page number in the last page of the long title
    file.write_bytes(whole)
    damaged = Database(f"sqlite:///{file}")
    assert damaged.problems() != []
    damaged.close()


def test_the_database_of_another_program_is_left_alone(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.commit()
    other.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        Database(f"sqlite:///{file}")
    after = sqlite3.connect(file)
    assert after.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    after.close()
    assert len(file.read_bytes()) == len(before)


def test_a_database_from_a_newer_program_is_refused(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.execute(insert(schema_version), {"version": 99, "applied_at": NOW})
    database.close()
    with pytest.raises(StoreError, match="version 99, newer than this program") as caught:
        Database(f"sqlite:///{file}")
    assert "newer version of Viva" in caught.value.hint


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "viva.db", ""])
def test_an_address_that_can_not_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url)
    assert "VIVA_DATABASE_URL" in caught.value.hint


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError, match=r"data/viva\.db can't be opened for writing"):
        Database(f"sqlite:///{tmp_path / 'data' / 'viva.db'}")


def test_a_database_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "viva.db").mkdir()
    with pytest.raises(StoreError, match="can't be opened for writing"):
        Database(f"sqlite:///{tmp_path / 'viva.db'}")


def test_the_name_of_a_server_shows_no_password() -> None:
    pytest.importorskip("psycopg", reason="needs psycopg[binary]")
    with pytest.raises(StoreError, match="can't be reached") as caught:
        Database("postgres://me:s3cret@127.0.0.1:1/viva")
    assert "127.0.0.1:1/viva" in str(caught.value)
    assert "s3cret" not in str(caught.value) + caught.value.hint


# Migrations


def test_migrations_apply_once_and_in_order(database: Database) -> None:
    applied: list[str] = []
    steps = [*MIGRATIONS, lambda _: applied.append("second"), lambda _: applied.append("third")]
    assert migrate(database.write, steps) == len(MIGRATIONS)
    assert migrate(database.write, steps) == len(steps)
    assert applied == ["second", "third"]


def test_a_migration_that_fails_leaves_the_version_before_it(database: Database) -> None:
    def half(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x TEXT)")
        raise RuntimeError

    versions = list(range(1, len(MIGRATIONS) + 1))
    with pytest.raises(RuntimeError):
        migrate(database.write, [*MIGRATIONS, half])
    with database.read() as connection:
        assert connection.execute(select(schema_version.c.version)).scalars().all() == versions
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert "half" not in tables


def test_programs_that_start_at_once_migrate_once(file: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        opened = [pool.submit(Database, f"sqlite:///{file}") for _ in range(6)]
        databases = [future.result() for future in opened]
    assert ids(databases[0]) == []
    for database in databases:
        database.close()


# Writing and reading at once


def test_a_read_does_not_wait_for_a_write(database: Database) -> None:
    with database.write() as writing:
        writing.execute(insert(conversations), row("a"))
        with ThreadPoolExecutor(1) as pool:
            started = time.perf_counter()
            assert pool.submit(ids, database).result() == []
            assert time.perf_counter() - started < 1
    assert ids(database) == ["a"]


def test_a_new_reader_does_not_wait_for_a_write(file: Path, database: Database) -> None:
    with database.write() as writing:
        writing.execute(insert(conversations), row("a"))
        with ThreadPoolExecutor(20) as pool:
            for future in [pool.submit(ids, database) for _ in range(20)]:
                assert future.result(timeout=4) == []


def test_a_write_waits_for_the_one_before_it(database: Database) -> None:
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with database.write() as connection:
            connection.execute(insert(conversations), row("b"))

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with database.write() as connection:
            inside.set()
            time.sleep(0.05)
            assert not waiting.done()
            connection.execute(insert(conversations), row("a"))
        waiting.result()
    assert ids(database) == ["a", "b"]


def test_a_write_that_gets_no_turn_says_that_the_database_is_busy(
    file: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_S", 0.05)
    with file.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="is busy") as caught, database.write():
            pass
        assert caught.value.retryable
        assert ids(database) == []
    with database.write() as connection:
        connection.execute(insert(conversations), row("a"))


def test_a_foreign_program_that_writes_makes_the_database_busy(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_S", 0.05)
    database = Database(f"sqlite:///{file}")
    foreign = sqlite3.connect(file, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="is busy"), database.write():
        pass
    foreign.execute("ROLLBACK")
    foreign.close()
    with database.write() as connection:
        connection.execute(insert(conversations), row("a"))
    database.close()


def test_a_full_disk_loses_nothing_and_reads_go_on(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(conversations), row("a"))
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="the disk is full"), database.write() as connection:
        connection.execute(insert(conversations), row("b") | {"title": "x" * 100_000})
    assert ids(database) == ["a"]
    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        connection.execute(insert(conversations), row("c"))
    assert ids(database) == ["a", "c"]
    assert database.problems() == []


def test_errors_hold_no_stored_text(database: Database) -> None:
    secret = row("a") | {"title": "a secret question"}
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(insert(conversations), [secret, secret])
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_nothing_of_a_deleted_text_stays_in_the_file(file: Path, database: Database) -> None:
    stored = Conversations(database, lambda: NOW)
    stored.delete(stored.create("purple elephant").id)
    database.close()
    assert b"purple elephant" not in file.read_bytes()


WRITER = """
import sys
from datetime import UTC, datetime
from rag.storage.engine import Database
from rag.storage.ledger import CallRecord, Ledger
ledger = Ledger(Database(sys.argv[1]), lambda: datetime.now(UTC))
for number in range(int(sys.argv[2])):
    ledger.open(CallRecord("t", "answer", "openai", "m" * 2_000))
"""


def test_two_processes_write_to_one_file_while_it_is_read(file: Path, database: Database) -> None:
    command = [sys.executable, "-c", WRITER, f"sqlite:///{file}", "150"]
    writers = [subprocess.Popen(command) for _ in range(2)]
    own = Conversations(database, lambda: NOW)
    while any(writer.poll() is None for writer in writers):
        own.create()
        ids(database)
    assert [writer.returncode for writer in writers] == [0, 0]
    with database.read() as connection:
        assert len(connection.execute(select(calls.c.id)).all()) == 300
    assert database.problems() == []
