"""Brings the library up to date with files: reads, chunks and embeds what changed, and nothing else."""

from __future__ import annotations

import hashlib
import logging
import traceback
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rag.embedding.base import Embedder, Progress, no_progress
from rag.errors import KnowledgeError, RagError
from rag.ingestion.chunking import chunk, window_text, windows
from rag.ingestion.front_matter import front_matter
from rag.ingestion.loading import documents_in, load_with_file
from rag.storage.library import Library, Origin, Original
from rag.storage.vectors import Vector
from rag.text.sentences import Sentence, sentences
from rag.text.words import distinct
from rag.types import Chunk, Document, Span

EMBEDDED_KINDS = frozenset({"prose", "list_item", "table_row"})
"""Sentences that get a vector; code and headings are found through their windows."""
CHUNKER = 1
"""Counts how documents were cut so far: raise it with whatever changes chunks, windows or sentences, and
every document is cut again at the next start."""
TEXT_FORMATS = frozenset({"markdown", "text"})
BATCH = 32
"""Windows embedded at once: about a third of a second on one slow core, the least wait for a Cancel."""

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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is cut and embedded; the library does not know of it yet."""

    document: Document
    chunks: Sequence[Chunk]
    windows: Mapping[str, Sequence[tuple[Span, str]]]
    """By chunk id: (characters, vector key)."""
    sentences: Sequence[tuple[Span, str, int | None, str | None]]
    """(characters, kind, list id, vector key)."""
    vectors: Mapping[str, Vector]
    """By key, every one that windows and sentences name."""
    stored_ahead: bool
    """True: vectors were stored while the rest was still being embedded."""


class Indexer:
    """Writes documents with their chunks, windows, sentences and vectors into the library."""

    def __init__(self, library: Library, embedder: Embedder, progress: Progress = no_progress) -> None:
        self._library = library
        self._embedder = embedder
        self._progress = progress

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
        if stored is not None and stored.owner != document.owner:
            raise KnowledgeError(
                f"The id {document.id} is taken.", path=document.path, hint="Give the file another name."
            )
        same = self._same(document, stored, origin)
        prepared = None if same else self.prepare(document, step)
        step("saving", 0, 0)

        def save(library: Library) -> Ingested:
            if prepared is None:
                return Ingested(same, document.path, "unchanged", len(library.chunks(same)))
            status: Status = "updated" if document.id in library.hashes() else "added"
            self.save(prepared, library, origin=origin, original=original)
            return Ingested(document.id, document.path, status, len(prepared.chunks))

        return commit(save) if commit else save(self._library)

    def _same(self, document: Document, stored: Document | None, origin: Origin) -> str:
        """Return the id of the document that holds the same already; empty when there is none."""
        if stored is not None and stored.content_hash == document.content_hash:
            return stored.id
        if origin == "knowledge" or not document.file_hash:  # every shipped file is a document of its own
            return ""
        return self._library.file_hashes(document.owner).get(document.file_hash, "")

    def index(self, document: Document, *, origin: Origin, original: Original | None = None) -> int:
        """Store one document, embedding only what has no vector yet; return its number of chunks."""
        prepared = self.prepare(document)
        self.save(prepared, self._library, origin=origin, original=original)
        return len(prepared.chunks)

    def prepare(self, document: Document, step: Progress = no_progress, *, anew: bool = False) -> Prepared:
        """Cut a document and embed what has no vector yet, or for `anew` all of it.

        The vectors of a long document are stored as they come, so that whoever is interrupted goes on there.
        """
        step("cutting", 0, 0)
        asked = front_matter(document.text, document.path)[0].questions
        chunks = [replace(part, questions=_questions_of(part, asked)) for part in chunk(document)]
        quotable = sentences(document.text, document.body_start)
        read = _readings(document, chunks, quotable)
        model = self._embedder.model
        keys = {key for reading in read for key in reading.keys}
        vectors: dict[str, Vector] = {} if anew else self._library.vectors(model, keys)
        missing = [reading for reading in read if not vectors.keys() >= reading.keys]
        ahead = len(missing) > BATCH and not anew
        for first in range(0, len(missing), BATCH):
            step("embedding", len(read) - len(missing) + first, len(read))
            new = self._embedded(missing[first : first + BATCH])
            if ahead:
                self._library.add_vectors(model, new)
            vectors |= new
        step("embedding", len(read), len(read))
        sentence_keys = {
            number: key
            for reading in read
            for number, key in zip(reading.sentences, reading.part_keys, strict=True)
        }
        windows_of: dict[str, list[tuple[Span, str]]] = {part.id: [] for part in chunks}
        for reading in read:
            windows_of[reading.chunk_id].append((reading.span, reading.key))
        marked = [
            (Span(unit.start, unit.end), unit.kind, unit.list_id, sentence_keys.get(number))
            for number, unit in enumerate(quotable)
        ]
        return Prepared(document, chunks, windows_of, marked, vectors, ahead)

    def _embedded(self, readings: Sequence[_Reading]) -> dict[str, Vector]:
        embedded = self._embedder.embed_parts(
            [reading.text for reading in readings], [reading.parts for reading in readings]
        )
        vectors: dict[str, Vector] = {}
        for reading, (whole, parts) in zip(readings, embedded, strict=True):
            vectors[reading.key] = whole
            vectors.update(zip(reading.part_keys, parts, strict=True))
        return vectors

    def save(
        self, prepared: Prepared, library: Library, *, origin: Origin, original: Original | None = None
    ) -> None:
        """Make a prepared document searchable, in one transaction."""
        model, vectors = self._embedder.model, prepared.vectors
        if prepared.stored_ahead:  # somebody's clean-up may have dropped some since
            stored = library.vectors(model, vectors.keys())
            vectors = {key: vector for key, vector in vectors.items() if key not in stored}
        library.save(
            prepared.document,
            prepared.chunks,
            prepared.windows,
            prepared.sentences,
            origin=origin,
            model=model,
            vectors=vectors,
            original=original,
        )

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


@dataclass(frozen=True, slots=True)
class _Reading:
    """One pass of the embedding model: a window with the sentences that get their vectors from it."""

    chunk_id: str
    span: Span
    text: str
    key: str
    sentences: tuple[int, ...]
    """Numbers of the sentences among those of the document."""
    parts: tuple[tuple[int, int], ...]
    """Where they stand in `text`."""
    part_keys: tuple[str, ...]

    @property
    def keys(self) -> set[str]:
        """The names of all its vectors."""
        return {self.key, *self.part_keys}


def _readings(document: Document, chunks: Sequence[Chunk], quotable: Sequence[Sentence]) -> list[_Reading]:
    """Return the windows of all chunks; a sentence that two windows hold belongs to the first."""
    starts = [unit.start for unit in quotable]
    taken: set[int] = set()
    found = []
    for part in chunks:
        for span in windows(document, part):
            text = window_text(document, part, span)
            shift = len(text) - span.end
            numbers = tuple(
                number
                for number in range(bisect_left(starts, span.start), bisect_left(starts, span.end))
                if number not in taken
                and quotable[number].end <= span.end
                and quotable[number].kind in EMBEDDED_KINDS
            )
            taken.update(numbers)
            places = tuple((quotable[n].start + shift, quotable[n].end + shift) for n in numbers)
            keys = tuple(_key(f"{start}-{end}\0{text}") for start, end in places)
            found.append(_Reading(part.id, span, text, _key(text), numbers, places, keys))
        whole = Span(part.start, part.end)
        found.extend(
            _Reading(part.id, whole, question, _key(question), (), (), ()) for question in part.questions
        )
    return found


def _questions_of(part: Chunk, asked: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the questions that the author says this section answers.

    Each becomes one more vector of its chunks: a question lies nearer to a question in other words than
    to the sentence that answers it ("Document Expansion by Query Prediction", Nogueira et al., 2019).
    """
    return distinct(question for heading in part.heading_path for question in asked.get(heading, ()))


def _key(text: str) -> str:
    """Return the name under which the vector of a text is cached."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
