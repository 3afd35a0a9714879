"""The kinds of index are compared on the library's own vectors, each against all that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rag.evaluation.index_bench import IndexFigures, compare_indexes, index_figures_to_json
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


def compared(index: CorpusIndex, **options: Any) -> list[IndexFigures]:
    """Return the figures of an index with which every whole search takes as long as its name."""
    return compare_indexes(index, ["why"], lambda text, kind, effort: float(len(kind)), **options)


def test_flat_finds_all_and_more_effort_finds_more() -> None:
    steps: list[tuple[str, int, int]] = []
    figures = compared(index_of(1500), progress=lambda *step: steps.append(step), queries=50)
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
    assert steps[0] == ("flat", 0, 13)
    assert steps[-2:] == [("search", 12, 13), ("done", 13, 13)]


def test_only_cells_that_exist_are_visited() -> None:
    figures = compared(index_of(40))
    assert [row.effort for row in figures if row.kind == "ivf"] == [1, 2, 4]
    assert {row.recall_at_10 for row in figures if row.kind != "ivf"} == {1}


@pytest.mark.parametrize("rows", [0, 1])
def test_a_library_of_one_vector_has_nothing_to_compare(rows: int) -> None:
    assert compared(index_of(rows)) == []


def test_the_figures_are_json_objects() -> None:
    (first, *_) = index_figures_to_json(compared(index_of(20)))
    assert first.keys() == {
        "kind",
        "effort",
        "recall_at_10",
        "p50_ms",
        "p95_ms",
        "build_ms",
        "search_p50_ms",
    }


def test_the_median_of_the_whole_searches_is_told_for_every_index_and_effort() -> None:
    milliseconds = {"one": 1.0, "two": 90.0, "three": 20.0}
    figures = compare_indexes(
        index_of(40), list(milliseconds), lambda text, kind, effort: milliseconds[text] + len(kind) + effort
    )
    told = {(row.kind, row.effort): row.search_p50_ms for row in figures}
    assert (told["flat", 0], told["ivf", 2], told["hnsw", 64]) == (24, 25, 88)


def test_the_first_search_for_a_text_which_reads_its_passages_is_not_counted() -> None:
    read: set[str] = set()

    def whole(text: str, kind: str, effort: int) -> float:
        milliseconds = 5.0 if text in read else 500.0
        read.add(text)
        return milliseconds

    figures = compare_indexes(index_of(40), ["one", "two", "three"], whole)
    assert {row.search_p50_ms for row in figures} == {5.0}


def test_a_library_of_code_alone_is_asked_for_its_windows() -> None:
    plain = index_of(40)
    (chunk,) = plain.chunks
    code = replace(chunk, windows=slice(0, 40), sentence_rows=np.arange(0))
    index = CorpusIndex(1, [code], plain.vectors, {}, FaissStore, LexicalIndex(["text"]))
    assert compared(index)[0].recall_at_10 == 1
