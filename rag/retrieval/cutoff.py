"""Decides whether what was found is close enough to the question to answer from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """How close the kept passages come to the question."""

    best_cosine: float
    """Highest cosine of a passage: mean of its best window and its best sentence."""
    word_cover: float
    """Share, by idf, of the question's content words that the kept passages have together, 0 to 1."""
    best_cover: float
    """The same for the one passage that has most of them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to answer, and how far the evidence is from the border (negative: refused)."""

    sufficient: bool
    margin: float


def weigh(evidence: Evidence) -> Verdict:
    """Return whether the evidence suffices."""
    margin = evidence.best_cosine + 0.35 * evidence.best_cover - 0.60
    return Verdict(margin >= 0, margin)
