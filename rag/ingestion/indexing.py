"""Brings the library up to date with files: reads, chunks and embeds what changed, and nothing else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rag.embedding.base import Embedder, Progress, no_progress
from rag.errors import KnowledgeError, RagError
from rag.ingestion.loading import documents_in, former_id, load_with_file
from rag.ingestion.preparing import prepare, save
from rag.storage.library import Library, Origin, Original
from rag.types import Document

TEXT_FORMATS = frozenset({"markdown", "text"})

Status = Literal["added", "updated", "unchanged", "failed"]
Commit = Callable[[Callable[[Library], "Ingested"]], "Ingested"]
"""Gives the function that saves a document the library to save it into, and returns what that returns."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file."""

    id: str
    """Empty when the file could not be read."""
    path: str
    status: Status
    chunks: int = 0
    error: str = ""
    hint: str = ""


class Indexer:
    """Writes documents with their chunks, windows, sentences and vectors into the library."""

    def __init__(self, library: Library, embedder: Embedder, progress: Progress = no_progress) -> None:
        self._library = library
        self._embedder = embedder
        self._progress = progress

    @property
    def model(self) -> str:
        """The name of the embedding model."""
        return self._embedder.model

    def ingest(
        self, paths: Sequence[Path], *, origin: Origin = "added", skip: Collection[str] = ()
    ) -> list[Ingested]:
        """Add or update the documents in files and folders; unchanged ones are not embedded again.

        A file that can't be read becomes a result with status `failed`; the others go on. A file that is
        named twice is read once. Documents whose id is in `skip` are left out.
        """
        named: dict[Path, tuple[Path, Path]] = {}
        for root in paths:
            for path in documents_in([root]):
                named.setdefault(path.resolve(), (path, root))
        files = list(named.values())
        seen: dict[str, Path] = {}
        results = []
        for number, (path, root) in enumerate(files):
            self._progress(f"Indexing {path.name}", number, len(files))
            try:
                document, content, page_starts = load_with_file(path, root if root.is_dir() else root.parent)
                if document.id in seen:
                    raise KnowledgeError(
                        f"{path} has the same id as {seen[document.id]}: {document.id}.",
                        path=path,
                        hint="Give one of them another `id` in its front matter.",
                    )
                seen[document.id] = path
                if document.id not in skip:
                    original = original_of(document, path.name, content, page_starts)
                    results.append(replace(self.add(document, original, origin=origin), path=str(path)))
            except Exception as error:
                message, hint = reason(error)
                results.append(Ingested("", str(path), "failed", error=message, hint=hint))
        self._progress("Indexing", len(files), len(files))
        self.remember_model()
        return results

    def add(
        self,
        document: Document,
        original: Original | None = None,
        *,
        origin: Origin,
        step: Progress = no_progress,
        commit: Commit | None = None,
    ) -> Ingested:
        """Make a document searchable in place of its earlier version, in one step.

        `unchanged`, with the id of the document that is there already: its text, or the very same file of
        the same owner under another name. `step` is told the stage (cutting, embedding, saving) and the
        windows embedded. Raises KnowledgeError for an id that is another owner's.
        """
        stored = self._library.document(document.id)
        if stored is None and (earlier := self._under_former_id(document)):
            document, stored = replace(document, id=earlier.id), earlier
        if stored is not None and stored.owner != document.owner:
            raise KnowledgeError(
                f"The id {document.id} is taken.", path=document.path, hint="Give the file another name."
            )
        same = self._same(document, stored, origin)
        prepared = None if same else prepare(document, self._library, self._embedder, step)
        step("saving", 0, 0)

        def store(library: Library) -> Ingested:
            if prepared is None:
                return Ingested(same, document.path, "unchanged", len(library.chunks(same)))
            status: Status = "updated" if document.id in library.hashes() else "added"
            save(prepared, library, origin=origin, original=original)
            return Ingested(document.id, document.path, status, len(prepared.chunks))

        return commit(store) if commit else store(self._library)

    def _under_former_id(self, document: Document) -> Document | None:
        """Return what the same file is stored as if that was uploaded when ids were simpler."""
        earlier = self._library.document(former) if (former := former_id(document)) else None
        is_of_it = earlier and (earlier.owner, earlier.path) == (document.owner, document.path)
        return earlier if is_of_it else None

    def _same(self, document: Document, stored: Document | None, origin: Origin) -> str:
        """Return the id of the document that holds the same already; empty when there is none."""
        if stored is not None:  # what other documents hold does not matter: this one has to follow its file
            is_text = document.format in TEXT_FORMATS
            is_same_file = is_text or stored.file_hash == document.file_hash  # else the kept file is another
            return stored.id if is_same_file and stored.content_hash == document.content_hash else ""
        if origin == "knowledge" or not document.file_hash:  # every shipped file is a document of its own
            return ""
        return self._library.file_hashes(document.owner).get(document.file_hash, "")

    def index(self, document: Document, *, origin: Origin, original: Original | None = None) -> int:
        """Store one document, embedding only what has no vector yet; return its number of chunks."""
        prepared = prepare(document, self._library, self._embedder)
        save(prepared, self._library, origin=origin, original=original)
        return len(prepared.chunks)

    def reembed(self) -> None:
        """Cut and embed every stored document with the present model, and remember that model.

        Interrupted, it starts over with the next call; documents already done are then quick.
        """
        summaries = self._library.summaries()
        for number, summary in enumerate(summaries):
            self._progress("Reading the documents again", number, len(summaries))
            if document := self._library.document(summary.id):
                self.index(document, origin=summary.origin)
        self._library.set_embedding_model(self._embedder.model)

    def remember_model(self) -> None:
        """Note whose vectors the library holds, if they are its first ones."""
        if self._library.embedding_model() is None:
            self._library.set_embedding_model(self._embedder.model)


def original_of(
    document: Document, name: str, content: bytes, page_starts: tuple[int, ...] = ()
) -> Original | None:
    """Return the file to keep beside a document; None where the document's text is the whole file."""
    return None if document.format in TEXT_FORMATS else Original(name, content, page_starts)


def reason(error: Exception) -> tuple[str, str]:
    """Return what to say of a file that failed, and what to do; of the unexpected log the place alone.

    A message may hold what a document says, so it is written nowhere.
    """
    if isinstance(error, RagError):
        return str(error), error.hint
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("A file could not be read: %s\n%s", type(error).__name__, places)
    return "Something went wrong while reading this file.", "Save it in another format and try again."
