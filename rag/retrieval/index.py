"""Holds one version of the library in memory, ready to search; a changed library gives a new index."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Vectors
from rag.retrieval.lexical import LexicalIndex
from rag.stores.base import Rows, VectorStore
from rag.types import Chunk, Filters, IndexKind

OpenStore = Callable[[Vectors, IndexKind], VectorStore]
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
    owner: str = ""
    """Who may read its document; empty: everybody."""
    stems: tuple[str, ...] = ()
    """Of the words of its text, with repeats."""
    text_hash: int = 0
    """Python's own hash of its text, which holds for this process alone."""

    @property
    def rows(self) -> Iterator[int]:
        """All rows of the index that lead to this chunk."""
        yield from range(self.windows.start, self.windows.stop)
        yield from range(self.questions.start, self.questions.stop)
        yield from map(int, self.sentence_rows)

    def is_still(self, chunk: Chunk) -> bool:
        """Tell whether the stored chunk of the same id has the place and text that were indexed."""
        return (self.start, self.end, self.text_hash) == (chunk.start, chunk.end, hash(chunk.text))


class _Groups:
    """Rows of the index by chunk, laid out so that all chunks are looked at in one pass."""

    def __init__(self, groups: Sequence[Rows]) -> None:
        self._size = len(groups)
        self._lengths = np.array([len(rows) for rows in groups], np.int64)
        self._filled = np.flatnonzero(self._lengths)
        self._starts = (np.cumsum(self._lengths) - self._lengths)[self._filled]
        self._rows = np.concatenate([np.zeros(0, np.int64), *groups]).astype(np.int64)

    def best(self, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the highest of each chunk's rows, shape (chunks,); NaN where it has none."""
        found = np.full(self._size, np.nan, np.float32)
        if len(self._filled):
            found[self._filled] = np.maximum.reduceat(similar[self._rows], self._starts)
        return found

    def rows(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return the rows of the chosen chunks; a row that two of them share comes twice."""
        return self._rows[np.repeat(chosen, self._lengths)]

    def by_row(self) -> dict[int, list[int]]:
        """Return the numbers of the chunks of every row that has any."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        numbers = np.repeat(np.arange(self._size), self._lengths)
        for row, number in zip(self._rows.tolist(), numbers.tolist(), strict=True):
            found[row].append(number)
        return dict(found)


class CorpusIndex:
    """Vectors, words and places of all chunks of one version of the library. Never changed once built."""

    def __init__(
        self,
        version: int,
        chunks: Sequence[IndexedChunk],
        vectors: Vectors,
        row_of: Mapping[str, int],
        open_store: OpenStore,
        lexical: LexicalIndex,
    ) -> None:
        """`vectors` holds the windows and sentences of all chunks, `row_of` the place of each by its key.

        `open_store` opens an index of one kind over the same rows; each kind is opened when first asked for.
        """
        self.version = version
        self.chunks = chunks
        self.vectors = vectors
        self.row_of = row_of
        self.lexical = lexical
        self.lists_references = np.array([chunk.lists_references for chunk in chunks], np.bool_)
        """For every chunk whether it only names literature, shape (chunks,)."""
        self.texts: dict[str, Chunk] = {}
        """Stored chunks by id that were read while the library had this version."""
        self._open_store = open_store
        self._opening = Lock()
        self._stores: dict[IndexKind, VectorStore] = {}
        windows = [np.arange(chunk.windows.start, chunk.windows.stop) for chunk in chunks]
        questions = [np.arange(chunk.questions.start, chunk.questions.stop) for chunk in chunks]
        self._windows = _Groups(windows)
        self._questions = _Groups(questions)
        self._sentences = _Groups([chunk.sentence_rows for chunk in chunks])
        self._all = _Groups(
            [
                np.concatenate([*own, chunk.sentence_rows])
                for *own, chunk in zip(windows, questions, chunks, strict=True)
            ]
        )
        self._chunks_of_row = self._all.by_row()
        self._number_of = {chunk.id: number for number, chunk in enumerate(chunks)}
        self._numbers_in: defaultdict[str, list[int]] = defaultdict(list)
        self._owned: defaultdict[str, list[int]] = defaultdict(list)
        for number, chunk in enumerate(chunks):
            self._numbers_in[chunk.document_id].append(number)
            self._owned[chunk.owner].append(number)

    def store(self, kind: IndexKind) -> VectorStore:
        """Return the index of this kind, building it when it is asked for the first time."""
        if kind not in self._stores:
            with self._opening:
                if kind not in self._stores:
                    self._stores[kind] = self._open_store(self.vectors, kind)
        return self._stores[kind]

    def chunk(self, chunk_id: str) -> IndexedChunk | None:
        """Return the chunk with this id; None when this version of the library has none."""
        number = self.number(chunk_id)
        return None if number is None else self.chunks[number]

    def number(self, chunk_id: str) -> int | None:
        """Return the place of a chunk in `chunks`; None when this version of the library has no such."""
        return self._number_of.get(chunk_id)

    def similar(self, vector: NDArray[np.float32], among: Rows | None = None) -> NDArray[np.float32]:
        """Return the cosine of every row with a unit vector, shape (rows,).

        With `among` (ascending), only these rows are compared; the others have NaN.
        """
        # not `@`: the threads of BLAS wait for each other on a busy processor, often for 10 ms and more
        if among is None:
            return np.asarray(np.einsum("ij,j->i", self.vectors, vector), np.float32)
        found = np.full(len(self.vectors), np.nan, np.float32)
        # a document's rows lie in few runs, and to copy rows takes longer than to compare them
        for run in np.split(among, np.flatnonzero(np.diff(among) > 1) + 1):
            if len(run):
                rows = slice(int(run[0]), int(run[-1]) + 1)
                found[rows] = np.einsum("ij,j->i", self.vectors[rows], vector)
        return found

    def cosines(self, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how near each chunk is to a query, shape (chunks,), given the cosines of all its rows.

        The mean of the chunk's best window and best sentence: the sentence finds the fact, the window its
        surroundings, and together they rank better than either. Where the author wrote down which questions
        the chunk answers, the nearest of them has half the weight. 0 for a chunk without vectors.
        """
        windows, sentences = self._windows.best(similar), self._sentences.best(similar)
        text = (windows + np.where(np.isnan(sentences), windows, sentences)) / 2
        questions = self._questions.best(similar)
        found = np.where(np.isnan(questions), text, (text + questions) / 2)
        return np.nan_to_num(found, nan=0.0).astype(np.float32, copy=False)

    def chunks_in(self, document_id: str) -> Sequence[int]:
        """Return the numbers of a document's chunks."""
        return self._numbers_in.get(document_id, ())

    def beside(self, numbers: Collection[int]) -> NDArray[np.bool_]:
        """Return for every chunk whether its document holds one of these, shape (chunks,)."""
        found = np.zeros(len(self.chunks), np.bool_)
        for document_id in {self.chunks[number].document_id for number in numbers}:
            found[self._numbers_in[document_id]] = True
        return found

    def chunks_of(self, row: int) -> Sequence[int]:
        """Return the numbers of the chunks that hold this window or sentence; overlap can make them two."""
        return self._chunks_of_row.get(row, ())

    def allowed(self, filters: Filters) -> NDArray[np.bool_]:
        """Return for every chunk whether the filters admit it, shape (chunks,)."""
        admitted = np.zeros(len(self.chunks), np.bool_)
        for owner in {"", filters.reader}:
            admitted[self._owned.get(owner, [])] = True
        if filters.topics or filters.document_ids:
            admitted &= np.fromiter(
                (
                    (not filters.topics or chunk.topic in filters.topics)
                    and (not filters.document_ids or chunk.document_id in filters.document_ids)
                    for chunk in self.chunks
                ),
                np.bool_,
                len(self.chunks),
            )
        return admitted

    def rows_of(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return all rows of the chosen chunks (one flag a chunk), ascending."""
        flags = np.zeros(len(self.vectors), np.bool_)
        flags[self._all.rows(chosen)] = True
        return np.flatnonzero(flags)


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
