"""Search with FAISS behind LangChain's wrapper; the only module that imports langchain-community.

The vectors live in the database and this index is a cache of them in memory: nothing is ever written to
or read from a file (LangChain's `save_local` and `load_local` use pickle).
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from math import sqrt
from time import perf_counter
from typing import Any, cast

import faiss
import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.stores.base import Rows, Scores
from rag.types import IndexKind

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # langchain-community announces its retirement on import
    from langchain_community.docstore.base import Docstore
    from langchain_community.vectorstores.faiss import FAISS
    from langchain_community.vectorstores.utils import DistanceStrategy

ROWS_PER_CELL = 8
"""IVF has 4 square roots of the rows as cells, the usual choice, but at least so many rows in each."""
CELLS_VISITED = 1 / 7
"""Share of the cells that IVF visits by default: finds 98 % of the ten nearest of 12,000 rows."""
LINKS, CONSTRUCTION = 32, 200
"""HNSW's links a row and its candidate list while it is built (M and efConstruction)."""
CANDIDATES = 64
"""HNSW's candidate list in a search (efSearch); FAISS never takes fewer than the rows that are asked for,
so that less than that changes nothing."""
NARROW = 0.5
"""Share of the rows below which a filtered search compares them all: it costs less than the whole flat index,
and a graph or a few cells would lose most of them."""


class FaissStore:
    """One index over unit vectors.

    `flat` compares all of them, about 2 ms for 12,000 of 384 numbers; `ivf` only those in the cells nearest
    to the query; `hnsw` walks a graph of neighbours, which takes seconds to build.
    """

    def __init__(self, vectors: NDArray[np.float32], kind: IndexKind = "flat", effort: int = 0) -> None:
        """Index `vectors`, shape (rows, dimension), each of unit length; `effort` 0: the kind's own."""
        started = perf_counter()
        self.kind = kind
        self.size = len(vectors)
        index, own_effort, self.most_effort = _open(kind, vectors)
        self.effort = min(effort, self.most_effort) or own_effort
        if kind == "ivf":
            index.nprobe = self.effort
        elif kind == "hnsw":
            index.hnsw.efSearch = self.effort
        self._store = FAISS(
            embedding_function=_NoEmbeddings(),
            index=index,
            docstore=_RowNumbers(),
            index_to_docstore_id={row: str(row) for row in range(self.size)},
            distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT,
        )
        self.build_ms = (perf_counter() - started) * 1000

    def search(
        self, vector: NDArray[np.float32], k: int, *, among: Rows | None = None, effort: int = 0
    ) -> tuple[Rows, Scores]:
        """Return the row numbers and cosines of the `k` nearest rows, nearest first."""
        k = min(k, self.size if among is None else len(among))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        _one_thread()
        effort = self.effort if effort == 0 or self.kind == "flat" else min(effort, self.most_effort)
        if among is None and effort == self.effort:
            found = self._store.similarity_search_with_score_by_vector(cast("list[float]", vector), k=k)
            rows = np.fromiter((int(document.page_content) for document, _ in found), np.int64, len(found))
            return rows, np.fromiter((score for _, score in found), np.float32, len(found))
        chosen = None if among is None else _selector(among, self.size)
        index = self._store.index
        if among is not None and len(among) < NARROW * self.size:
            index, parameters = self._exact(chosen)
        else:
            parameters = self._parameters(chosen, effort)
        scores, found_rows = index.search(vector[np.newaxis], k, params=parameters)
        reached = found_rows[0] >= 0
        return found_rows[0][reached], scores[0][reached]

    def _parameters(self, chosen: Any, effort: int) -> Any:
        if self.kind == "ivf":
            return faiss.SearchParametersIVF(sel=chosen, nprobe=effort)  # type: ignore[call-arg]
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(sel=chosen, efSearch=effort)  # type: ignore[attr-defined]
        return faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]

    def _exact(self, chosen: Any) -> tuple[Any, Any]:
        """Return what compares every chosen row: all cells of IVF, or the vectors below HNSW's graph."""
        if self.kind == "hnsw":
            flat = faiss.downcast_index(self._store.index.storage)
            return flat, faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
        return self._store.index, self._parameters(chosen, self.most_effort)


def _open(kind: IndexKind, vectors: NDArray[np.float32]) -> tuple[Any, int, int]:
    """Return the filled FAISS index, its own effort and the most that makes sense."""
    _one_thread()
    rows, dimension = vectors.shape
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    index: Any
    effort = most = 0
    if kind == "ivf":
        most = max(1, min(round(4 * sqrt(rows)), rows // ROWS_PER_CELL))
        effort = max(1, round(most * CELLS_VISITED))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, most, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1  # or FAISS prints a warning
        if rows:
            index.train(vectors)  # k-means from a fixed seed
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = CONSTRUCTION
        effort, most = CANDIDATES, max(CANDIDATES, rows)
    else:
        index = faiss.IndexFlatIP(dimension)
    if rows:
        index.add(vectors)
    return index, effort, most


def _one_thread() -> None:
    """Let FAISS work in this thread alone; the setting counts for the thread that makes it.

    Several threads gain nothing on one query and wait for each other when the processor is busy.
    """
    faiss.omp_set_num_threads(1)


def _selector(among: Rows, size: int) -> Any:
    bits = np.zeros(size, np.bool_)
    bits[among] = True
    packed = np.packbits(bits, bitorder="little")
    selector: Any = faiss.IDSelectorBitmap(len(packed), faiss.swig_ptr(packed))
    selector.packed = packed  # FAISS keeps a pointer only
    return selector


class _RowNumbers(Docstore):
    """Stands where LangChain keeps texts: the texts are in the database, here a row is its number."""

    def search(self, search: str) -> Document:
        return _row(search)


@lru_cache(maxsize=16_384)
def _row(number: str) -> Document:
    """Return a row's number as LangChain wants it; making one takes longer than finding it."""
    return Document(page_content=number)


class _NoEmbeddings(Embeddings):
    """Queries arrive as vectors; LangChain is never asked to embed."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError("search by vector")

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError("search by vector")
