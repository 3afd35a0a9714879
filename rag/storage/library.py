"""The library: documents with their chunks, embedding windows, sentences, vectors and original files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import delete, insert, select, update

from rag.storage import changes, originals, removed, summaries, tables
from rag.storage import vectors as stored_vectors
from rag.storage.cited import forget_passages
from rag.storage.engine import Database
from rag.storage.records import (
    DocumentSummary,
    Origin,
    Original,
    RemovedDocument,
    StoredSentence,
    StoredWindow,
)
from rag.storage.rows import chunk_of, chunk_rows, document_of, document_row, sentence_rows, window_rows
from rag.storage.vectors import Vector
from rag.types import Chunk, Document, Span

__all__ = [
    "DocumentSummary",
    "Library",
    "Origin",
    "Original",
    "RemovedDocument",
    "StoredSentence",
    "StoredWindow",
]

_READING_ORDER = (tables.chunks.c.document_id, tables.chunks.c.position)
_CHUNKS = select(*(column for column in tables.chunks.c if column.name != "position"))
_NO_VECTORS: Mapping[str, Vector] = MappingProxyType({})


class Library:
    """The documents that can be searched, and what was removed from among them.

    Every method is one transaction, or part of a `snapshot`; deleting for good takes several.
    """

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
        original: Original | None = None,
    ) -> None:
        """Store the document in place of its earlier version: all of it or, on an error, nothing.

        windows: by chunk id, (characters, vector key). sentences: (characters, kind, list id,
        vector key). vectors: by key, made by `model`; those given here are stored in the same
        transaction. Vectors that only the earlier version used are dropped. original: the file that the
        text comes from; without one that of the earlier version stays if it is of the same file. The
        document counts as removed no longer.
        """
        with self._database.write() as connection:
            changes.count(connection)
            original = original or originals.of_same_file(connection, document)
            before = stored_vectors.keys_of(connection, document.id)
            connection.execute(delete(tables.documents).where(tables.documents.c.id == document.id))
            connection.execute(insert(tables.documents), document_row(document, origin, self._clock()))
            removed.drop(connection, document.id)
            if original:
                originals.put(connection, document.id, original)
            changes.insert_rows(connection, tables.chunks, chunk_rows(chunks))
            changes.insert_rows(connection, tables.windows, window_rows(windows))
            changes.insert_rows(connection, tables.sentences, sentence_rows(document.id, sentences))
            stored_vectors.put(connection, model, vectors)
            stored_vectors.drop_unused(connection, before)

    def remove(self, document_id: str) -> bool:
        """Delete a document for good: text, vectors, original file, removed copy, passages with answers.

        False when there is no such document. Stored answers keep what they say and quote. A shipped
        document is dismissed: it stays away until it is restored or ingested by name.
        """
        with self._database.read() as connection:
            if not removed.exists(connection, document_id):
                return False
        forget_passages(self._database, document_id)  # first: who is interrupted can remove it again
        with self._database.write() as connection:
            changes.queue(connection)
            if not removed.forget(connection, document_id, self._clock()):
                return False
            changes.delete_document(connection, document_id)
            return True

    def take_out(self, document_id: str) -> bool:
        """Take a document out of the search, and keep its text and original file for `taken_out`.

        False when there is no such document. Its vectors are dropped: restoring means indexing again.
        """
        with self._database.write() as connection:
            changes.queue(connection)
            if not removed.keep(connection, document_id, self._clock()):
                return False
            changes.delete_document(connection, document_id)
            return True

    def taken_out(self, document_id: str) -> tuple[Document, Origin, Original | None] | None:
        """Return what `take_out` kept, to index it again; None when nothing is kept."""
        with self._database.read() as connection:
            return removed.get(connection, document_id)

    def removed(self, owner: str | None = None) -> list[RemovedDocument]:
        """Return the removed documents that belong to `owner`, the newest first; None: those of all.

        Shipped documents that were deleted for good are among them.
        """
        with self._database.read() as connection:
            return removed.all_removed(connection, owner)

    def purge_removed(self, before: datetime) -> int:
        """Forget the contents of documents that were taken out before this moment; return their number.

        Shipped documents stay dismissed.
        """
        with self._database.read() as connection:
            ids = removed.outdated(connection, before)
        for document_id in ids:
            forget_passages(self._database, document_id)
        if not ids:
            return 0
        with self._database.write() as connection:
            return removed.purge(connection, before)

    def dismissed(self) -> frozenset[str]:
        """Return the ids of the shipped documents that the user removed: they shall stay away."""
        with self._database.read() as connection:
            return removed.dismissed(connection)

    def drop_vanished(self, present: Collection[str]) -> None:
        """Delete the shipped documents that are not `present`: the knowledge folder no longer has them.

        Unlike removed ones they come back with their files.
        """
        table = tables.documents
        with self._database.write() as connection:
            changes.queue(connection)
            shipped = connection.scalars(select(table.c.id).where(table.c.origin == "knowledge"))
            for document_id in set(shipped.all()) - set(present):
                changes.delete_document(connection, document_id)

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text; None when there is none with this id."""
        query = select(tables.documents).where(tables.documents.c.id == document_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else document_of(row)

    def original(self, document_id: str) -> Original | None:
        """Return the file that a document's text was extracted from; None when there is none."""
        with self._database.read() as connection:
            return originals.get(connection, document_id)

    def summaries(self) -> list[DocumentSummary]:
        """Return all documents by topic, then title."""
        with self._database.read() as connection:
            return summaries.summaries(connection)

    def hashes(self) -> dict[str, str]:
        """Return the content hash of every document by its id."""
        query = select(tables.documents.c.id, tables.documents.c.content_hash)
        with self._database.read() as connection:
            rows = connection.execute(query)
            return {row.id: row.content_hash for row in rows}

    def file_hashes(self, owner: str) -> dict[str, str]:
        """Return the id of every document of this owner by the hash of its file, where that is known."""
        table = tables.documents
        query = select(table.c.file_hash, table.c.id).where(table.c.owner == owner, table.c.file_hash != "")
        with self._database.read() as connection:
            return {row.file_hash: row.id for row in connection.execute(query.order_by(table.c.id))}

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
            changes.count(connection)
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
            changes.queue(connection)
            stored_vectors.put(connection, model, vectors)

    def drop_unused_vectors(self) -> int:
        """Delete the vectors, of any model, that nothing uses; return how many there were."""
        with self._database.write() as connection:
            changes.queue(connection)
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
