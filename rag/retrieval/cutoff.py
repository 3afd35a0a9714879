"""Decides whether what was found is close enough to the question to answer from.

Two logistic models, fitted on the tuning halves of the golden sets: one for passages whose author wrote
down the questions they answer, one for all others. The weights say how much each sign counts; 0 is the
border at which a question is as likely answerable as not, and between the two borders the answer is
offered as partial. `python3 -m tests.bench.fit_cutoff` fits the first one again after the library has grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["sufficient", "borderline", "insufficient"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How close the best three passages come to the question; cosines are 0 where there is nothing."""

    question: float | None
    """Cosine of the nearest question an author wrote down; None when no passage has any."""
    window: float
    sentence: float
    cover: float
    """Share, by idf, of the question's content words that the passage with most of them has, 0 to 1."""
    neighbourhood: float
    """Mean cosine of the 20 nearest vectors that the search found: is this its subject at all?"""
    terms: int
    """Distinct content words of the question; long questions share fewer of them with a passage."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence is good for, and its log-odds."""

    level: Level
    margin: float


ANSWERED_FROM, REFUSED_BELOW = 0.8, -0.8
"""Borders where authors' questions exist."""
PLAIN_ANSWERED_FROM, PLAIN_REFUSED_BELOW = 0.0, -1.0
"""Borders where they don't."""


def weigh(evidence: Evidence) -> Verdict:
    """Return whether the evidence suffices, alone or in part."""
    if evidence.question is not None:
        margin = (
            -13.31
            + 8.14 * evidence.question
            + 2.30 * evidence.cover
            + 13.64 * evidence.neighbourhood
            + 0.33 * evidence.terms
        )
        return Verdict(_level(margin, ANSWERED_FROM, REFUSED_BELOW), margin)
    margin = -6.56 + 2.79 * evidence.window + 9.01 * evidence.sentence + 5.48 * evidence.cover
    return Verdict(_level(margin, PLAIN_ANSWERED_FROM, PLAIN_REFUSED_BELOW), margin)


def _level(margin: float, answered_from: float, refused_below: float) -> Level:
    if margin >= answered_from:
        return "sufficient"
    return "borderline" if margin >= refused_below else "insufficient"
