"""What every vector store offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class VectorStore(Protocol):
    """Searches unit-length vectors by cosine. A store is never changed: a new index replaces it."""

    size: int
    """How many vectors it holds."""

    def search(
        self, vector: NDArray[np.float32], k: int, *, among: Rows | None = None
    ) -> tuple[Rows, Scores]:
        """Return the row numbers and cosines of the `k` nearest rows, nearest first.

        `vector` has shape (dimension,). With `among`, only these rows are searched. Fewer than `k` come
        back when there are no more.
        """
        ...
