"""Stores the files that documents were extracted from, one a document at most."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from rag.storage.records import Original
from rag.storage.tables import documents, originals
from rag.types import Document


def put(connection: Connection, document_id: str, original: Original) -> None:
    """Store the file of a document that has none yet."""
    connection.execute(
        insert(originals),
        {
            "document_id": document_id,
            "name": original.name,
            "content": original.content,
            "page_starts": list(original.page_starts),
        },
    )


def get(connection: Connection, document_id: str) -> Original | None:
    """Return the file of a document; None when its text is all there was."""
    query = select(originals.c.name, originals.c.content, originals.c.page_starts)
    row = connection.execute(query.where(originals.c.document_id == document_id)).one_or_none()
    return None if row is None else Original(row.name, row.content, tuple(row.page_starts))


def of_same_file(connection: Connection, document: Document) -> Original | None:
    """Return the file that is stored with this document's earlier version, if both are of the same file."""
    same = (documents.c.id == document.id) & (documents.c.file_hash == document.file_hash)
    return get(connection, document.id) if connection.scalar(select(documents.c.id).where(same)) else None
