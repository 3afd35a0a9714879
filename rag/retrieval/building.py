"""Builds the in-memory index of the library's present version from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

from rag.embedding.base import Vectors
from rag.errors import MissingVectors
from rag.retrieval.index import (
    CorpusIndex,
    IndexedChunk,
    IndexedSentence,
    is_reference_list,
    lexical_text,
    sentences_within,
)
from rag.retrieval.lexical import LexicalIndex
from rag.storage.library import Library
from rag.stores.base import VectorStore


def build_index(
    library: Library, model: str, dimension: int, open_store: Callable[[Vectors], VectorStore]
) -> CorpusIndex:
    """Return the index of the library as it is now.

    Raises MissingVectors when one is lost or damaged.
    """
    with library.snapshot():
        version = library.version()
        chunks = library.all_chunks()
        documents = {summary.id: summary for summary in library.summaries()}
        windows, sentences = library.windows(), library.sentences()
        stored = library.vectors(
            model,
            {key for *_, key in windows} | {key for *_, key in sentences if key is not None},
        )

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
        vectors = np.asarray([stored[key] for key in rows], np.float32).reshape(-1, dimension)
    except KeyError:
        raise MissingVectors(
            f"The index lacks vectors of the embedding model {model}.",
            hint="Start Viva again: it embeds the documents anew.",
        ) from None

    indexed = []
    for chunk in chunks:
        inside = sentences_within(document_sentences[chunk.document_id], chunk)
        own = window_rows[chunk.id]
        first = own[0] if own else 0
        asked = first + len(own) - len(chunk.questions)  # the author's questions come last
        document = documents[chunk.document_id]
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
            )
        )
    lexical = LexicalIndex([lexical_text(documents[chunk.document_id].title, chunk) for chunk in chunks])
    return CorpusIndex(version, indexed, vectors, open_store(vectors), lexical)
