"""Measures how far a text is about a point of a rubric, by the words they share and by meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.embedding.base import Vectors
from rag.quiz_types import AskedQuestion, Point
from rag.text.words import stems

Embed = Callable[[Sequence[str]], Vectors]

OF_THE_QUESTION = 0.3
"""Weight of a word that the question gives away, against that of any other."""
REPEATED = 0.8
"""Share of a sentence's content words, all from the question, with which it says nothing new."""
NEAR = 0.4
"""Cosine of a whole answer to the question or its model answer: below, it is about something else.

Of 148 full-credit answers by students none lies below, of answers to other questions nine in ten.
"""
STRONG = 0.85
"""Fit of one sentence to one point with which the answer is on topic in any case."""
_RUBRIC_VERBS = frozenset(
    """
    says names explains adds mentions describes gives warns states defines notes lists knows points
    concludes recognizes argues
    """.split()
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How far one text is about one point."""

    words: float
    """Share of the words of the point's claim, or of its source where that is more, by weight: 0 to 1."""
    meaning: float
    """Cosine to the claim, or to the source where that is more: -1 to 1."""
    added: frozenset[str]
    """Stems that the text shares with the point and that the question did not give away."""

    @property
    def total(self) -> float:
        """Words and meaning together; 0 to 2."""
        return self.words + max(0.0, self.meaning)


@dataclass(frozen=True, slots=True)
class _Target:
    claim: frozenset[str]
    source: frozenset[str]


class Relevance:
    """Compares texts with the points of one question."""

    def __init__(self, question: AskedQuestion, embed: Embed) -> None:
        self._embed = embed
        self._question = question
        self._points = question.points
        self.asked = frozenset(stems(question.prompt))
        """Stems that the question gives away."""
        self.targets = [
            _Target(frozenset(stems(said_by(point))), frozenset(stems(source_of(point))))
            for point in question.points
        ]
        self._seen_in = Counter(stem for target in self.targets for stem in target.claim | target.source)
        self._vectors: Vectors | None = None

    def fits(self, texts: Sequence[str]) -> list[list[Fit]]:
        """Return for each text its fit to each point of the question, in their order."""
        if not texts:
            return []
        distinct = list(dict.fromkeys(texts))
        cosines = self._embed(distinct) @ self._point_vectors().T
        meanings = np.maximum(cosines[:, : len(self._points)], cosines[:, len(self._points) :])
        fits: dict[str, list[Fit]] = {}
        for text, row in zip(distinct, meanings, strict=True):
            found = frozenset(stems(text))
            fits[text] = [
                self._fit(found, target, float(cosine))
                for target, cosine in zip(self.targets, row, strict=True)
            ]
        return [fits[text] for text in texts]

    def only_repeats(self, text: str) -> bool:
        """Tell whether a sentence has hardly a word that the question does not have."""
        said = set(stems(text))
        return len(said & self.asked) >= REPEATED * len(said)

    def is_elsewhere(self, answer: str, fits: Sequence[Sequence[Fit]]) -> bool:
        """Tell whether an answer is about something else; `fits` are those of its sentences."""
        if any(fit.total >= STRONG for row in fits for fit in row):
            return False
        ideal = self._question.model_answer or " ".join(point.claim for point in self._points)
        vectors = self._embed([answer, self._question.prompt, ideal])
        return float(np.max(vectors[1:] @ vectors[0])) < NEAR

    def weight(self, stem: str) -> float:
        """Return how much a stem tells about a point: less when other points or the question have it."""
        rarity = math.log(1 + len(self._points) / max(1, self._seen_in[stem]))
        return rarity * (OF_THE_QUESTION if stem in self.asked else 1.0)

    def _fit(self, found: frozenset[str], target: _Target, cosine: float) -> Fit:
        return Fit(
            words=max(self._share(found, target.claim), self._share(found, target.source)),
            meaning=cosine,
            added=(found & (target.claim | target.source)) - self.asked,
        )

    def _share(self, found: frozenset[str], wanted: frozenset[str]) -> float:
        whole = sum(map(self.weight, wanted))
        return sum(self.weight(stem) for stem in wanted & found) / whole if whole else 0.0

    def _point_vectors(self) -> Vectors:
        if self._vectors is None:
            claims = [point.claim for point in self._points]
            self._vectors = self._embed(
                [*claims, *(source_of(point) or point.claim for point in self._points)]
            )
        return self._vectors


def said_by(point: Point) -> str:
    """Return the claim of a point without the verb that speaks of the answer ("Says that ...")."""
    first, _, rest = point.claim.partition(" ")
    return rest if rest and first.lower() in _RUBRIC_VERBS else point.claim


def source_of(point: Point) -> str:
    """Return the words of the source that a point rests on; empty when it names none."""
    return point.evidence.quote if point.evidence else ""
