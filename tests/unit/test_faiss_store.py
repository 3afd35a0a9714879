"""The vector store finds what comparing every vector finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.stores.faiss import FaissStore
from rag.types import IndexKind


def unit_rows(rows: int, seed: int = 7, dimension: int = 384) -> NDArray[np.float32]:
    """Return random vectors of unit length."""
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


VECTORS = unit_rows(500)
QUERY = unit_rows(1, seed=8)[0]


def test_the_nearest_are_those_of_a_comparison_with_every_vector() -> None:
    rows, scores = FaissStore(VECTORS).search(QUERY, 20)
    cosines = VECTORS @ QUERY
    assert rows.tolist() == np.argsort(-cosines)[:20].tolist()
    assert scores == pytest.approx(np.sort(cosines)[::-1][:20], abs=1e-6)


def test_rows_and_scores_have_their_types() -> None:
    rows, scores = FaissStore(VECTORS).search(QUERY, 3)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert (rows.shape, scores.shape) == ((3,), (3,))


def test_a_vector_finds_itself_with_cosine_one() -> None:
    rows, scores = FaissStore(VECTORS).search(VECTORS[123], 1)
    assert rows.tolist() == [123]
    assert scores[0] == pytest.approx(1, abs=1e-5)


def test_only_the_given_rows_are_searched() -> None:
    among = np.array([3, 44, 45, 499], np.int64)
    rows, scores = FaissStore(VECTORS).search(QUERY, 3, among=among)
    cosines = VECTORS[among] @ QUERY
    assert rows.tolist() == among[np.argsort(-cosines)[:3]].tolist()
    assert scores == pytest.approx(np.sort(cosines)[::-1][:3], abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), k=st.integers(1, 80), seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_any_filter_agrees_with_a_comparison_of_its_rows(rows: int, k: int, seed: int, share: float) -> None:
    vectors, query = unit_rows(rows, seed, 16), unit_rows(1, seed + 1, 16)[0]
    among = np.flatnonzero(np.random.default_rng(seed).random(rows) < share)
    found, _ = FaissStore(vectors).search(query, k, among=among)
    assert found.tolist() == among[np.argsort(-(vectors[among] @ query))][:k].tolist()


KINDS: tuple[IndexKind, ...] = ("ivf", "hnsw")
STORES = {kind: FaissStore(VECTORS, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_with_enough_effort_every_kind_finds_what_flat_finds(kind: IndexKind) -> None:
    rows, scores = STORES[kind].search(QUERY, 20, effort=500)
    exact, cosines = FaissStore(VECTORS).search(QUERY, 20)
    assert rows.tolist() == exact.tolist()
    assert scores == pytest.approx(cosines, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_more_effort_finds_more(kind: IndexKind) -> None:
    exact = set(FaissStore(VECTORS).search(QUERY, 50)[0].tolist())
    found = [
        len(exact & set(STORES[kind].search(QUERY, 50, effort=effort)[0].tolist())) for effort in (1, 500)
    ]
    assert found[0] < found[1] == 50 or (kind == "hnsw" and found == [50, 50])


@pytest.mark.parametrize("kind", KINDS)
def test_a_narrow_filter_loses_nothing_in_any_kind(kind: IndexKind) -> None:
    among = np.arange(0, 500, 7, dtype=np.int64)
    rows, _ = STORES[kind].search(QUERY, 30, among=among, effort=1)
    assert rows.tolist() == among[np.argsort(-(VECTORS[among] @ QUERY))[:30]].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_wide_filter_is_kept_in_any_kind(kind: IndexKind) -> None:
    among = np.flatnonzero(np.arange(500) % 5)
    rows, _ = STORES[kind].search(QUERY, 30, among=among)
    assert len(rows) > 0
    assert set(rows.tolist()) <= set(among.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vectors_give_the_same_index(kind: IndexKind) -> None:
    again = FaissStore(VECTORS, kind)
    assert (
        again.search(QUERY, 50, effort=2)[0].tolist() == STORES[kind].search(QUERY, 50, effort=2)[0].tolist()
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [0, 1, 2, 9])
def test_every_kind_works_for_a_handful_of_vectors(kind: IndexKind, rows: int) -> None:
    found, _ = FaissStore(VECTORS[:rows], kind).search(QUERY, 20, effort=1)
    assert sorted(found.tolist()) == list(range(rows))


def test_a_store_takes_its_own_effort_when_a_search_names_none() -> None:
    store = FaissStore(VECTORS, "ivf", effort=1)
    assert (store.effort, store.most_effort) == (1, 62)
    assert store.search(QUERY, 50)[0].tolist() == STORES["ivf"].search(QUERY, 50, effort=1)[0].tolist()


def test_no_more_come_back_than_there_are() -> None:
    rows, scores = FaissStore(VECTORS[:4]).search(QUERY, 100)
    assert len(rows) == len(scores) == 4


def test_no_more_come_back_than_the_filter_admits() -> None:
    rows, _ = FaissStore(VECTORS).search(QUERY, 100, among=np.array([9, 5], np.int64))
    assert sorted(rows.tolist()) == [5, 9]


def test_an_empty_filter_finds_nothing() -> None:
    rows, scores = FaissStore(VECTORS).search(QUERY, 5, among=np.empty(0, np.int64))
    assert (rows.size, scores.size) == (0, 0)


def test_an_empty_store_finds_nothing() -> None:
    store = FaissStore(np.zeros((0, 384), np.float32))
    rows, scores = store.search(QUERY, 5)
    assert store.size == 0
    assert (rows.size, scores.size) == (0, 0)


def test_vectors_that_are_not_contiguous_are_stored_right() -> None:
    every_second = unit_rows(100)[::2]
    rows, _ = FaissStore(every_second).search(every_second[7], 1)
    assert rows.tolist() == [7]


def test_the_store_keeps_its_own_copy() -> None:
    vectors = unit_rows(10)
    store = FaissStore(vectors)
    before = store.search(QUERY, 10)[0].tolist()
    vectors[:] = 0
    assert store.search(QUERY, 10)[0].tolist() == before
