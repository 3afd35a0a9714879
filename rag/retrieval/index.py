"""Holds one version of the library in memory, ready to search; a changed library gives a new index."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Vectors
from rag.retrieval.lexical import LexicalIndex
from rag.stores.base import Rows, VectorStore
from rag.types import Chunk, Filters

REFERENCE_HEADINGS = frozenset({"references", "bibliography", "further reading", "see also", "literature"})


@dataclass(frozen=True, slots=True)
class IndexedSentence:
    """A quotable unit of a document, with its vector where it has one."""

    start: int
    end: int
    kind: str
    """prose, list_item, table_row, code or heading."""
    list_id: int | None
    """The same for all items of one list; None outside lists."""
    row: int | None
    """Row of its vector; None for code and headings, which are not embedded."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """Where a chunk stands and which rows of the index are its windows and sentences."""

    id: str
    document_id: str
    title: str
    topic: str
    start: int
    end: int
    windows: slice
    questions: slice
    """The vectors of the questions that the author says it answers."""
    sentences: tuple[IndexedSentence, ...]
    sentence_rows: Rows
    lists_references: bool = False
    """It only names literature, which matches many questions and answers none."""

    @property
    def rows(self) -> Iterator[int]:
        """All rows of the index that lead to this chunk."""
        yield from range(self.windows.start, self.windows.stop)
        yield from range(self.questions.start, self.questions.stop)
        yield from map(int, self.sentence_rows)


class _Groups:
    """Rows of the index by chunk, laid out so that the best of each chunk is found in one pass."""

    def __init__(self, groups: Sequence[Rows]) -> None:
        self._size = len(groups)
        lengths = np.array([len(rows) for rows in groups], np.int64)
        self._filled = np.flatnonzero(lengths)
        self._starts = (np.cumsum(lengths) - lengths)[self._filled]
        self._rows = np.concatenate([np.zeros(0, np.int64), *groups]).astype(np.int64)

    def best(self, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the highest of each chunk's rows, shape (chunks,); NaN where it has none."""
        found = np.full(self._size, np.nan, np.float32)
        if len(self._filled):
            found[self._filled] = np.maximum.reduceat(similar[self._rows], self._starts)
        return found


class CorpusIndex:
    """Vectors, words and places of all chunks of one version of the library. Never changed once built."""

    def __init__(
        self,
        version: int,
        chunks: Sequence[IndexedChunk],
        vectors: Vectors,
        store: VectorStore,
        lexical: LexicalIndex,
    ) -> None:
        """`vectors` holds the windows of all chunks, then the sentences; `store` searches the same rows."""
        self.version = version
        self.chunks = chunks
        self.vectors = vectors
        self.store = store
        self.lexical = lexical
        self._windows = _Groups([np.arange(chunk.windows.start, chunk.windows.stop) for chunk in chunks])
        self._sentences = _Groups([chunk.sentence_rows for chunk in chunks])
        self._questions = _Groups(
            [np.arange(chunk.questions.start, chunk.questions.stop) for chunk in chunks]
        )
        self._number_of = {chunk.id: number for number, chunk in enumerate(chunks)}
        self._numbers_in: defaultdict[str, list[int]] = defaultdict(list)
        for number, chunk in enumerate(chunks):
            self._numbers_in[chunk.document_id].append(number)
        self._chunks_of_row: defaultdict[int, list[int]] = defaultdict(list)
        for number, chunk in enumerate(chunks):
            for row in chunk.rows:
                self._chunks_of_row[row].append(number)

    def chunk(self, chunk_id: str) -> IndexedChunk | None:
        """Return the chunk with this id; None when this version of the library has none."""
        number = self._number_of.get(chunk_id)
        return None if number is None else self.chunks[number]

    def cosines(self, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how near each chunk is to a query, shape (chunks,), given the cosine of every row.

        The mean of the chunk's best window and best sentence: the sentence finds the fact, the window its
        surroundings, and together they rank better than either. Where the author wrote down which questions
        the chunk answers, the nearest of them has half the weight.
        """
        windows, sentences = self._windows.best(similar), self._sentences.best(similar)
        text = (windows + np.where(np.isnan(sentences), windows, sentences)) / 2
        questions = self._questions.best(similar)
        return np.asarray(np.where(np.isnan(questions), text, (text + questions) / 2), np.float32)

    def chunks_in(self, document_id: str) -> Sequence[int]:
        """Return the numbers of a document's chunks."""
        return self._numbers_in[document_id]

    def chunks_of(self, row: int) -> Sequence[int]:
        """Return the numbers of the chunks that hold this window or sentence; overlap can make them two."""
        return self._chunks_of_row.get(row, ())

    def allowed(self, filters: Filters) -> NDArray[np.bool_]:
        """Return for every chunk whether the filters admit it, shape (chunks,)."""
        return np.fromiter(
            (
                (not filters.topics or chunk.topic in filters.topics)
                and (not filters.document_ids or chunk.document_id in filters.document_ids)
                for chunk in self.chunks
            ),
            np.bool_,
            len(self.chunks),
        )

    def rows_of(self, chunk_numbers: Sequence[int]) -> Rows:
        """Return all rows of the given chunks, ascending."""
        rows = [row for number in chunk_numbers for chunk in (self.chunks[number],) for row in chunk.rows]
        return np.unique(np.asarray(rows, np.int64))


def sentences_within(sentences: Sequence[IndexedSentence], chunk: Chunk) -> tuple[IndexedSentence, ...]:
    """Return the sentences (ordered, of one document) that lie wholly inside `chunk`."""
    first = bisect_left(sentences, chunk.start, key=lambda sentence: sentence.start)
    inside = []
    for sentence in sentences[first:]:
        if sentence.start >= chunk.end:
            break
        if sentence.end <= chunk.end:
            inside.append(sentence)
    return tuple(inside)


def is_reference_list(heading_path: Sequence[str]) -> bool:
    """Tell whether the passage under these headings only names literature."""
    return bool(heading_path) and heading_path[-1].strip().lower() in REFERENCE_HEADINGS


def lexical_text(title: str, chunk: Chunk) -> str:
    """Return what the lexical index reads of a chunk: title, headings, text and its author's questions."""
    return "\n".join((title, *chunk.heading_path, chunk.text, *chunk.questions))
