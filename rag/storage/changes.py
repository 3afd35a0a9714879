"""Steps of a change of the library, within its transaction: taking turns, counting, inserting, deleting."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, insert, select, update

from rag.storage import vectors
from rag.storage.rows import Rows
from rag.storage.tables import documents, library_state


def queue(connection: Connection) -> None:
    """Wait for the changes of the library before this one, where several writers are allowed."""
    connection.execute(select(library_state.c.version).with_for_update())


def count(connection: Connection) -> None:
    """Count the version of the library up, and wait as `queue` does."""
    connection.execute(update(library_state).values(version=library_state.c.version + 1))


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows, if there are any."""
    if rows:
        connection.execute(insert(table), rows)


def delete_document(connection: Connection, document_id: str) -> None:
    """Delete a document, if there is one, with its parts, its file and the vectors nothing else uses."""
    before = vectors.keys_of(connection, document_id)
    if connection.execute(delete(documents).where(documents.c.id == document_id)).rowcount:
        count(connection)
        vectors.drop_unused(connection, before)
