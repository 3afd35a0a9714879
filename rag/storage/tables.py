"""The tables as queries see them; `migrations` creates them, and a test keeps the two equal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: any time zone goes in, UTC comes out (`timezone.utc`); naive times are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Money(TypeDecorator[Decimal]):
    """USD, stored as text: SQLite has no decimals, and binary floats lose fractions of a cent."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Words(TypeDecorator[str]):
    """Text for every database: NUL and lone surrogates become U+FFFD, one for one, for the offsets."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _UNSTORABLE.sub("\ufffd", value)


METADATA = MetaData()

schema_version = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", UtcDateTime, nullable=False),
)

library_state = Table(
    "library_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("embedding_model", Text),
    Column("knowledge_stamp", Text),
)
"""One row, id 1. Every change of the library locks it first, so changes queue up."""

documents = Table(
    "documents",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("title", Words, nullable=False),
    Column("topic", Words, nullable=False),
    Column("level", Text),
    Column("tags", JSON, nullable=False),
    Column("path", Words, nullable=False),
    Column("origin", Text, nullable=False),
    Column("text", Words, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("body_start", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("format", Text, nullable=False, server_default="markdown"),
    Column("owner", Words, nullable=False, server_default=""),
    Column("file_hash", Text, nullable=False, server_default=""),
)
"""`owner` is empty for documents that everybody may read; `file_hash`: sha256 of the file as it came."""

originals = Table(
    "originals",
    METADATA,
    Column("document_id", Words, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("page_starts", JSON, nullable=False),
)
"""Files whose text was extracted. `page_starts`: the offset at which each page begins, for PDF."""

removed_documents = Table(
    "removed_documents",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("title", Words, nullable=False),
    Column("origin", Text, nullable=False),
    Column("owner", Words, nullable=False),
    Column("removed_at", UtcDateTime, nullable=False),
    Column("name", Words, nullable=False),
    Column("page_starts", JSON, nullable=False),
    Column("document", JSON(none_as_null=True)),
    Column("content", LargeBinary),
)
"""What can be brought back. Without `document`: only that a shipped document shall stay away.

What may be large comes last: SQLite reads all that lies before a column.
"""

chunks = Table(
    "chunks",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("document_id", Words, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("heading_path", JSON, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text", Words, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("questions", JSON, nullable=False),
    UniqueConstraint("document_id", "position"),
)

windows = Table(
    "windows",
    METADATA,
    Column("chunk_id", Words, ForeignKey("chunks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("vector_key", Text, nullable=False),
    Index("windows_by_vector", "vector_key"),
)

sentences = Table(
    "sentences",
    METADATA,
    Column("document_id", Words, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("list_id", Integer),
    Column("vector_key", Text),
    Index("sentences_by_vector", "vector_key"),
)

vectors = Table(
    "vectors",
    METADATA,
    Column("model", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("crc32", BigInteger, nullable=False),
)
"""`vector` is float32, little endian; `crc32` is its checksum."""

conversations = Table(
    "conversations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Words, nullable=False),
    Column("title_folded", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("owner", Words, nullable=False, server_default=""),
    Index("conversations_by_update", "updated_at"),
)
"""`*_folded` columns hold the text as the search compares it: SQLite folds ASCII only."""

turns = Table(
    "turns",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("question", Words, nullable=False),
    Column("question_folded", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("shown_answer_id", Text),
    UniqueConstraint("conversation_id", "position"),
)

answers = Table(
    "answers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("turn_id", Text, ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("text", Words, nullable=False),
    Column("text_folded", Words, nullable=False),
    Column("answer", JSON(none_as_null=True)),
    Column("rating", Text),
    Column("reason", Words),
    Column("rated_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("turn_id", "position"),
    Index("answers_by_trace", "trace_id"),
)
"""`answer` is the finished answer with all its evidence; null while it is being written."""

answer_citations = Table(
    "answer_citations",
    METADATA,
    Column("answer_id", Text, ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("marker", Integer, primary_key=True),
    Column("document_id", Words, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("quote", Words, nullable=False),
    Index("answer_citations_by_document", "document_id"),
)
"""The citations of stored answers once more, to find the answers that rest on a document."""

calls = Table(
    "calls",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("trace_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_usd", Money),
    Column("estimated", Boolean, nullable=False),
    Column("ms", Float, nullable=False),
    Column("error", Words, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Index("calls_by_start", "started_at"),
    Index("calls_by_trace", "trace_id"),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("jobs_by_creation", "created_at"),
)

job_files = Table(
    "job_files",
    METADATA,
    Column("job_id", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary),
    Column("state", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("document_id", Words, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("hint", Words, nullable=False),
)
"""`content` is the uploaded file until it is finished."""

preferences = Table(
    "preferences",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

evaluation_runs = Table(
    "evaluation_runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("metrics", JSON(none_as_null=True)),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("owner", Words, nullable=False, server_default=""),
    Index("evaluation_runs_by_start", "started_at"),
)

evaluation_results = Table(
    "evaluation_results",
    METADATA,
    Column("run_id", Text, ForeignKey("evaluation_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("item_id", Words, nullable=False),
    Column("result", JSON, nullable=False),
)

test_cases = Table(
    "test_cases",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("answer_id", Text, nullable=False),
    Column("item", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("owner", Words, nullable=False, server_default=""),
)
