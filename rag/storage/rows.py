"""Turns documents and their parts into table rows, and rows of chunks back into chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from rag.types import Chunk, Document, Span

Rows = list[dict[str, Any]]


def document_row(document: Document, origin: str, updated_at: datetime) -> dict[str, Any]:
    """Return the row of a document."""
    return {
        "id": document.id,
        "title": document.title,
        "topic": document.topic,
        "level": document.level,
        "tags": list(document.tags),
        "path": document.path,
        "origin": origin,
        "text": document.text,
        "content_hash": document.content_hash,
        "body_start": document.body_start,
        "bytes": len(document.text.encode("utf-8", "replace")),
        "updated_at": updated_at,
        "format": document.format,
        "owner": document.owner,
        "file_hash": document.file_hash,
    }


def document_of(row: Row[*tuple[Any, ...]]) -> Document:
    """Return the document of a row."""
    return Document(
        id=row.id,
        title=row.title,
        topic=row.topic,
        text=row.text,
        content_hash=row.content_hash,
        path=row.path,
        tags=tuple(row.tags),
        level=row.level,
        body_start=row.body_start,
        format=row.format,
        owner=row.owner,
        file_hash=row.file_hash,
    )


def document_to_json(document: Document) -> dict[str, Any]:
    """Return a document as JSON values; `document_from_json` gives an equal one back."""
    return asdict(document) | {"tags": list(document.tags)}


def document_from_json(found: Mapping[str, Any]) -> Document:
    """Return the document that `document_to_json` wrote; what an older program left out gets its default."""
    values = {field.name: found[field.name] for field in fields(Document) if field.name in found}
    return Document(**values | {"tags": tuple(found["tags"])})


def chunk_rows(chunks: Sequence[Chunk]) -> Rows:
    """Return the rows of a document's chunks, in order."""
    return [
        {
            "id": chunk.id,
            "document_id": chunk.document_id,
            "position": position,
            "heading_path": list(chunk.heading_path),
            "start": chunk.start,
            "end": chunk.end,
            "text": chunk.text,
            "tokens": chunk.tokens,
            "questions": list(chunk.questions),
        }
        for position, chunk in enumerate(chunks)
    ]


def window_rows(windows: Mapping[str, Sequence[tuple[Span, str]]]) -> Rows:
    """Return the rows of windows given by chunk id as (characters, vector key)."""
    return [
        {
            "chunk_id": chunk_id,
            "position": position,
            "start": span.start,
            "end": span.end,
            "vector_key": key,
        }
        for chunk_id, of_chunk in windows.items()
        for position, (span, key) in enumerate(of_chunk)
    ]


def sentence_rows(document_id: str, sentences: Sequence[tuple[Span, str, int | None, str | None]]) -> Rows:
    """Return the rows of sentences given as (characters, kind, list id, vector key)."""
    return [
        {
            "document_id": document_id,
            "position": position,
            "start": span.start,
            "end": span.end,
            "kind": kind,
            "list_id": list_id,
            "vector_key": key,
        }
        for position, (span, kind, list_id, key) in enumerate(sentences)
    ]


def chunk_of(row: Row[*tuple[Any, ...]]) -> Chunk:
    """Return the chunk of a row (id, document id, heading path, start, end, text, tokens)."""
    chunk_id, document_id, heading_path, start, end, text, tokens, questions = row
    return Chunk(chunk_id, document_id, tuple(heading_path), start, end, text, tokens, tuple(questions))


def citation_rows(answer_id: str, answer: Mapping[str, Any]) -> Rows:
    """Return the rows of a stored answer's citations, one a marker."""
    by_marker = {citation.get("marker", 0): citation for citation in answer.get("citations", ())}
    return [
        {
            "answer_id": answer_id,
            "marker": marker,
            "document_id": citation.get("document_id", ""),
            "start": citation.get("start", 0),
            "end": citation.get("end", 0),
            "quote": citation.get("quote", ""),
        }
        for marker, citation in by_marker.items()
    ]
