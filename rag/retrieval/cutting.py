"""Decides which of the fused candidates are used, and says of each other one why it is not."""

from __future__ import annotations

from collections.abc import Iterable

from rag.retrieval.index import IndexedChunk

NEAR_DUPLICATE = 0.8
"""Share of stems two passages have in common from which the lower one is dropped."""
FAR_BEHIND = 0.45
"""A hit below this share of the best score is not used."""


def cut_reasons(places: Iterable[tuple[IndexedChunk, float]], top_k: int) -> list[str | None]:
    """Return for each candidate (best first, with its score) why it is not used; None where it is."""
    reasons: list[str | None] = []
    kept: list[tuple[int, float, frozenset[str]]] = []
    for rank, (place, score) in enumerate(places, start=1):
        reason = None
        if len(kept) >= top_k:
            reason = f"beyond the top {top_k}"
        elif place.lists_references:
            reason = "lists references"
        elif kept and score < FAR_BEHIND * kept[0][1]:
            reason = "far behind the best passage"
        else:
            words = frozenset(place.stems)
            twin = next((other for other, _, own in kept if _alike(words, own)), None)
            if twin is None:
                kept.append((rank, score, words))
            else:
                reason = f"says the same as rank {twin}"
        reasons.append(reason)
    return reasons


def _alike(words: frozenset[str], own: frozenset[str]) -> bool:
    """Tell whether two passages are near duplicates (Jaccard similarity of their stems)."""
    union = len(words | own)
    return union > 0 and len(words & own) >= NEAR_DUPLICATE * union
