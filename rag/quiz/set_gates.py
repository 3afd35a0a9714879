"""The gates a set of questions must pass together: no dumb policy beats chance, no repeats, even coverage."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from rag.quiz.form_gates import Item
from rag.text.words import stems

Z_ONE_SIDED_95 = 1.645
CHANCE = 0.25
"""With four options."""
LEVEL_QUOTA: Mapping[str, float] = {"junior": 0.3, "mid": 0.4, "senior": 0.3}
LEVEL_ROOM, FEWEST_FOR_LEVELS = 0.1, 10
FEWEST_FOR_POLICIES = 12
"""With fewer items the bound lies so high that it says nothing."""
TOPIC_RATIO, PER_PASSAGE = 2.0, 2
CHI_SQUARE_99 = {1: 6.635, 2: 9.210, 3: 11.345, 4: 13.277}
"""The 99th percentile of the chi-square distribution by degrees of freedom."""
DUPLICATE = 0.775
"""Cosine of question and key (an open question alone) from which two items count as the same.

Chosen on the hand-labelled pairs in tests/golden/quiz/duplicate_pairs.jsonl; tests/bench/item_gates.py prints
precision and recall. No value separates them fully: the same sum with other numbers lies very near.
"""


@dataclass(frozen=True, slots=True)
class SetGate:
    """One figure of a set, with the bound it was held against."""

    gate: str
    passed: bool
    value: float
    bound: float
    detail: str = ""


def policy_bound(n: int, chance: float = CHANCE) -> float:
    """Return the share of n items that guessing exceeds in one set of twenty; chance: to guess one right."""
    return chance + Z_ONE_SIDED_95 * math.sqrt(chance * (1 - chance) / n)


def policies(items: Sequence[Item]) -> dict[str, float]:
    """Return how often each policy that knows nothing picks the key; ties count as their share.

    Shares lie between 0 and 1. "same letter" is the best of the letters.
    """
    letters = Counter(item.correct for item in items)
    return {
        "longest": _accuracy(items, lambda item, place: len(item.options[place])),
        "shortest": _accuracy(items, lambda item, place: -len(item.options[place])),
        "stem_overlap": _accuracy(items, _stem_overlap),
        "convergence": _accuracy(items, _convergence),
        "same_letter": max(letters.values()) / len(items),
    }


def set_gates(items: Sequence[Item], duplicates: Sequence[tuple[str, str, float]] = ()) -> list[SetGate]:
    """Return every gate with its figure; `items` are well formed and at least one.

    `duplicates` are the ids and the cosine of the pairs that are too close.
    """
    gates = []
    if len(items) >= FEWEST_FOR_POLICIES:
        bound = policy_bound(len(items), mean(1 / len(item.options) for item in items))
        gates = [SetGate(name, value <= bound, value, bound) for name, value in policies(items).items()]
        gates.append(_position(items))
    gates.append(
        SetGate(
            "duplicates",
            not duplicates,
            len(duplicates),
            0,
            "; ".join(f"{a} ~ {b}" for a, b, _ in duplicates[:5]),
        )
    )
    negated = sum("NOT" in item.question or "EXCEPT" in item.question for item in items)
    gates.append(SetGate("negation", negated <= 1, negated, 1))
    if passages := Counter(item.source for item in items if item.source):
        name, most = passages.most_common(1)[0]
        gates.append(SetGate("per_passage", most <= PER_PASSAGE, most, PER_PASSAGE, name))
    topics = Counter(item.topic for item in items if item.topic)
    if len(topics) > 1:
        ratio = max(topics.values()) / min(topics.values())
        gates.append(SetGate("topic_balance", ratio <= TOPIC_RATIO, ratio, TOPIC_RATIO))
    levels = Counter(item.level for item in items if item.level)
    if sum(levels.values()) >= FEWEST_FOR_LEVELS:
        off = max(abs(levels[level] / levels.total() - quota) for level, quota in LEVEL_QUOTA.items())
        gates.append(SetGate("level_mix", off <= LEVEL_ROOM, off, LEVEL_ROOM, str(dict(levels))))
    return gates


def _accuracy(items: Sequence[Item], rate: Callable[[Item, int], float]) -> float:
    """Return how often the option with the highest rate is the key."""
    return mean(
        _hit([rate(item, place) for place in range(len(item.options))], item.correct) for item in items
    )


def _hit(rates: Sequence[float], correct: int) -> float:
    best = max(rates)
    return (rates[correct] == best) / rates.count(best)


def _stem_overlap(item: Item, place: int) -> float:
    return len(set(stems(item.question)) & set(stems(item.options[place])))


def _convergence(item: Item, place: int) -> float:
    """Return how many content words an option shares with the other options: writers vary the key."""
    own = set(stems(item.options[place]))
    return sum(len(own & set(stems(other))) for other in item.options if other is not item.options[place])


def _position(items: Sequence[Item]) -> SetGate:
    """Compare the places of the keys with an even spread by Pearson's chi-square."""
    sizes = [len(item.options) for item in items]
    places = range(max(sizes))
    expected = [sum(1 / size for size in sizes if size > place) for place in places]
    counts = Counter(item.correct for item in items)
    statistic = sum((counts[place] - expected[place]) ** 2 / expected[place] for place in places)
    bound = CHI_SQUARE_99[len(places) - 1]
    spread = " ".join(f"{'ABCDE'[place]} {counts[place]}" for place in places)
    return SetGate("key_position", statistic <= bound, statistic, bound, spread)
