"""Finds a shipped document in the knowledge folder again."""

from __future__ import annotations

from pathlib import Path

from rag.errors import KnowledgeError
from rag.ingestion.loading import documents_in, load_file
from rag.types import Document


def find_shipped(folder: Path, document_id: str, path: str = "") -> Document | None:
    """Return the document as its file is now; None when no file of the folder has this id.

    path: where in the folder the file was, to read that one alone; empty: read all until it is found.
    Files that can't be read are passed over.
    """
    if not folder.is_dir():
        return None
    for file in [folder / path] if path else documents_in([folder]):
        try:
            document = load_file(file, folder)
        except KnowledgeError:
            continue
        if document.id == document_id:
            return document
    return None
