"""Builds the in-memory index of the library's present version from the database.

What the index of an earlier version already holds is taken from there: vectors by their key, the stems of a
passage by its text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from rag.errors import MissingVectors
from rag.retrieval.index import (
    CorpusIndex,
    IndexedChunk,
    IndexedSentence,
    OpenStore,
    is_reference_list,
    sentences_within,
)
from rag.retrieval.lexical import LexicalIndex
from rag.storage.library import Library
from rag.text.words import stems
from rag.types import Chunk


def build_index(
    library: Library,
    model: str,
    dimension: int,
    open_store: OpenStore,
    previous: CorpusIndex | None = None,
) -> CorpusIndex:
    """Return the index of the library as it is now.

    `previous` is the index of an earlier version with vectors of the same model. Raises MissingVectors when
    a vector is lost or damaged.
    """
    known = {key: previous.vectors[row] for key, row in previous.row_of.items()} if previous else {}
    with library.snapshot():
        version = library.version()
        chunks = library.all_chunks()
        documents = {summary.id: summary for summary in library.summaries()}
        windows, sentences = library.windows(), library.sentences()
        keys = {window.vector_key for window in windows}
        keys |= {sentence.vector_key for sentence in sentences if sentence.vector_key is not None}
        fresh = library.vectors(model, keys - known.keys())

    rows: list[str] = []
    window_rows: defaultdict[str, list[int]] = defaultdict(list)
    for chunk_id, _, _, key in windows:
        window_rows[chunk_id].append(len(rows))
        rows.append(key)
    document_sentences: defaultdict[str, list[IndexedSentence]] = defaultdict(list)
    for document_id, start, end, kind, list_id, sentence_key in sentences:
        row = None if sentence_key is None else len(rows)
        if sentence_key is not None:
            rows.append(sentence_key)
        document_sentences[document_id].append(IndexedSentence(start, end, kind, list_id, row))
    try:
        found = [known[key] if key in known else fresh[key] for key in rows]
        vectors = np.asarray(found, np.float32).reshape(-1, dimension)
    except KeyError:
        raise MissingVectors(
            f"The index lacks vectors of the embedding model {model}.",
            hint="Start Viva again: it embeds the documents anew.",
        ) from None

    stems_before = {chunk.text_hash: chunk.stems for chunk in previous.chunks} if previous else {}
    indexed = []
    for chunk in chunks:
        inside = sentences_within(document_sentences[chunk.document_id], chunk)
        own = window_rows[chunk.id]
        first = own[0] if own else 0
        asked = first + len(own) - len(chunk.questions)  # the author's questions come last
        document = documents[chunk.document_id]
        text_hash = hash(chunk.text)
        indexed.append(
            IndexedChunk(
                id=chunk.id,
                document_id=chunk.document_id,
                title=document.title,
                topic=document.topic,
                start=chunk.start,
                end=chunk.end,
                windows=slice(first, asked),
                questions=slice(asked, first + len(own)),
                sentences=inside,
                sentence_rows=np.asarray([s.row for s in inside if s.row is not None], np.int64),
                lists_references=is_reference_list(chunk.heading_path),
                owner=document.owner,
                stems=stems_before.get(text_hash) or tuple(stems(chunk.text)),
                text_hash=text_hash,
            )
        )
    lexical = LexicalIndex.of_stems(
        [
            _lexical_stems(place.title, chunk, place.stems)
            for place, chunk in zip(indexed, chunks, strict=True)
        ]
    )
    return CorpusIndex(
        version, indexed, vectors, {key: row for row, key in enumerate(rows)}, open_store, lexical
    )


def _lexical_stems(title: str, chunk: Chunk, of_text: Sequence[str]) -> list[str]:
    """Return what the lexical index reads of a chunk: title, headings, text and its author's questions."""
    around = (_stems_of_line(line) for line in (title, *chunk.heading_path, *chunk.questions))
    return [*of_text, *(stem for line in around for stem in line)]


@lru_cache(maxsize=16_384)
def _stems_of_line(line: str) -> tuple[str, ...]:
    return tuple(stems(line))
