"""Embedding on leftover processor time gives the same vectors, and goes on when there is no such time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from rag.embedding import background
from rag.embedding.background import BackgroundEmbedder
from rag.embedding.base import Vectors
from rag.embedding.onnx import OnnxEmbedder

TEXTS = ["Bees make honey.", "Cats sleep.", "Trains leave at noon."]


class Watched:
    """Notes how each text was embedded."""

    model, dimension = "watched", 2

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.policies: list[int] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Not used."""
        raise NotImplementedError

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return nothing of interest, after a while."""
        time.sleep(self.seconds)
        self.policies.append(os.sched_getscheduler(0))
        return [(np.zeros(2, np.float32), np.zeros((0, 2), np.float32)) for _ in texts]


def test_the_vectors_are_those_of_the_embedder(embedder: OnnxEmbedder) -> None:
    ours = BackgroundEmbedder(embedder)
    parts = [[(0, 4)], [], [(0, 6), (7, 12)]]
    for (whole, own), (expected, expected_own) in zip(
        ours.embed_parts(TEXTS, parts), embedder.embed_parts(TEXTS, parts), strict=True
    ):
        np.testing.assert_array_equal(whole, expected)
        np.testing.assert_array_equal(own, expected_own)
    assert ours.embed(TEXTS).shape == (3, 384)
    assert ours.embed([]).shape == (0, 384)


def test_only_the_embedding_waits_for_everybody() -> None:
    watched = Watched()
    BackgroundEmbedder(watched).embed(TEXTS)
    assert set(watched.policies) == {os.SCHED_IDLE}
    assert os.sched_getscheduler(threading.get_native_id()) == os.SCHED_OTHER


def test_texts_that_get_no_time_are_embedded_at_the_callers_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STARVED_S", 0.01)
    monkeypatch.setattr(background, "OWN_TURNS", 2)
    watched = Watched(seconds=0.02)
    BackgroundEmbedder(watched).embed(["text"] * 5)
    idle, own = os.SCHED_IDLE, os.SCHED_OTHER
    assert watched.policies == [idle, own, own, idle, own]
