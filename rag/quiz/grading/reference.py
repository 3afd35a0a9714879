"""Makes a question that nobody stored out of its text and a reference answer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.text.sentences import sentences
from rag.text.words import stems

MOST_SENTENCES = 12
FEWEST_STEMS = 2
"""Content words of a sentence that says something."""
REFERENCE = "Reference answer"


def question_of(prompt_text: str, reference: str, points: Sequence[Point]) -> AskedQuestion:
    """Return a question that nobody stored, to be graded by `points` with the reference as model answer."""
    return AskedQuestion(
        id=f"reference-{fingerprint(prompt_text, reference)[:12]}",
        kind="open",
        topic="",
        level="mid",
        skill="",
        prompt=prompt_text,
        origin="own",
        evidence=points[0].evidence if points else None,
        points=tuple(points),
        model_answer=reference,
    )


def points_of_sentences(reference: str) -> tuple[Point, ...]:
    """Return the sentences of a reference as points of equal weight, at most MOST_SENTENCES, in order.

    Headings and what says nothing are left out; if nothing remains, the whole reference is one point.
    """
    units = [(unit.start, unit.end) for unit in sentences(reference) if unit.kind != "heading"]
    found = [
        (start, end)
        for start, end in units
        if len(stems(reference[start:end])) >= FEWEST_STEMS and reference[end - 1] not in ":?"
    ]
    spans = found[:MOST_SENTENCES] or [(0, len(reference))]
    return tuple(
        Point(reference[start:end], True, 1, evidence_in(reference, start, end)) for start, end in spans
    )


def evidence_in(reference: str, start: int, end: int) -> Evidence:
    """Return a stretch of a reference as evidence, which is of no document."""
    return Evidence("", REFERENCE, start, end, reference[start:end])


def fingerprint(*texts: str) -> str:
    """Return 64 hexadecimal digits that change with any of the texts."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()
