"""Cuts a document and embeds its windows and sentences, so that it only has to be saved."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.embedding.base import Embedder, Progress, no_progress
from rag.ingestion.chunking import chunk, window_text, windows
from rag.ingestion.front_matter import front_matter
from rag.storage.library import Library, Origin, Original
from rag.storage.vectors import Vector
from rag.text.sentences import Sentence, sentences
from rag.text.words import distinct
from rag.types import Chunk, Document, Span

CHUNKER = 1
"""Counts how documents were cut so far: raise it with whatever changes chunks, windows or sentences, and
every document is cut again at the next start."""
EMBEDDED_KINDS = frozenset({"prose", "list_item", "table_row"})
"""Sentences that get a vector; code and headings are found through their windows."""
BATCH = 16
"""Windows embedded at once: half a second on one slow core, which is how long a Cancel may take."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is cut and embedded; the library does not know of it yet."""

    document: Document
    chunks: Sequence[Chunk]
    windows: Mapping[str, Sequence[tuple[Span, str]]]
    """By chunk id: (characters, vector key)."""
    sentences: Sequence[tuple[Span, str, int | None, str | None]]
    """(characters, kind, list id, vector key)."""
    model: str
    """Who made the vectors."""
    vectors: Mapping[str, Vector]
    """By key, every one that windows and sentences name."""
    stored_ahead: bool
    """True: vectors were stored while the rest was still being embedded."""


def prepare(
    document: Document,
    library: Library,
    embedder: Embedder,
    step: Progress = no_progress,
    *,
    anew: bool = False,
) -> Prepared:
    """Cut a document and embed what has no vector yet, or for `anew` all of it.

    The vectors of a long document are stored as they come, so that whoever is interrupted goes on there.
    """
    step("cutting", 0, 0)
    asked = front_matter(document.text, document.path)[0].questions if document.body_start else {}
    chunks = [replace(part, questions=_questions_of(part, asked)) for part in chunk(document)]
    quotable = sentences(document.text, document.body_start)
    read = _readings(document, chunks, quotable)
    model = embedder.model
    keys = {key for reading in read for key in reading.keys}
    vectors: dict[str, Vector] = {} if anew else library.vectors(model, keys)
    missing = [reading for reading in read if not vectors.keys() >= reading.keys]
    ahead = len(missing) > BATCH and not anew
    for first in range(0, len(missing), BATCH):
        step("embedding", len(read) - len(missing) + first, len(read))
        new = _embedded(embedder, missing[first : first + BATCH])
        if ahead:
            library.add_vectors(model, new)
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
    return Prepared(document, chunks, windows_of, marked, model, vectors, ahead)


def save(prepared: Prepared, library: Library, *, origin: Origin, original: Original | None = None) -> None:
    """Make a prepared document searchable, in one transaction."""
    vectors = prepared.vectors
    if prepared.stored_ahead:  # somebody's clean-up may have dropped some since
        stored = library.vectors(prepared.model, vectors.keys())
        vectors = {key: vector for key, vector in vectors.items() if key not in stored}
    library.save(
        prepared.document,
        prepared.chunks,
        prepared.windows,
        prepared.sentences,
        origin=origin,
        model=prepared.model,
        vectors=vectors,
        original=original,
    )


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


def _embedded(embedder: Embedder, readings: Sequence[_Reading]) -> dict[str, Vector]:
    embedded = embedder.embed_parts(
        [reading.text for reading in readings], [reading.parts for reading in readings]
    )
    vectors: dict[str, Vector] = {}
    for reading, (whole, parts) in zip(readings, embedded, strict=True):
        vectors[reading.key] = whole
        vectors.update(zip(reading.part_keys, parts, strict=True))
    return vectors
