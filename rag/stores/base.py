"""What every vector store offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.types import IndexKind

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class VectorStore(Protocol):
    """Searches unit-length vectors by cosine. A store is never changed: a new index replaces it."""

    kind: IndexKind
    size: int
    """How many vectors it holds."""
    effort: int
    """What a search takes when it names none: cells visited (ivf), candidate list (hnsw), 0 for flat."""
    most_effort: int
    """From here on more changes nothing; 0 for flat."""
    build_ms: float
    """Milliseconds that building took, training included."""

    def search(
        self, vector: NDArray[np.float32], k: int, *, among: Rows | None = None, effort: int = 0
    ) -> tuple[Rows, Scores]:
        """Return the row numbers and cosines of the `k` nearest rows, nearest first.

        `vector` has shape (dimension,). With `among` (ascending), only these rows are searched. Fewer than
        `k` come back when there are no more, or when an index that is not exact did not reach them.
        """
        ...
