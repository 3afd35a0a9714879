"""Turns a database of any earlier version into today's by numbered steps, a transaction each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, inspect, select, text

from rag.errors import StoreError
from rag.storage import tables
from rag.storage.quiz_schema import QUIZ_SCHEMA
from rag.storage.rows import citation_rows
from rag.storage.tables import schema_version

Migration = Callable[[Connection], None]

_TYPES = {
    "sqlite": {"json": "JSON", "time": "DATETIME", "bytes": "BLOB"},
    "postgresql": {"json": "JSON", "time": "TIMESTAMP", "bytes": "BYTEA"},
}
_POSTGRES_LOCK = 8_617_643
"""Any number: two processes that start at once and lock it migrate one after the other."""

_VERSION_TABLE = """CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    applied_at {time} NOT NULL)"""

_FIRST = (
    """CREATE TABLE library_state (
        id INTEGER NOT NULL PRIMARY KEY,
        version BIGINT NOT NULL,
        embedding_model TEXT,
        knowledge_stamp TEXT)""",
    "INSERT INTO library_state (id, version) VALUES (1, 0)",
    """CREATE TABLE documents (
        id TEXT NOT NULL PRIMARY KEY,
        title TEXT NOT NULL,
        topic TEXT NOT NULL,
        level TEXT,
        tags {json} NOT NULL,
        path TEXT NOT NULL,
        origin TEXT NOT NULL,
        text TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        body_start INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        updated_at {time} NOT NULL)""",
    """CREATE TABLE chunks (
        id TEXT NOT NULL PRIMARY KEY,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        heading_path {json} NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        text TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        questions {json} NOT NULL,
        UNIQUE (document_id, position))""",
    """CREATE TABLE windows (
        chunk_id TEXT NOT NULL REFERENCES chunks (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        vector_key TEXT NOT NULL,
        PRIMARY KEY (chunk_id, position))""",
    "CREATE INDEX windows_by_vector ON windows (vector_key)",
    """CREATE TABLE sentences (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        kind TEXT NOT NULL,
        list_id INTEGER,
        vector_key TEXT,
        PRIMARY KEY (document_id, position))""",
    "CREATE INDEX sentences_by_vector ON sentences (vector_key)",
    """CREATE TABLE vectors (
        model TEXT NOT NULL,
        key TEXT NOT NULL,
        vector {bytes} NOT NULL,
        crc32 BIGINT NOT NULL,
        PRIMARY KEY (model, key))""",
    """CREATE TABLE conversations (
        id TEXT NOT NULL PRIMARY KEY,
        title TEXT NOT NULL,
        title_folded TEXT NOT NULL,
        created_at {time} NOT NULL,
        updated_at {time} NOT NULL)""",
    "CREATE INDEX conversations_by_update ON conversations (updated_at)",
    """CREATE TABLE turns (
        id TEXT NOT NULL PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        question TEXT NOT NULL,
        question_folded TEXT NOT NULL,
        created_at {time} NOT NULL,
        shown_answer_id TEXT,
        UNIQUE (conversation_id, position))""",
    """CREATE TABLE answers (
        id TEXT NOT NULL PRIMARY KEY,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        trace_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        text TEXT NOT NULL,
        text_folded TEXT NOT NULL,
        answer {json},
        rating TEXT,
        reason TEXT,
        rated_at {time},
        created_at {time} NOT NULL,
        UNIQUE (turn_id, position))""",
    """CREATE TABLE calls (
        id TEXT NOT NULL PRIMARY KEY,
        trace_id TEXT NOT NULL,
        purpose TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        status TEXT NOT NULL,
        input_tokens INTEGER NOT NULL,
        cached_input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cost_usd TEXT,
        estimated BOOLEAN NOT NULL,
        ms DOUBLE PRECISION NOT NULL,
        error TEXT NOT NULL,
        started_at {time} NOT NULL,
        settled_at {time})""",
    "CREATE INDEX calls_by_start ON calls (started_at)",
    "CREATE INDEX calls_by_trace ON calls (trace_id)",
)

_SECOND = (
    "ALTER TABLE documents ADD COLUMN format TEXT NOT NULL DEFAULT 'markdown'",
    "ALTER TABLE documents ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE documents ADD COLUMN file_hash TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE originals (
        document_id TEXT NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        content {bytes} NOT NULL,
        page_starts {json} NOT NULL)""",
    """CREATE TABLE removed_documents (
        id TEXT NOT NULL PRIMARY KEY,
        title TEXT NOT NULL,
        origin TEXT NOT NULL,
        owner TEXT NOT NULL,
        removed_at {time} NOT NULL,
        name TEXT NOT NULL,
        page_starts {json} NOT NULL,
        document {json},
        content {bytes})""",
    """CREATE TABLE answer_citations (
        answer_id TEXT NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
        marker INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        quote TEXT NOT NULL,
        PRIMARY KEY (answer_id, marker))""",
    "CREATE INDEX answer_citations_by_document ON answer_citations (document_id)",
    "CREATE INDEX answers_by_trace ON answers (trace_id)",
    "ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE jobs (
        id TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        owner TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at {time} NOT NULL,
        updated_at {time} NOT NULL)""",
    "CREATE INDEX jobs_by_creation ON jobs (created_at)",
    """CREATE TABLE job_files (
        job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        content {bytes},
        state TEXT NOT NULL,
        stage TEXT NOT NULL,
        done INTEGER NOT NULL,
        total INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        chunks INTEGER NOT NULL,
        error TEXT NOT NULL,
        hint TEXT NOT NULL,
        PRIMARY KEY (job_id, position))""",
    """CREATE TABLE preferences (
        name TEXT NOT NULL PRIMARY KEY,
        value {json} NOT NULL,
        updated_at {time} NOT NULL)""",
    """CREATE TABLE evaluation_runs (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        config {json} NOT NULL,
        metrics {json},
        done INTEGER NOT NULL,
        total INTEGER NOT NULL,
        error TEXT NOT NULL,
        started_at {time} NOT NULL,
        finished_at {time})""",
    "CREATE INDEX evaluation_runs_by_start ON evaluation_runs (started_at)",
    """CREATE TABLE evaluation_results (
        run_id TEXT NOT NULL REFERENCES evaluation_runs (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        item_id TEXT NOT NULL,
        result {json} NOT NULL,
        PRIMARY KEY (run_id, position))""",
    """CREATE TABLE test_cases (
        id TEXT NOT NULL PRIMARY KEY,
        answer_id TEXT NOT NULL,
        item {json} NOT NULL,
        created_at {time} NOT NULL)""",
)

_FOURTH = (
    "ALTER TABLE evaluation_runs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE test_cases ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
)


def run(connection: Connection, statements: Sequence[str]) -> None:
    """Execute DDL in which {json}, {time} and {bytes} stand for the database's own type names."""
    types = _TYPES[connection.dialect.name]
    for statement in statements:
        connection.exec_driver_sql(statement.format(**types))


def first_schema(connection: Connection) -> None:
    """Library, conversations and ledger."""
    run(connection, _FIRST)


def sources_schema(connection: Connection) -> None:
    """Files of any format with their jobs, citations by document, preferences, evaluations."""
    run(connection, _SECOND)
    cited = select(tables.answers.c.id, tables.answers.c.answer).where(tables.answers.c.answer.is_not(None))
    rows = [
        row
        for answer_id, answer in connection.execute(cited.execution_options(yield_per=100))
        for row in citation_rows(answer_id, answer)
    ]
    if rows:
        connection.execute(insert(tables.answer_citations), rows)


def quiz_schema(connection: Connection) -> None:
    """Questions beside the bank, their generation, quizzes with every answer, reviews."""
    run(connection, QUIZ_SCHEMA)


def evaluation_owners(connection: Connection) -> None:
    """Whose evaluation runs and test cases they are; those there are belong to nobody in particular."""
    run(connection, _FOURTH)


def draft_guesses(connection: Connection) -> None:
    """Whether whoever answers a question has ticked that it is a guess, kept with what is typed so far."""
    run(connection, ["ALTER TABLE quiz_items ADD COLUMN guessing BOOLEAN NOT NULL DEFAULT FALSE"])


MIGRATIONS: tuple[Migration, ...] = (
    first_schema,
    sources_schema,
    quiz_schema,
    evaluation_owners,
    draft_guesses,
)
"""Number n takes a database from version n - 1 to n. Never change one that was released: append."""


def migrate(
    write: Callable[[], AbstractContextManager[Connection]],
    migrations: Sequence[Migration] = MIGRATIONS,
) -> int:
    """Apply what is missing and return the version that was found before; 0 for a new database.

    Raises StoreError when the database is newer than this program or belongs to another one.
    """
    with write() as connection:
        found = _version(connection)
    if found > len(migrations):
        raise StoreError(
            f"The database has version {found}, newer than this program ({len(migrations)}).",
            hint="Start the newer version of Viva again, or choose another data folder.",
        )
    for number in range(found + 1, len(migrations) + 1):
        with write() as connection:
            if _version(connection) >= number:  # another process was faster
                continue
            migrations[number - 1](connection)
            row = {"version": number, "applied_at": datetime.now(UTC)}
            connection.execute(insert(schema_version), row)
    return found


def _version(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _POSTGRES_LOCK})
    names = inspect(connection).get_table_names()
    if connection.dialect.name == "sqlite" and names and schema_version.name not in names:
        raise StoreError(
            "The database file belongs to another program.",
            hint="Choose another data folder (VIVA_DATA_DIR).",
        )
    run(connection, [_VERSION_TABLE])
    return connection.scalar(select(func.max(schema_version.c.version))) or 0
