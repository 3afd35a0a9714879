"""Exact search with FAISS behind LangChain's wrapper; the only module that imports langchain-community.

The vectors live in the database and this index is a cache of them in memory: nothing is ever written to
or read from a file (LangChain's `save_local` and `load_local` use pickle).
"""

from __future__ import annotations

import warnings
from typing import cast

import faiss
import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.stores.base import Rows, Scores

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # langchain-community announces its retirement on import
    from langchain_community.docstore.base import Docstore
    from langchain_community.vectorstores.faiss import FAISS
    from langchain_community.vectorstores.utils import DistanceStrategy


class FaissStore:
    """A flat index: every search compares all vectors, about 5 ms for 50,000 of 384 numbers."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        """Index `vectors`, shape (rows, dimension), each of unit length."""
        self.size = len(vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
        if self.size:
            index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        self._store = FAISS(
            embedding_function=_NoEmbeddings(),
            index=index,
            docstore=_RowNumbers(),
            index_to_docstore_id={row: str(row) for row in range(self.size)},
            distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT,
        )

    def search(
        self, vector: NDArray[np.float32], k: int, *, among: Rows | None = None
    ) -> tuple[Rows, Scores]:
        """Return the row numbers and cosines of the `k` nearest rows, nearest first."""
        k = min(k, self.size if among is None else len(among))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if among is not None:
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(among))  # type: ignore[call-arg]
            scores, rows = self._store.index.search(vector[np.newaxis], k, params=chosen)
            return rows[0], scores[0]
        found = self._store.similarity_search_with_score_by_vector(cast("list[float]", vector), k=k)
        rows = np.fromiter((int(document.page_content) for document, _ in found), np.int64, len(found))
        return rows, np.fromiter((score for _, score in found), np.float32, len(found))


class _RowNumbers(Docstore):
    """Stands where LangChain keeps texts: the texts are in the database, here a row is its number."""

    def search(self, search: str) -> Document:
        return Document(page_content=search)


class _NoEmbeddings(Embeddings):
    """Queries arrive as vectors; LangChain is never asked to embed."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError("search by vector")

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError("search by vector")
