"""Measures what each kind of vector index finds, and how long it and a whole search with it take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Progress, no_progress
from rag.evaluation.metrics import percentile
from rag.retrieval.index import CorpusIndex
from rag.retrieval.retriever import Retriever
from rag.storage.library import Library
from rag.stores.base import Rows, VectorStore
from rag.types import Filters, IndexKind, RetrievalConfig

WholeSearch = Callable[[str, IndexKind, int], float]
"""Searches for a text with a kind of index and an effort; returns milliseconds, embedding left out."""

EFFORTS: dict[IndexKind, tuple[int, ...]] = {
    "flat": (0,),
    "ivf": (1, 2, 4, 8, 16, 32),
    "hnsw": (16, 32, 64, 128, 256),
}
"""Cells that are visited (nprobe), and lengths of the candidate list (efSearch)."""
QUERIES, NEAREST = 200, 10
WHOLE_SEARCHES, WORDS_ASKED = 20, 12
"""Texts that are searched for with every index and effort, and how long one is where no author asked it."""
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
    """Milliseconds a query takes in the index alone, in one thread."""
    p95_ms: float
    build_ms: float
    """Milliseconds to build the index, training included; the same for all efforts of a kind."""
    search_p50_ms: float
    """Milliseconds of a whole search with it: both lists, fusion and cut-off; the embedding left out."""


def measure_indexes(
    retriever: Retriever,
    library: Library,
    config: RetrievalConfig,
    filters: Filters = Filters(),
    progress: Progress = no_progress,
) -> list[IndexFigures]:
    """Return the figures of every index over the library; whole searches have `config` and `filters`."""

    def whole(text: str, kind: IndexKind, effort: int) -> float:
        tried = replace(config, index=kind, effort=effort)
        timings = retriever.retrieve(text, filters=filters, config=tried).timings_ms
        return timings["total"] - timings["embed"]

    index = retriever.index
    return compare_indexes(index, _texts(index, library), whole, progress)


def compare_indexes(
    index: CorpusIndex,
    texts: Sequence[str],
    whole: WholeSearch,
    progress: Progress = no_progress,
    *,
    queries: int = QUERIES,
) -> list[IndexFigures]:
    """Return the figures of flat, IVF and HNSW; empty for a library of fewer than two vectors.

    Up to `queries` stored vectors are the queries, each without itself among the answers: questions that
    authors wrote down, then sentences, then windows. `texts` are what `whole` searches for. Kinds that are
    not in use are built, which takes seconds for HNSW, and stay with `index`. `progress` gets a named step,
    e.g. "hnsw".
    """
    chosen = _queries(index, queries)
    wanted = min(NEAREST, len(index.vectors) - 1)
    if wanted < 1 or not len(chosen):
        return []
    similar = index.vectors[chosen] @ index.vectors.T
    similar[np.arange(len(chosen)), chosen] = -np.inf
    borders = np.asarray(np.partition(similar, -wanted, axis=1)[:, -wanted] - TIE, np.float32)
    figures: list[IndexFigures] = []
    steps = sum(len(efforts) for efforts in EFFORTS.values()) + len(texts)
    for kind, efforts in EFFORTS.items():
        progress(kind, len(figures), steps)
        store = index.store(kind)
        for effort in efforts:
            if effort > store.most_effort:
                continue
            figures.append(_figures(store, effort, index.vectors, chosen, borders, wanted))
            progress(kind, len(figures), steps)
    times: list[list[float]] = [[] for _ in figures]
    for done, text in enumerate(texts):
        progress("search", steps - len(texts) + done, steps)
        whole(text, "flat", 0)  # not counted: it reads passages that the others find in memory
        for figure, taken in zip(figures, times, strict=True):  # by turns: a busy moment slows them all
            taken.append(whole(text, figure.kind, figure.effort))
    progress("done", steps, steps)
    return [
        replace(figure, search_p50_ms=percentile(taken, 0.5))
        for figure, taken in zip(figures, times, strict=True)
    ]


def index_figures_to_json(figures: Sequence[IndexFigures]) -> list[dict[str, Any]]:
    """Return the figures as JSON objects, in order."""
    return [asdict(row) for row in figures]


def _queries(index: CorpusIndex, most: int) -> Rows:
    """Return the rows to ask for: authors' questions, then sentences, then windows, each evenly spaced."""
    asked = [row for chunk in index.chunks for row in range(chunk.questions.start, chunk.questions.stop)]
    questions = _spaced(np.unique(np.asarray(asked, np.int64)), most)
    sentences = np.unique(np.concatenate([np.zeros(0, np.int64), *(c.sentence_rows for c in index.chunks)]))
    windows = np.unique(
        np.concatenate(
            [np.zeros(0, np.int64), *(np.arange(c.windows.start, c.windows.stop) for c in index.chunks)]
        )
    )
    chosen = questions
    for rows in (sentences, windows):  # code has no embedded sentences
        chosen = np.concatenate([chosen, _spaced(rows, most - len(chosen))])
    return chosen


def _spaced(rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _texts(index: CorpusIndex, library: Library) -> list[str]:
    """Return what is searched for: of chunks evenly spaced, an author's question or else the first words."""
    spaced = _spaced(np.arange(len(index.chunks)), WHOLE_SEARCHES).tolist()
    chunks = library.chunks_by_id([index.chunks[number].id for number in spaced]).values()
    return [
        chunk.questions[0] if chunk.questions else " ".join(chunk.text.split()[:WORDS_ASKED])
        for chunk in chunks
    ]


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
        search_p50_ms=0.0,
    )
