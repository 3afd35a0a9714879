"""Stores embedding vectors as checked bytes by model and key, and drops those out of use."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, exists, insert, select, union

from rag.storage.tables import chunks, sentences, vectors, windows

Vector = NDArray[np.float32]

BATCH = 500
"""Values in one IN list."""
_MANY = 2_000
"""From this many keys on, reading all vectors of a model beats asking for them by key."""
_USED = exists().where(windows.c.vector_key == vectors.c.key) | exists().where(
    sentences.c.vector_key == vectors.c.key
)


def batches(values: Collection[str]) -> Iterator[list[str]]:
    """Yield the values in lists of at most BATCH."""
    whole = list(values)
    yield from (whole[at : at + BATCH] for at in range(0, len(whole), BATCH))


def put(connection: Connection, model: str, new: Mapping[str, Vector]) -> None:
    """Store vectors of shape (dim,), in place of any with the same key."""
    if not new:
        return
    for some in batches(new):
        connection.execute(delete(vectors).where(vectors.c.model == model, vectors.c.key.in_(some)))
    rows = []
    for key, vector in new.items():
        data = np.asarray(vector, dtype="<f4").tobytes()
        rows.append({"model": model, "key": key, "vector": data, "crc32": zlib.crc32(data)})
    connection.execute(insert(vectors), rows)


def get(connection: Connection, model: str, keys: Collection[str]) -> dict[str, Vector]:
    """Return the undamaged vectors with these keys, float32 (dim,), read-only."""
    wanted = frozenset(keys)
    query = select(vectors.c.key, vectors.c.vector, vectors.c.crc32).where(vectors.c.model == model)
    queries = [query.where(vectors.c.key.in_(some)) for some in batches(wanted)]
    if len(wanted) >= _MANY:
        queries = [query]
    return {
        key: np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
        for each in queries
        for key, data, crc32 in connection.execute(each)
        if key in wanted and zlib.crc32(data) == crc32
    }


def keys_of(connection: Connection, document_id: str) -> set[str]:
    """Return the vector keys that a document's windows and sentences use."""
    of_windows = (
        select(windows.c.vector_key)
        .join(chunks, chunks.c.id == windows.c.chunk_id)
        .where(chunks.c.document_id == document_id)
    )
    of_sentences = select(sentences.c.vector_key).where(
        sentences.c.document_id == document_id, sentences.c.vector_key.is_not(None)
    )
    return set(connection.scalars(union(of_windows, of_sentences)))


def drop_unused(connection: Connection, among: Collection[str] | None = None) -> int:
    """Delete what nothing uses, of any model, `among` these keys or all; return the number."""
    if among is None:
        return connection.execute(delete(vectors).where(~_USED)).rowcount
    return sum(
        connection.execute(delete(vectors).where(vectors.c.key.in_(some), ~_USED)).rowcount
        for some in batches(among)
    )
