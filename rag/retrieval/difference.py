"""Tells how two searches for the same query differ, passage by passage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rag.types import Hit, Retrieval


@dataclass(frozen=True, slots=True)
class Moved:
    """A passage that at least one of two searches uses."""

    hit: Hit
    """As the second search found it, or else the first."""
    a: int | None
    """Its 1-based place among the passages that the first search uses; None: not used there."""
    b: int | None
    """The same for the second search."""
    why_not: str = ""
    """Where one search does not use it: its reason, e.g. "beyond the top 6" or "not found"."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two searches side by side."""

    passages: tuple[Moved, ...]
    """Those that B uses in its order, then those that only A uses in theirs."""
    shared: int
    """How many passages both use."""


def difference(a: Retrieval, b: Retrieval) -> Difference:
    """Return how search B differs from search A."""
    in_a, in_b = _places(a), _places(b)
    hits = {hit.chunk.id: hit for hit in (*a.kept, *b.kept)}
    order = [*in_b, *(chunk_id for chunk_id in in_a if chunk_id not in in_b)]
    found_by_a = {hit.chunk.id: hit for hit in a.hits}
    found_by_b = {hit.chunk.id: hit for hit in b.hits}
    passages = []
    for chunk_id in order:
        why_not = ""
        if chunk_id not in in_a:
            why_not = _reason(found_by_a, chunk_id)
        elif chunk_id not in in_b:
            why_not = _reason(found_by_b, chunk_id)
        passages.append(Moved(hits[chunk_id], in_a.get(chunk_id), in_b.get(chunk_id), why_not))
    return Difference(tuple(passages), len(in_a.keys() & in_b.keys()))


def _places(retrieval: Retrieval) -> dict[str, int]:
    return {hit.chunk.id: place for place, hit in enumerate(retrieval.kept, start=1)}


def _reason(found: Mapping[str, Hit], chunk_id: str) -> str:
    hit = found.get(chunk_id)
    return "not found" if hit is None else hit.cut or ""
