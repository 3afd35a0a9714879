"""The library: documents with their chunks, embedding windows, sentences and vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from rag.storage import tables
from rag.storage import vectors as stored_vectors
from rag.storage.engine import Database
from rag.storage.rows import Rows, chunk_of, chunk_rows, document_of, document_row, sentence_rows, window_rows
from rag.storage.vectors import Vector
from rag.types import Chunk, Document, Level, Span

Origin = Literal["knowledge", "added"]
"""Shipped with the program, or added by the user."""

_READING_ORDER = (tables.chunks.c.document_id, tables.chunks.c.position)
_CHUNKS = select(*(column for column in tables.chunks.c if column.name != "position"))
_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


class StoredWindow(NamedTuple):
    """The characters of a document that one vector stands for, and the chunk they belong to."""

    chunk_id: str
    start: int
    end: int
    vector_key: str


class StoredSentence(NamedTuple):
    """A sentence of a document; `vector_key` is None when it is not embedded."""

    document_id: str
    start: int
    end: int
    kind: str
    list_id: int | None
    vector_key: str | None


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What a list of documents shows."""

    id: str
    title: str
    topic: str
    level: Level | None
    tags: tuple[str, ...]
    chunks: int
    bytes: int
    """Of the text in UTF-8."""
    tokens: int
    """Word pieces of all chunks; what chunks share counts in each of them."""
    path: str
    origin: Origin
    updated_at: datetime


class Library:
    """The documents that can be searched. Every method is one transaction, or part of a `snapshot`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads of this thread in the block see the same moment, whatever is saved meanwhile."""
        with self._database.read():
            yield

    def save(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        windows: Mapping[str, Sequence[tuple[Span, str]]],
        sentences: Sequence[tuple[Span, str, int | None, str | None]],
        *,
        origin: Origin = "knowledge",
        model: str = "",
        vectors: Mapping[str, Vector] = _NO_VECTORS,
    ) -> None:
        """Store the document in place of its earlier version: all of it or, on an error, nothing.

        windows: by chunk id, (characters, vector key). sentences: (characters, kind, list id,
        vector key). vectors: by key, made by `model`; those given here are stored in the same
        transaction. Vectors that only the earlier version used are dropped.
        """
        with self._database.write() as connection:
            _count_change(connection)
            before = stored_vectors.keys_of(connection, document.id)
            connection.execute(delete(tables.documents).where(tables.documents.c.id == document.id))
            connection.execute(insert(tables.documents), document_row(document, origin, self._clock()))
            _insert(connection, tables.chunks, chunk_rows(chunks))
            _insert(connection, tables.windows, window_rows(windows))
            _insert(connection, tables.sentences, sentence_rows(document.id, sentences))
            stored_vectors.put(connection, model, vectors)
            stored_vectors.drop_unused(connection, before)

    def remove(self, document_id: str) -> bool:
        """Delete a document with its chunks, windows, sentences and the vectors nothing else uses.

        False when there is no such document. Stored answers keep their quotes.
        """
        with self._database.write() as connection:
            _queue(connection)
            before = stored_vectors.keys_of(connection, document_id)
            row = tables.documents.c.id == document_id
            if not connection.execute(delete(tables.documents).where(row)).rowcount:
                return False
            _count_change(connection)
            stored_vectors.drop_unused(connection, before)
            return True

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text; None when there is none with this id."""
        query = select(tables.documents).where(tables.documents.c.id == document_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else document_of(row)

    def summaries(self) -> list[DocumentSummary]:
        """Return all documents by topic, then title."""
        table, chunks = tables.documents, tables.chunks
        sizes = (
            select(
                chunks.c.document_id,
                func.count().label("chunks"),
                func.sum(chunks.c.tokens).label("tokens"),
            )
            .group_by(chunks.c.document_id)
            .subquery()
        )
        columns = [c for c in table.c if c.name not in ("text", "content_hash", "body_start")]
        query = (
            select(*columns, sizes.c.chunks, sizes.c.tokens)
            .outerjoin(sizes, sizes.c.document_id == table.c.id)
            .order_by(table.c.topic, table.c.title, table.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            DocumentSummary(
                id=row.id,
                title=row.title,
                topic=row.topic,
                level=row.level,
                tags=tuple(row.tags),
                chunks=row.chunks or 0,
                bytes=row.bytes,
                tokens=row.tokens or 0,
                path=row.path,
                origin=row.origin,
                updated_at=row.updated_at,
            )
            for row in rows
        ]

    def hashes(self) -> dict[str, str]:
        """Return the content hash of every document by its id."""
        query = select(tables.documents.c.id, tables.documents.c.content_hash)
        with self._database.read() as connection:
            rows = connection.execute(query)
            return {row.id: row.content_hash for row in rows}

    def chunks(self, document_id: str) -> list[Chunk]:
        """Return the chunks of a document in reading order; empty for an unknown document."""
        query = _CHUNKS.where(tables.chunks.c.document_id == document_id)
        with self._database.read() as connection:
            return [chunk_of(row) for row in connection.execute(query.order_by(*_READING_ORDER))]

    def all_chunks(self) -> list[Chunk]:
        """Return the chunks of all documents, by document id, then in reading order."""
        with self._database.read() as connection:
            return [chunk_of(row) for row in connection.execute(_CHUNKS.order_by(*_READING_ORDER))]

    def chunks_by_id(self, ids: Collection[str]) -> dict[str, Chunk]:
        """Return the chunks with these ids; an id that is gone is left out."""
        with self._database.read() as connection:
            return {
                row.id: chunk_of(row)
                for some in stored_vectors.batches(ids)
                for row in connection.execute(_CHUNKS.where(tables.chunks.c.id.in_(some)))
            }

    def windows(self) -> list[StoredWindow]:
        """Return the windows of all chunks, in the order of `all_chunks`."""
        table, chunks = tables.windows, tables.chunks
        query = (
            select(table.c.chunk_id, table.c.start, table.c.end, table.c.vector_key)
            .join(chunks, chunks.c.id == table.c.chunk_id)
            .order_by(*_READING_ORDER, table.c.position)
        )
        with self._database.read() as connection:
            return [StoredWindow(*row) for row in connection.execute(query)]

    def sentences(self) -> list[StoredSentence]:
        """Return the sentences of all documents, by document id, then in reading order."""
        table = tables.sentences
        query = select(
            table.c.document_id,
            table.c.start,
            table.c.end,
            table.c.kind,
            table.c.list_id,
            table.c.vector_key,
        ).order_by(table.c.document_id, table.c.position)
        with self._database.read() as connection:
            return [StoredSentence(*row) for row in connection.execute(query)]

    def version(self) -> int:
        """Return a number that grows with every change of the library."""
        with self._database.read() as connection:
            return int(connection.scalar(select(tables.library_state.c.version)) or 0)

    def embedding_model(self) -> str | None:
        """Return the model that made the vectors in use; None before the first one."""
        with self._database.read() as connection:
            return connection.scalar(select(tables.library_state.c.embedding_model))

    def set_embedding_model(self, name: str) -> None:
        """Remember which model's vectors are in use."""
        with self._database.write() as connection:
            _count_change(connection)
            connection.execute(update(tables.library_state).values(embedding_model=name))

    def knowledge_stamp(self) -> str | None:
        """Return what `set_knowledge_stamp` stored last; None before the first time."""
        with self._database.read() as connection:
            return connection.scalar(select(tables.library_state.c.knowledge_stamp))

    def set_knowledge_stamp(self, stamp: str) -> None:
        """Remember which state of the knowledge folder was indexed; the version stays as it is."""
        with self._database.write() as connection:
            connection.execute(update(tables.library_state).values(knowledge_stamp=stamp))

    def vectors(self, model: str, keys: Collection[str]) -> dict[str, Vector]:
        """Return the vectors of a model by key, each float32 (dim,) and read-only.

        A key without a vector is left out, and so is one whose vector was damaged on the disk: both
        have to be embedded again.
        """
        with self._database.read() as connection:
            return stored_vectors.get(connection, model, keys)

    def add_vectors(self, model: str, vectors: Mapping[str, Vector]) -> None:
        """Store vectors of shape (dim,) by key, in place of any with the same key."""
        with self._database.write() as connection:
            _queue(connection)
            stored_vectors.put(connection, model, vectors)

    def drop_unused_vectors(self) -> int:
        """Delete the vectors, of any model, that nothing uses; return how many there were."""
        with self._database.write() as connection:
            _queue(connection)
            return stored_vectors.drop_unused(connection)

    def damaged_documents(self) -> list[str]:
        """Return the ids of documents whose text is not what was saved; reads everything."""
        table = tables.documents
        query = select(table.c.id, table.c.text, table.c.content_hash)
        with self._database.read() as connection:
            return [
                document_id
                for document_id, text, content_hash in connection.execute(query)
                if hashlib.sha256(text.encode()).hexdigest() != content_hash
            ]


def _queue(connection: Connection) -> None:
    """Wait for the changes of the library before this one, where several writers are allowed."""
    connection.execute(select(tables.library_state.c.version).with_for_update())


def _count_change(connection: Connection) -> None:
    state = tables.library_state
    connection.execute(update(state).values(version=state.c.version + 1))


def _insert(connection: Connection, table: Table, rows: Rows) -> None:
    if rows:
        connection.execute(insert(table), rows)
