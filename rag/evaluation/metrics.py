"""Ranking and containment measures, each a plain function of what was found and what was wanted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from rag.text.sentences import sentences
from rag.text.words import stems

_MARKER = re.compile(r" ?(?<!\\)\[\d+\]")


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, `share` between 0 and 1; 0 for no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def ranking(found: Sequence[str], relevant: Mapping[str, float]) -> dict[str, float]:
    """Return hit@1, recall@5, MRR@10 and nDCG@10 of one ranked list; gains are 2^grade - 1."""
    places = [place for place, item in enumerate(found, start=1) if relevant.get(item)]
    first = places[0] if places else 0
    gains = [2 ** relevant.get(item, 0) - 1 for item in found[:10]]
    ideal = sorted((2**grade - 1 for grade in relevant.values()), reverse=True)[:10]
    return {
        "hit@1": float(first == 1),
        "recall@5": sum(place <= 5 for place in places) / len(relevant),
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
