"""Brings the library up to date with files: reads, chunks and embeds what changed, and nothing else."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rag.embedding.base import Embedder, Progress, no_progress
from rag.errors import KnowledgeError, RagError
from rag.ingestion.chunking import chunk, window_text, windows
from rag.ingestion.front_matter import front_matter
from rag.ingestion.loading import documents_in, load_file
from rag.storage.library import Library, Origin
from rag.text.sentences import Sentence, sentences
from rag.text.words import distinct
from rag.types import Chunk, Document, Span

EMBEDDED_KINDS = frozenset({"prose", "list_item", "table_row"})
"""Sentences that get a vector; code and headings are found through their windows."""

Status = Literal["added", "updated", "unchanged", "failed"]


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

    def ingest(self, paths: Sequence[Path], *, origin: Origin = "added") -> list[Ingested]:
        """Add or update the documents in files and folders; unchanged ones are not embedded again.

        A file that can't be read becomes a result with status `failed`; the others go on. A file that is
        named twice is read once.
        """
        named: dict[Path, tuple[Path, Path]] = {}
        for root in paths:
            for path in documents_in([root]):
                named.setdefault(path.resolve(), (path, root))
        files = list(named.values())
        before = self._library.hashes()
        seen: dict[str, Path] = {}
        results = []
        for number, (path, root) in enumerate(files):
            self._progress(f"Indexing {path.name}", number, len(files))
            try:
                document = load_file(path, root if root.is_dir() else root.parent)
                if document.id in seen:
                    raise KnowledgeError(
                        f"{path} has the same id as {seen[document.id]}: {document.id}.",
                        path=path,
                        hint="Give one of them another `id` in its front matter.",
                    )
                seen[document.id] = path
                results.append(self._one(document, path, before.get(document.id), origin))
            except RagError as error:
                results.append(Ingested("", str(path), "failed", error=str(error), hint=error.hint))
        self._progress("Indexing", len(files), len(files))
        if self._library.embedding_model() is None:
            self._library.set_embedding_model(self._embedder.model)
        return results

    def _one(self, document: Document, path: Path, before: str | None, origin: Origin) -> Ingested:
        if before == document.content_hash:
            count = len(self._library.chunks(document.id))
            return Ingested(document.id, str(path), "unchanged", count)
        count = self.index(document, origin=origin)
        return Ingested(document.id, str(path), "updated" if before else "added", count)

    def index(self, document: Document, *, origin: Origin) -> int:
        """Store one document, embedding only what has no vector yet; return its number of chunks."""
        asked = front_matter(document.text, document.path)[0].questions
        chunks = [replace(part, questions=_questions_of(part, asked)) for part in chunk(document)]
        quotable = sentences(document.text, document.body_start)
        read = _readings(document, chunks, quotable)
        model = self._embedder.model
        keys = {key for reading in read for key in (reading.key, *reading.part_keys)}
        vectors = self._library.vectors(model, keys)
        missing = [reading for reading in read if not vectors.keys() >= {reading.key, *reading.part_keys}]
        embedded = self._embedder.embed_parts(
            [reading.text for reading in missing], [reading.parts for reading in missing]
        )
        for reading, (whole, parts) in zip(missing, embedded, strict=True):
            vectors[reading.key] = whole
            vectors.update(zip(reading.part_keys, parts, strict=True))
        sentence_keys = {
            number: key
            for reading in read
            for number, key in zip(reading.sentences, reading.part_keys, strict=True)
        }
        windows_of: dict[str, list[tuple[Span, str]]] = {part.id: [] for part in chunks}
        for reading in read:
            windows_of[reading.chunk_id].append((reading.span, reading.key))
        self._library.save(
            document,
            chunks,
            windows_of,
            [
                (Span(unit.start, unit.end), unit.kind, unit.list_id, sentence_keys.get(number))
                for number, unit in enumerate(quotable)
            ],
            origin=origin,
            model=model,
            vectors=vectors,
        )
        return len(chunks)

    def reembed(self) -> None:
        """Embed every stored document with the present model and remember that model.

        Interrupted, it starts over with the next call; documents already done are then quick.
        """
        summaries = self._library.summaries()
        for number, summary in enumerate(summaries):
            self._progress("Embedding with the new model", number, len(summaries))
            if document := self._library.document(summary.id):
                self.index(document, origin=summary.origin)
        self._library.set_embedding_model(self._embedder.model)


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
