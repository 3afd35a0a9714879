"""Measures of rankings, shares and texts, each a plain function of what was found and what was wanted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rag.text.sentences import sentences
from rag.text.words import stems

CUTS = (1, 3, 5, 10)
"""Places up to which recall is counted."""
_MARKER = re.compile(r" ?(?<!\\)\[\d+\]")
_Z = 1.959964
"""Quantile of the normal distribution that leaves 2.5 % on either side."""


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, `share` between 0 and 1; 0 for no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share seen in `n` cases (Wilson 1927); 0 to 1 for no cases."""
    if n < 1:
        return 0.0, 1.0
    weight = 1 + _Z**2 / n
    middle = (share + _Z**2 / (2 * n)) / weight
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / weight
    return max(0.0, middle - half), min(1.0, middle + half)


def by_chance(better: int, worse: int) -> float:
    """Return how likely a split at least this uneven is when nothing changed (two-sided sign test)."""
    n, fewer = better + worse, min(better, worse)
    as_uneven: int = 2 * sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(as_uneven / 2**n))


def ranking(found: Sequence[str], relevant: Mapping[str, float]) -> dict[str, float]:
    """Return hit@1, recall@1 to @10, MRR@10 and nDCG@10 of one ranked list; gains are 2^grade - 1."""
    places = [place for place, item in enumerate(found, start=1) if relevant.get(item)]
    first = places[0] if places else 0
    gains = [2 ** relevant.get(item, 0) - 1 for item in found[:10]]
    ideal = sorted((2**grade - 1 for grade in relevant.values()), reverse=True)[:10]
    return {
        "hit@1": float(first == 1),
        **{f"recall@{cut}": sum(place <= cut for place in places) / len(relevant) for cut in CUTS},
        "mrr@10": 1 / first if 0 < first <= 10 else 0.0,
        "ndcg@10": _discounted(gains) / _discounted(ideal),
    }


def without_markers(text: str) -> str:
    """Return an answer's text without its citation markers."""
    return _MARKER.sub("", text)


def contains(text: str, fact: Sequence[str]) -> bool:
    """Tell whether one sentence of `text` has all content stems of one of the fact's alternatives."""
    units = [frozenset(stems(text[unit.start : unit.end])) for unit in sentences(text)]
    return any(frozenset(stems(alternative)) <= unit for alternative in fact for unit in units)


def averaged(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of every key over the rows."""
    return {key: mean([row[key] for row in rows]) for key in rows[0]} if rows else {}


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))
