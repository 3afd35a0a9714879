"""Runs an embedding model on processor time that nobody else wants, so that questions stay as fast."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from rag.embedding.base import Embedder, Vectors

STARVED_S = 2.0
"""A text that takes so long was given next to no time: the machine is busy with something else."""
OWN_TURNS = 16
"""So many texts are then embedded at the caller's priority, for the work must end some day."""


class BackgroundEmbedder:
    """Another embedder, one text at a time, in a thread of the lowest priority there is (Linux: SCHED_IDLE).

    A low priority alone (`nice`) is not enough: a thread that wakes up for a question then waits for the end
    of a time slice, some milliseconds at each of its many turns.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.model = embedder.model
        self.dimension = embedder.dimension
        self._embedder = embedder
        self._leftover = ThreadPoolExecutor(1, initializer=_wait_for_everybody)
        self._own_turns = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit-length float32 row per text, shape (len(texts), dimension)."""
        wholes = [whole for whole, _ in self.embed_parts(texts, [()] * len(texts))]
        return np.vstack(wholes) if wholes else np.zeros((0, self.dimension), np.float32)

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return for each text its vector, shape (dimension,), and those of its parts, (parts, dimension)."""
        return [self._one(text, own) for text, own in zip(texts, parts, strict=True)]

    def _one(self, text: str, parts: Sequence[tuple[int, int]]) -> tuple[Vectors, Vectors]:
        if self._own_turns:
            self._own_turns -= 1
            return self._embedder.embed_parts([text], [parts])[0]
        started = time.monotonic()
        found = self._leftover.submit(self._embedder.embed_parts, [text], [parts]).result()[0]
        if time.monotonic() - started > STARVED_S:
            self._own_turns = OWN_TURNS
        return found


def _wait_for_everybody() -> None:
    """Let this thread run only while a processor has nothing else to do, where the system knows that."""
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
