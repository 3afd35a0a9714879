"""The picture of all chunks: the same every time, neighbours together."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from rag.retrieval import projection
from rag.retrieval.projection import project

ROOT = Path(__file__).parents[2]
TOPICS = 4
PER_TOPIC = 15


def vectors(seed=0):
    """Return unit vectors in four distinct bundles, shape (60, 24)."""
    random = np.random.default_rng(seed)
    bundles = np.repeat(np.eye(TOPICS, 24), PER_TOPIC, axis=0)
    found = (bundles + random.normal(0, 0.08, (TOPICS * PER_TOPIC, 24))).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def index_of(rows):
    """Return what `project` reads of an index: one chunk a row."""
    chunks = [SimpleNamespace(rows=iter((n,))) for n in range(len(rows))]
    return SimpleNamespace(chunks=chunks, vectors=rows)


def test_neighbours_in_meaning_are_neighbours_in_the_picture():
    found = project(index_of(vectors()))
    topics = np.repeat(np.arange(TOPICS), PER_TOPIC)
    distances = np.linalg.norm(found.positions[:, None] - found.positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert found.method == "tsne"
    assert (topics[distances.argmin(axis=1)] == topics).all()
    assert np.abs(found.positions).max(axis=0).tolist() == [1, 1]


def test_the_same_library_gives_the_same_picture_in_another_process():
    script = (
        "from tests.unit.test_projection import index_of, project, vectors\n"
        "print(project(index_of(vectors())).positions.tobytes().hex())"
    )
    run = [sys.executable, "-c", script]
    other = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    assert project(index_of(vectors())).positions.tobytes().hex() == other


def test_a_query_stands_among_its_nearest_chunks():
    found = project(index_of(vectors()))
    query = np.eye(TOPICS, 24, dtype=np.float32)[2]
    x, y = found.place(query)
    own = found.positions[2 * PER_TOPIC : 3 * PER_TOPIC]
    assert (own.min(axis=0) <= (x, y)).all() and ((x, y) <= own.max(axis=0)).all()


def test_chunks_that_may_not_be_read_do_not_place_a_query():
    found = project(index_of(vectors()))
    query = np.eye(TOPICS, 24, dtype=np.float32)[2]
    readable = np.arange(TOPICS * PER_TOPIC) < PER_TOPIC
    x, y = found.place(query, readable)
    own = found.positions[:PER_TOPIC]
    assert (own.min(axis=0) <= (x, y)).all() and ((x, y) <= own.max(axis=0)).all()
    assert found.place(query, np.zeros(TOPICS * PER_TOPIC, np.bool_)) is None


def test_a_large_library_is_laid_out_linearly(monkeypatch):
    monkeypatch.setattr(projection, "MOST_FOR_TSNE", 50)
    found = project(index_of(vectors()))
    assert found.method == "pca"
    assert found.positions.shape == (60, 2)


def test_a_library_of_no_or_one_chunk_has_a_picture():
    assert project(index_of(vectors()[:0])).positions.shape == (0, 2)
    assert project(index_of(vectors()[:0])).place(vectors()[0]) is None
    assert project(index_of(vectors()[:1])).positions.tolist() == [[0.0, 0.0]]
