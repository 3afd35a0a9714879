"""Lays all chunks out in two dimensions, what is near in meaning near in the picture."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rag.retrieval.index import CorpusIndex

Matrix = NDArray[np.float32]
Method = Literal["tsne", "pca"]

MOST_FOR_TSNE = 4000
"""Chunks above which the picture is linear: t-SNE takes 2 s for 1,000 chunks and 10 s for 4,000."""
LEAST_FOR_TSNE = 12
KEPT_DIMENSIONS = 50
"""Principal components that t-SNE gets; they lose nothing of the neighbourhoods and halve its time."""
PERPLEXITY, ROUNDS = 30, 500
"""Of 10 nearest chunks, as many stay near after 500 rounds as after 1,000."""
NEAREST = 5
"""How many chunks decide where a query stands."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Where every chunk of one index stands in the picture."""

    positions: Matrix
    """Shape (chunks, 2), in the order of the index; both directions go from -1 to 1."""
    centres: Matrix
    """Unit mean vector of every chunk, shape (chunks, dimension)."""
    method: Method

    def place(
        self, vector: NDArray[np.float32], among: NDArray[np.bool_] | None = None
    ) -> tuple[float, float] | None:
        """Return where a query stands: the mean of its nearest chunks' positions, weighted by cosine.

        `vector` is its unit vector, shape (dimension,); `among` says which chunks count. None when there
        are no chunks.
        """
        cosines = self.centres @ vector
        if among is not None:
            cosines = np.where(among, cosines, -np.inf)
        nearest = [int(n) for n in np.argsort(-cosines, kind="stable")[:NEAREST] if np.isfinite(cosines[n])]
        if not nearest:
            return None
        weights = np.maximum(cosines[nearest], 1e-6)
        x, y = np.average(self.positions[nearest], axis=0, weights=weights)
        return float(x), float(y)


_pictures: WeakKeyDictionary[CorpusIndex, Future[Projection]] = WeakKeyDictionary()
_lock = threading.Lock()


def picture(index: CorpusIndex) -> Future[Projection]:
    """Return the picture of an index, begun in a thread at the first call and kept as long as the index."""
    with _lock:
        found = _pictures.get(index)
        if found is None:
            found = _pictures[index] = Future()
            threading.Thread(target=_draw, args=(index, found), name="viva-map", daemon=True).start()
    return found


def _draw(index: CorpusIndex, drawn: Future[Projection]) -> None:
    try:
        drawn.set_result(project(index))
    except Exception as error:  # whoever waits for the picture gets it
        drawn.set_exception(error)


def project(index: CorpusIndex) -> Projection:
    """Return the picture of all chunks; the same index always gives the same picture.

    t-SNE (van der Maaten and Hinton, 2008) keeps neighbours together and says nothing about large
    distances; above MOST_FOR_TSNE chunks the two directions of greatest variance are shown instead. Takes
    seconds.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with threadpool_limits(1):  # sums in another order would grow into another picture
        centres = _centres(index)
        components = _components(centres, min(KEPT_DIMENSIONS, *centres.shape))
        if not LEAST_FOR_TSNE <= len(centres) <= MOST_FOR_TSNE:
            return Projection(_framed(_padded(components)), centres, "pca")
        return Projection(_framed(_tsne(components)), centres, "tsne")


def _centres(index: CorpusIndex) -> Matrix:
    """Return the mean of each chunk's windows and sentences, at unit length."""
    rows: list[Sequence[int]] = [list(chunk.rows) for chunk in index.chunks]
    means = np.zeros((len(rows), index.vectors.shape[1]), np.float32)
    for number, own in enumerate(rows):
        if own:
            means[number] = index.vectors[own].mean(axis=0)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.where(lengths > 0, lengths, 1), np.float32)


def _components(vectors: Matrix, kept: int) -> Matrix:
    """Return the coordinates along the `kept` directions of greatest variance, the greatest first."""
    if not len(vectors):
        return np.zeros((0, kept), np.float32)
    centred = np.asarray(vectors - vectors.mean(axis=0), np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :kept]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(centred @ (axes * np.sign(largest)), np.float32)  # an axis has no direction of its own


def _tsne(components: Matrix) -> Matrix:
    from sklearn.manifold import TSNE  # importing it takes a second

    start = _padded(components)
    spread = float(start[:, 0].std()) or 1.0
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(components) - 1) / 3),
        init=np.asarray(start * (1e-4 / spread), np.float32),  # as small as t-SNE's own
        max_iter=ROUNDS,
        random_state=0,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(components), np.float32)


def _padded(components: Matrix) -> Matrix:
    """Return the first two columns, with zeros where there are fewer."""
    missing = max(0, 2 - components.shape[1])
    return np.pad(components[:, :2], ((0, 0), (0, missing)))


def _framed(positions: Matrix) -> Matrix:
    """Return the positions with both directions stretched from -1 to 1."""
    if not len(positions):
        return positions
    centred = positions - (positions.max(axis=0) + positions.min(axis=0)) / 2
    reach = np.abs(centred).max(axis=0)
    return np.asarray(centred / np.where(reach > 0, reach, 1), np.float32)
