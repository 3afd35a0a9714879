"""Measures what each kind of vector index finds and how long it takes, on the library's own vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Progress, no_progress
from rag.evaluation.metrics import percentile
from rag.retrieval.index import CorpusIndex
from rag.stores.base import Rows, VectorStore
from rag.types import IndexKind

EFFORTS: dict[IndexKind, tuple[int, ...]] = {
    "flat": (0,),
    "ivf": (1, 2, 4, 8, 16, 32),
    "hnsw": (16, 32, 64, 128, 256),
}
"""Cells that are visited (nprobe), and lengths of the candidate list (efSearch)."""
QUERIES, NEAREST = 200, 10
TIE = 1e-6
"""Cosines nearer than this count as equal: the same sentence may stand in two documents."""


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """How one kind of index did with one effort."""

    kind: IndexKind
    effort: int
    """nprobe or efSearch; 0 for flat."""
    recall_at_10: float
    """Share of the ten nearest rows that were found, mean over the queries, 0 to 1."""
    p50_ms: float
    """Milliseconds a query, in one thread."""
    p95_ms: float
    build_ms: float
    """Milliseconds to build the index, training included; the same for all efforts of a kind."""


def compare_indexes(
    index: CorpusIndex, progress: Progress = no_progress, *, queries: int = QUERIES
) -> list[IndexFigures]:
    """Return the figures of flat, IVF and HNSW; empty for a library of fewer than two vectors.

    Up to `queries` stored vectors are the queries, each without itself among the answers: questions that
    authors wrote down, then sentences. Kinds that are not in use are built, which takes seconds for HNSW, and
    stay with `index`. `progress` gets a named step, e.g. "hnsw".
    """
    chosen = _queries(index, queries)
    wanted = min(NEAREST, len(index.vectors) - 1)
    if wanted < 1:
        return []
    similar = index.vectors[chosen] @ index.vectors.T
    similar[np.arange(len(chosen)), chosen] = -np.inf
    borders = np.asarray(np.partition(similar, -wanted, axis=1)[:, -wanted] - TIE, np.float32)
    figures: list[IndexFigures] = []
    steps = sum(len(efforts) for efforts in EFFORTS.values())
    for kind, efforts in EFFORTS.items():
        progress(kind, len(figures), steps)
        store = index.store(kind)
        for effort in efforts:
            if effort > store.most_effort:
                continue
            figures.append(_figures(store, effort, index.vectors, chosen, borders, wanted))
            progress(kind, len(figures), steps)
    progress("done", steps, steps)
    return figures


def index_figures_to_json(figures: Sequence[IndexFigures]) -> list[dict[str, Any]]:
    """Return the figures as JSON objects, in order."""
    return [asdict(row) for row in figures]


def _queries(index: CorpusIndex, most: int) -> Rows:
    """Return the rows to ask for, ascending: authors' questions, then other rows, evenly spaced."""
    asked = [row for chunk in index.chunks for row in range(chunk.questions.start, chunk.questions.stop)]
    questions = _spaced(np.unique(np.asarray(asked, np.int64)), most)
    sentences = [chunk.sentence_rows for chunk in index.chunks]
    others = np.unique(np.concatenate([np.zeros(0, np.int64), *sentences]))
    return np.concatenate([questions, _spaced(others, most - len(questions))])


def _spaced(rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _figures(
    store: VectorStore,
    effort: int,
    vectors: NDArray[np.float32],
    chosen: Rows,
    borders: NDArray[np.float32],
    wanted: int,
) -> IndexFigures:
    """Return recall and times; a row counts as found when it is as near as the last of the exact nearest."""
    found, milliseconds = 0, []
    for query, border in zip(chosen.tolist(), borders.tolist(), strict=True):
        started = perf_counter()
        rows, cosines = store.search(vectors[query], wanted + 1, effort=effort)
        milliseconds.append((perf_counter() - started) * 1000)
        near = (rows != query) & (cosines >= border)
        found += min(wanted, int(near.sum()))
    return IndexFigures(
        store.kind,
        effort,
        found / (wanted * len(chosen)),
        percentile(milliseconds, 0.5),
        percentile(milliseconds, 0.95),
        store.build_ms,
    )
