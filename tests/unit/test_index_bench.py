"""The kinds of index are compared on the library's own vectors, each against all that is there."""

from __future__ import annotations

import numpy as np
import pytest

from rag.evaluation.index_bench import compare_indexes, index_figures_to_json
from rag.retrieval.index import CorpusIndex, IndexedChunk
from rag.retrieval.lexical import LexicalIndex
from rag.stores.faiss import FaissStore


def index_of(rows: int, dimension: int = 32) -> CorpusIndex:
    """Return an index of `rows` sentences in one chunk; every second one has an equal."""
    random = np.random.default_rng(5)
    vectors = random.normal(size=(rows, dimension)).astype(np.float32)
    vectors[1::2] = vectors[: len(vectors[1::2])]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = slice(0, 0)
    chunk = IndexedChunk("c", "d", "T", "t", 0, 1, nothing, nothing, (), np.arange(rows))
    return CorpusIndex(1, [chunk], vectors, {}, FaissStore, LexicalIndex(["text"]))


def test_flat_finds_all_and_more_effort_finds_more() -> None:
    steps: list[tuple[str, int, int]] = []
    figures = compare_indexes(index_of(1500), lambda *step: steps.append(step), queries=50)
    recall = {(row.kind, row.effort): row.recall_at_10 for row in figures}
    assert list(recall) == [
        ("flat", 0),
        *(("ivf", cells) for cells in (1, 2, 4, 8, 16, 32)),
        *(("hnsw", length) for length in (16, 32, 64, 128, 256)),
    ]
    assert recall["flat", 0] == 1
    assert recall["ivf", 1] < recall["ivf", 8] < recall["ivf", 32] <= 1
    assert recall["hnsw", 256] > 0.95
    assert all(0 < row.p50_ms <= row.p95_ms and row.build_ms > 0 for row in figures)
    assert steps[0] == ("flat", 0, 12)
    assert steps[-1] == ("done", 12, 12)


def test_only_cells_that_exist_are_visited() -> None:
    figures = compare_indexes(index_of(40))
    assert [row.effort for row in figures if row.kind == "ivf"] == [1, 2, 4]
    assert {row.recall_at_10 for row in figures if row.kind != "ivf"} == {1}


@pytest.mark.parametrize("rows", [0, 1])
def test_a_library_of_one_vector_has_nothing_to_compare(rows: int) -> None:
    assert compare_indexes(index_of(rows)) == []


def test_the_figures_are_json_objects() -> None:
    (first, *_) = index_figures_to_json(compare_indexes(index_of(20)))
    assert first.keys() == {"kind", "effort", "recall_at_10", "p50_ms", "p95_ms", "build_ms"}
