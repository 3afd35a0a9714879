"""What every embedding backend offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Progress = Callable[[str, int, int], None]
"""Called with a named step, how much of it is done and how much there is."""


class Embedder(Protocol):
    """Maps texts to points of a space in which near means similar in meaning."""

    model: str
    """Name and precision; vectors of two different names are never compared."""
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit-length float32 row per text, shape (len(texts), dimension)."""
        ...

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return for each text its vector, shape (dimension,), and those of its parts, (parts, dimension).

        `parts` holds, for each text, the character ranges of the sentences to embed in their context.
        """
        ...


def no_progress(step: str, done: int, total: int) -> None:
    """Report nothing."""
