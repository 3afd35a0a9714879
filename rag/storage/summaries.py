"""Lists the documents of the library with their sizes and how often answers cite them."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from rag.storage.records import DocumentSummary
from rag.storage.tables import answer_citations, chunks, documents

_LEFT_OUT = ("text", "content_hash", "body_start", "file_hash")


def summaries(connection: Connection) -> list[DocumentSummary]:
    """Return all documents by topic, then title."""
    sizes = (
        select(
            chunks.c.document_id,
            func.count().label("chunks"),
            func.sum(chunks.c.tokens).label("tokens"),
        )
        .group_by(chunks.c.document_id)
        .subquery()
    )
    uses = (
        select(answer_citations.c.document_id, func.count().label("cited"))
        .group_by(answer_citations.c.document_id)
        .subquery()
    )
    query = (
        select(
            *(column for column in documents.c if column.name not in _LEFT_OUT),
            sizes.c.chunks,
            sizes.c.tokens,
            uses.c.cited,
        )
        .outerjoin(sizes, sizes.c.document_id == documents.c.id)
        .outerjoin(uses, uses.c.document_id == documents.c.id)
        .order_by(documents.c.topic, documents.c.title, documents.c.id)
    )
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
            format=row.format,
            owner=row.owner,
            cited=row.cited or 0,
        )
        for row in connection.execute(query)
    ]
