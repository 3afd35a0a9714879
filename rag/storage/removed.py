"""Keeps what was taken out of the library until it is restored or forgotten.

Forgetting leaves nothing of an added document. Of a shipped one it leaves a tombstone, a row without text,
so that the document stays away when the knowledge folder is read again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, true, update

from rag.storage import originals
from rag.storage.records import Origin, Original, RemovedDocument
from rag.storage.rows import document_from_json, document_of, document_to_json
from rag.storage.tables import documents, removed_documents
from rag.types import Document

_KEPT = removed_documents.c.document.is_not(None)
_SHIPPED = removed_documents.c.origin == "knowledge"
_WITHOUT_TEXT: dict[str, Any] = {"document": None, "name": "", "content": None, "page_starts": []}


def keep(connection: Connection, document_id: str, now: datetime) -> bool:
    """Copy a document of the library and its file to where `get` finds them; False when there is none."""
    row = connection.execute(select(documents).where(documents.c.id == document_id)).one_or_none()
    if row is None:
        return False
    contents = _WITHOUT_TEXT | {"document": document_to_json(document_of(row))}
    if original := originals.get(connection, document_id):
        contents |= {
            "name": original.name,
            "content": original.content,
            "page_starts": list(original.page_starts),
        }
    _put(connection, row, now, contents)
    return True


def get(connection: Connection, document_id: str) -> tuple[Document, Origin, Original | None] | None:
    """Return a kept document; None when it was never taken out, is back, or was forgotten."""
    query = select(removed_documents).where(removed_documents.c.id == document_id, _KEPT)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    original = None if row.content is None else Original(row.name, row.content, tuple(row.page_starts))
    return document_from_json(row.document), row.origin, original


def exists(connection: Connection, document_id: str) -> bool:
    """Say whether there is a document with this id or a kept copy of one."""
    return _named(connection, document_id) is not None


def forget(connection: Connection, document_id: str, now: datetime) -> bool:
    """Delete the kept copy of a document and, for one that is or was shipped, leave a tombstone.

    False when there is neither a document with this id nor a copy of one.
    """
    row = _named(connection, document_id)
    if row is None:
        return False
    drop(connection, document_id)
    if row.origin == "knowledge":
        _put(connection, row, now, _WITHOUT_TEXT)
    return True


def drop(connection: Connection, document_id: str) -> None:
    """Delete the copy or the tombstone of a document, if there is one."""
    connection.execute(delete(removed_documents).where(removed_documents.c.id == document_id))


def outdated(connection: Connection, before: datetime) -> list[str]:
    """Return the ids of the copies that were made before this moment."""
    old = removed_documents.c.removed_at < before
    return list(connection.scalars(select(removed_documents.c.id).where(old, _KEPT)))


def purge(connection: Connection, before: datetime) -> int:
    """Forget the contents of the copies that were made before this moment; return their number."""
    old = (removed_documents.c.removed_at < before) & _KEPT
    added = connection.execute(delete(removed_documents).where(old, ~_SHIPPED)).rowcount
    return added + connection.execute(update(removed_documents).where(old).values(_WITHOUT_TEXT)).rowcount


def all_removed(connection: Connection, owner: str | None) -> list[RemovedDocument]:
    """Return what was taken out or dismissed, the newest first: of one owner, or of all for None."""
    table = removed_documents
    query = select(
        table.c.id,
        table.c.title,
        table.c.origin,
        table.c.owner,
        table.c.removed_at,
        or_(_KEPT, _SHIPPED).label("can_restore"),
    ).order_by(table.c.removed_at.desc(), table.c.id)
    if owner is not None:
        query = query.where(table.c.owner == owner)
    return [RemovedDocument(*row) for row in connection.execute(query)]


def dismissed(connection: Connection) -> frozenset[str]:
    """Return the ids of the shipped documents that shall stay away."""
    return frozenset(connection.scalars(select(removed_documents.c.id).where(_SHIPPED)))


def _put(connection: Connection, row: Row[*tuple[Any, ...]], now: datetime, contents: dict[str, Any]) -> None:
    drop(connection, row.id)
    names = {"id": row.id, "title": row.title, "origin": row.origin, "owner": row.owner}
    connection.execute(insert(removed_documents), {**names, "removed_at": now, **contents})


def _named(connection: Connection, document_id: str) -> Row[*tuple[Any, ...]] | None:
    """Return id, title, origin and owner of a document or, without one, of a kept copy."""
    for table, wanted in ((documents, true()), (removed_documents, _KEPT)):
        query = select(table.c.id, table.c.title, table.c.origin, table.c.owner)
        row = connection.execute(query.where(table.c.id == document_id, wanted)).one_or_none()
        if row is not None:
            return row
    return None
