"""Asks both lists about a query: how near every chunk is by meaning and how well it does by words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
    similar: NDArray[np.float32]
    """Cosine of every row, shape (rows,)."""
    cosines: NDArray[np.float32]
    shares: NDArray[np.float32]
    """Lexical scores; 0 where no word is shared and where a chunk is not allowed."""
    by_words: Numbers
    """The allowed chunks that share a word, best first."""
    dense: tuple[int, ...]
    """The chunks that the list by meaning contributes, nearest row first."""
    lexical: tuple[int, ...]
    """Those that the list by words contributes."""
    fused: NDArray[np.float64]
    """Fused score of every chunk, before its document's company is weighed."""
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
    """Return what both lists say about a query, given its unit vector and its stems."""
    started = perf_counter()
    allowed = index.allowed(filters)
    among = None if allowed.all() else index.rows_of(allowed)
    most = list_length(config)
    similar = index.similar(vector)
    cosines = index.cosines(similar)
    rows, _ = index.store(config.index).search(
        vector, most * ROWS_PER_CANDIDATE, among=among, effort=config.effort
    )
    dense = _chunks(index, rows, allowed, most)
    searched = perf_counter()
    shares = np.where(allowed, index.lexical.scores(terms), np.float32(0))
    sharing = np.flatnonzero(shares > 0)
    by_words = sharing[np.argsort(-shares[sharing], kind="stable")]
    fused = fused_score(cosines.astype(np.float64), shares.astype(np.float64), config.words_weight)
    fused[index.lists_references] *= BEHIND
    worded = perf_counter()
    return Lists(
        allowed,
        among,
        similar,
        cosines,
        shares,
        by_words,
        dense,
        tuple(by_words[:most].tolist()),
        fused,
        {"dense": (searched - started) * 1000, "lexical": (worded - searched) * 1000},
    )


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
