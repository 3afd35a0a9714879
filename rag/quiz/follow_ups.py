"""Finds the one question that an interviewer asks after an answer: at what was missed, or a step deeper.

No model is needed. A follow-up at a missed point is graded by that point of the frozen rubric. One that
goes deeper, because nothing was missed, asks for what no rubric covers: it has no points and no grade.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.embedding.base import Vectors
from rag.quiz.set_gates import DUPLICATE
from rag.quiz_types import AskedQuestion, Evidence, Grade, Point
from rag.storage.library import Library
from rag.text.words import stems

Embed = Callable[[Sequence[str]], Vectors]
Headings = Callable[[Evidence], Sequence[str]]
"""Given evidence, returns the headings above it, innermost first, and the title of the document last."""
Miss = Literal["missing", "partial", "contradicted", "not_mentioned"]
NEAR = 0.65
"""Cosine of a question of the bank and a claim from which the question asks for the claim.

Read by hand: of the 38 nearest pairs of the shipped bank that reach it, about half ask for the claim and
most of the others name it, which `GIVEAWAY` forbids; below it they are about something else.
"""
GIVEAWAY = 0.5
"""Share of a claim's own words from which a text gives the claim away."""
LONGEST_HEADING = 90
_ID = "{}/follow-up"
_PROBES: dict[Miss, tuple[str, ...]] = {
    "missing": (
        "One point on “{}” is still missing. What would you add?",
        "And what about “{}”?",
    ),
    "partial": (
        "You touched on “{}”, but not in full. What is the rest?",
        "Can you go further into “{}”?",
    ),
    "contradicted": (
        "Let us come back to “{}”: what would you put differently?",
        "Once more, “{}”?",
    ),
    "not_mentioned": (
        "What can you say on “{}” that you have not said yet?",
        "And what about “{}”?",
    ),
}
_REASONS: dict[Miss, str] = {
    "missing": "follow-up: you did not mention a point on “{}”",
    "partial": "follow-up: a point on “{}” was not complete",
    "contradicted": "follow-up: your answer and the source differ on “{}”",
    "not_mentioned": "follow-up: you did not seem to mention a point on “{}”",
}
_NOWHERE = "What else belongs to a complete answer to this question?"
_DEEPER = "follow-up: one step deeper"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question that follows another one, and why, in words that don't give its answer away."""

    question: AskedQuestion
    reason: str


def follow_up_id(question_id: str) -> str:
    """Return the id of a question's follow-up."""
    return _ID.format(question_id)


def follow_up(
    question: AskedQuestion,
    grade: Grade,
    embed: Embed,
    headings: Headings,
    asked: Sequence[str] = (),
) -> FollowUp | None:
    """Return what to ask after an answer with this grade or coverage hint; None when there is nothing.

    asked: texts of what was asked in this quiz, which are not asked again.
    """
    if question.kind != "open" or grade.outcome == "not_answered":
        return None
    fresh = _fresh(question.follow_ups, embed, (*asked, question.prompt))
    if found := missed_point(question, grade):
        point, miss = found
        prompt, reason = _at(question, point, miss, fresh, embed, headings)
        return FollowUp(_asked(question, prompt, (point,)), reason)
    return FollowUp(_asked(question, fresh[0], ()), _DEEPER) if fresh else None


def missed_point(question: AskedQuestion, grade: Grade) -> tuple[Point, Miss] | None:
    """Return the weightiest point that was missed, must-haves first, and how; None when none was."""
    how: dict[str, Miss] = dict.fromkeys(grade.not_mentioned, "not_mentioned")
    for verdict in grade.verdicts:
        if verdict.verdict != "met":
            how[verdict.point] = verdict.verdict
    missed = [point for point in question.points if point.claim in how]
    if not missed:
        return None
    point = min(missed, key=lambda one: (not one.must_have, -one.weight))
    return point, how[point.claim]


def headings_in(library: Library) -> Headings:
    """Return a function that reads the headings above evidence from the library."""

    def headings(evidence: Evidence) -> list[str]:
        for chunk in library.chunks(evidence.document_id):
            if chunk.start <= evidence.start < chunk.end:
                return [*dict.fromkeys([*reversed(chunk.heading_path), evidence.title])]
        return [evidence.title]

    return headings


def _at(
    question: AskedQuestion,
    point: Point,
    miss: Miss,
    fresh: Sequence[str],
    embed: Embed,
    headings: Headings,
) -> tuple[str, str]:
    """Return the text of a question at a point, and the reason: the bank's if it is near, else a probe."""
    own = set(stems(point.claim)) - set(stems(question.prompt))
    above = [one for one in headings(point.evidence) if one.strip()] if point.evidence else []
    heading = next((_short(one) for one in above if not _gives_away(own, one)), "")
    reason = _REASONS[miss].format(heading) if heading else "follow-up: a point is still open"
    silent = [text for text in fresh if not _gives_away(own, text)]
    if silent:
        vectors = embed([point.claim, *silent])
        cosines = vectors[1:] @ vectors[0]
        if cosines.max() >= NEAR:
            return silent[int(cosines.argmax())], reason
    if not heading:
        return _NOWHERE, reason
    beside = set(stems(point.claim)) - set(stems(heading)) - set(stems(question.prompt))
    probes = [probe for probe in _PROBES[miss] if not beside & set(stems(probe))]
    return (probes[0] if probes else "“{}”?").format(heading), reason


def _gives_away(claim: set[str], text: str) -> bool:
    return bool(claim) and len(claim & set(stems(text))) / len(claim) >= GIVEAWAY


def _fresh(texts: Sequence[str], embed: Embed, asked: Sequence[str]) -> list[str]:
    """Return the texts that were not asked in other words."""
    if not texts:
        return []
    vectors = embed([*texts, *asked])
    cosines = vectors[: len(texts)] @ vectors[len(texts) :].T
    return [text for text, row in zip(texts, cosines, strict=True) if row.max() < DUPLICATE]


def _short(heading: str) -> str:
    heading = " ".join(heading.split())
    return heading if len(heading) <= LONGEST_HEADING else heading[: LONGEST_HEADING - 1].rstrip() + "…"


def _asked(question: AskedQuestion, prompt: str, points: tuple[Point, ...]) -> AskedQuestion:
    evidence = points[0].evidence if points else question.evidence
    return replace(
        question,
        id=follow_up_id(question.id),
        prompt=prompt,
        evidence=evidence or question.evidence,
        checks=(),
        points=points,
        model_answer=question.model_answer if points else "",
        follow_ups=(),
    )
