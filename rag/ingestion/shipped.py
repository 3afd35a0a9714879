"""Keeps the library as the knowledge folder, the embedding model and the chunker want it."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from rag.errors import KnowledgeError
from rag.ingestion.indexing import Indexer
from rag.ingestion.loading import documents_in, load_file
from rag.ingestion.preparing import CHUNKER
from rag.storage.library import Library, Origin, Original
from rag.storage.preferences import Preferences
from rag.types import Document

CHUNKED_BY = "chunker"
"""Name of the preference that holds which version of the chunker cut the documents."""

log = logging.getLogger(__name__)


def bring_up_to_date(
    library: Library, preferences: Preferences, indexer: Indexer, folder: Path | None
) -> None:
    """Index the shipped documents where they changed; read all anew after another model or chunker.

    folder: where the shipped documents are; None: there are none.
    """
    chunked_by = (preferences.get(CHUNKED_BY) or {"version": 1})["version"]
    if chunked_by != CHUNKER or library.embedding_model() not in (None, indexer.model):
        indexer.reembed()
        preferences.set(CHUNKED_BY, {"version": CHUNKER})
    if folder is None or not folder.is_dir():
        return
    stamp = _stamp(folder)
    if library.knowledge_stamp() == stamp:
        return
    results = indexer.ingest([folder], origin="knowledge", skip=library.dismissed())
    failed = [result for result in results if result.status == "failed"]
    for result in failed:
        log.warning("A document of the knowledge folder is left out: %s %s", result.error, result.hint)
    if failed:  # the stamp stays as it was, so that the next start tries again
        return
    library.drop_vanished({result.id for result in results})
    library.set_knowledge_stamp(stamp)


def to_restore(
    library: Library, folder: Path, document_id: str
) -> tuple[Document, Origin, Original | None] | None:
    """Return what to index so that a removed document is back; None when nothing is left of it.

    A shipped document comes from its file in `folder` if that has changed or nothing else is left.
    """
    kept = library.taken_out(document_id)
    if document_id not in library.dismissed():
        return kept
    shipped = find_shipped(folder, document_id, kept[0].path if kept else "")
    if shipped and (kept is None or shipped.content_hash != kept[0].content_hash):
        return shipped, "knowledge", None
    return kept


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


def _stamp(folder: Path) -> str:
    """Return a hash that changes when a file of the folder is added, removed or written."""
    digest = hashlib.sha256()
    for path in documents_in([folder]):
        state = path.stat()
        digest.update(f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
