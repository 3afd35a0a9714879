"""Asks both lists about a query, and weighs the passages they name and those of the same documents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.retrieval.fusion import company, fused_score
from rag.retrieval.index import CorpusIndex
from rag.stores.base import Rows
from rag.types import Filters, RetrievalConfig

ROWS_PER_CANDIDATE = 8
"""Rows asked of the vector store per candidate chunk: a chunk has several windows and sentences."""
BEHIND = 0.5
"""What a list of references keeps of its score."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lists:
    """What the two lists say, by chunk number; arrays have shape (chunks,) where nothing else is said."""

    allowed: NDArray[np.bool_]
    among: Rows | None
    """Rows of the allowed chunks; None when all are allowed."""
    vector: NDArray[np.float32]
    """Unit vector of the query, shape (dimension,)."""
    similar: NDArray[np.float32]
    """Cosine of every row that was compared, shape (rows,); NaN for the others."""
    cosines: NDArray[np.float32]
    """NaN for the chunks of documents without a candidate, which are not compared."""
    shares: NDArray[np.float32]
    """Lexical scores; 0 where no word is shared and where a chunk is not allowed."""
    by_words: Numbers
    """The allowed chunks that share a word, best first."""
    dense: tuple[int, ...]
    """The chunks that the list by meaning contributes, nearest row first."""
    lexical: tuple[int, ...]
    """Those that the list by words contributes."""
    fused: NDArray[np.float64]
    """Fused score, before the document's company is weighed; NaN where the cosine is."""
    timings_ms: dict[str, float]
    """dense, lexical."""

    @property
    def listed(self) -> frozenset[int]:
        """The candidates: what at least one list contributes."""
        return frozenset((*self.dense, *self.lexical))


def search(
    index: CorpusIndex,
    vector: NDArray[np.float32],
    terms: Sequence[str],
    filters: Filters,
    config: RetrievalConfig,
) -> Lists:
    """Return what both lists say about a query, given its unit vector and its stems.

    Compared exactly, whatever the index, are the rows it found and all rows of the candidates' documents.
    """
    started = perf_counter()
    allowed = index.allowed(filters)
    among = None if allowed.all() else index.rows_of(allowed)
    most = list_length(config)
    rows, _ = index.store(config.index).search(
        vector, most * ROWS_PER_CANDIDATE, among=among, effort=config.effort
    )
    dense = _chunks(index, rows, allowed, most)
    searched = perf_counter()
    shares = np.where(allowed, index.lexical.scores(terms), np.float32(0))
    sharing = np.flatnonzero(shares > 0)
    by_words = sharing[np.argsort(-shares[sharing], kind="stable")]
    lexical = tuple(by_words[:most].tolist())
    worded = perf_counter()
    weighed = index.beside({*dense, *lexical})
    compared = np.zeros(len(index.vectors), np.bool_)
    compared[rows] = True
    compared[index.rows_of(weighed)] = True
    similar = index.similar(vector, np.flatnonzero(compared))
    cosines = np.where(weighed, index.cosines(similar), np.float32(np.nan))
    fused = _fused(index, cosines, shares, config)
    done = perf_counter()
    return Lists(
        allowed,
        among,
        vector,
        similar,
        cosines,
        shares,
        by_words,
        dense,
        lexical,
        fused,
        {"dense": (searched - started + done - worded) * 1000, "lexical": (worded - searched) * 1000},
    )


def all_compared(index: CorpusIndex, lists: Lists, config: RetrievalConfig) -> Lists:
    """Return the lists of a search with the cosine of every row and the score of every chunk."""
    similar = index.similar(lists.vector)
    cosines = index.cosines(similar)
    fused = _fused(index, cosines, lists.shares, config)
    return replace(lists, similar=similar, cosines=cosines, fused=fused)


def list_length(config: RetrievalConfig) -> int:
    """Return how many chunks each list contributes at most."""
    return max(config.candidates, config.top_k)


def final_scores(index: CorpusIndex, lists: Lists, numbers: Collection[int]) -> dict[int, float]:
    """Return what decides the places of these chunks: the fused score less what its company takes from it."""
    documents = {index.chunks[number].document_id for number in numbers}
    alone = {
        document_id: company(lists.fused[index.chunks_in(document_id)].tolist()) for document_id in documents
    }
    return {
        number: float(lists.fused[number]) - alone[index.chunks[number].document_id] for number in numbers
    }


def _fused(
    index: CorpusIndex, cosines: NDArray[np.float32], shares: NDArray[np.float32], config: RetrievalConfig
) -> NDArray[np.float64]:
    fused = fused_score(cosines.astype(np.float64), shares.astype(np.float64), config.words_weight)
    fused[index.lists_references] *= BEHIND
    return fused


def _chunks(index: CorpusIndex, rows: Rows, allowed: NDArray[np.bool_], most: int) -> tuple[int, ...]:
    """Return at most `most` chunks by their nearest window or sentence, nearest first."""
    found: dict[int, None] = {}
    for row in rows.tolist():
        for number in index.chunks_of(row):
            if allowed[number]:
                found.setdefault(number)
        if len(found) >= most:
            break
    return tuple(found)[:most]
