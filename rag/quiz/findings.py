"""Tells what a quiz showed that somebody knew or did not know, with the words on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.quiz_types import Evidence, Point, PointVerdict, SessionItem

FindingKind = Literal[
    "met", "partial", "missing", "contradicted", "right", "wrong", "not_mentioned", "self_rated"
]
"""`self_rated`: nothing tells the points apart, and the person says that they did not know the answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody knew or did not know."""

    position: int
    """Of the question in its quiz."""
    question_id: str
    topic: str
    prompt: str
    kind: FindingKind
    claim: str
    """The point; of a multiple-choice question its key."""
    must_have: bool
    weight: int
    evidence: Evidence | None
    your_words: str = ""
    """Quoted from the answer, or the option that was chosen; empty: there are none."""
    why: str = ""
    made_up_for: bool = False
    """True: the point was met in the follow-up."""


_WEAK: Mapping[FindingKind, int] = {
    "contradicted": 0,
    "wrong": 1,
    "missing": 1,
    "not_mentioned": 1,
    "self_rated": 1,
    "partial": 2,
}
_STRONG: Mapping[FindingKind, int] = {"met": 0, "right": 0}


def weak(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what was not known, the most telling first: what a follow-up made up for comes last."""
    return _ordered(findings, _WEAK)


def strong(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what was known, the most telling first."""
    return _ordered(findings, _STRONG)


def findings_of(item: SessionItem, follow_ups: Collection[SessionItem] = ()) -> list[Finding]:
    """Return what the answer to a question shows: nothing for one that was not answered or is not graded yet.

    A right guess shows nothing. What an answer did not mention counts when the person says that they did
    not know it; where no hint names a point, the must-have ones count then. follow_ups: of the whole quiz.
    """
    grade = item.grade
    if grade is None or item.response is None or grade.outcome == "not_answered":
        return []
    if grade.right is not None:
        return list(_chosen(item, grade.right))
    if item.self_rating in ("again", "hard") and not grade.verdicts:
        return _not_mentioned(item, grade.not_mentioned) or _self_rated(item)
    made_up_for = {
        verdict.point
        for follow_up in follow_ups
        if follow_up.follow_up_of == item.position and follow_up.grade
        for verdict in follow_up.grade.verdicts
        if verdict.verdict == "met"
    }
    return [_judged(item, verdict, verdict.point in made_up_for) for verdict in grade.verdicts]


def _chosen(item: SessionItem, right: bool) -> Iterator[Finding]:
    question, response = item.question, item.response
    if response is None or response.option is None or question.answer is None or (right and response.guessed):
        return
    key, chosen = question.options[question.answer], question.options[response.option]
    found = _finding(item, "right" if right else "wrong", key, True, 2, question.evidence)
    yield replace(found, your_words=chosen, why=question.whys[response.option] if question.whys else "")


def _judged(item: SessionItem, verdict: PointVerdict, is_made_up_for: bool) -> Finding:
    found = _finding(
        item, verdict.verdict, verdict.point, verdict.must_have, verdict.weight, verdict.evidence
    )
    is_made_up_for = is_made_up_for and verdict.verdict != "met"
    return replace(found, your_words=verdict.answer_quote, why=verdict.why, made_up_for=is_made_up_for)


def _not_mentioned(item: SessionItem, claims: Collection[str]) -> list[Finding]:
    points = [point for point in item.question.points if point.claim in claims]
    return _of_points(item, "not_mentioned", points)


def _self_rated(item: SessionItem) -> list[Finding]:
    points = item.question.points
    return _of_points(item, "self_rated", [point for point in points if point.must_have] or points)


def _of_points(item: SessionItem, kind: FindingKind, points: Sequence[Point]) -> list[Finding]:
    return [
        _finding(item, kind, point.claim, point.must_have, point.weight, point.evidence) for point in points
    ]


def _finding(
    item: SessionItem, kind: FindingKind, claim: str, must_have: bool, weight: int, evidence: Evidence | None
) -> Finding:
    question = item.question
    return Finding(
        item.position,
        question.id,
        question.topic,
        question.prompt,
        kind,
        claim,
        must_have,
        weight,
        evidence,
    )


def _ordered(findings: Sequence[Finding], kinds: Mapping[FindingKind, int]) -> tuple[Finding, ...]:
    """Return the findings of these kinds by weight, alternating between the questions."""
    ranked = sorted(
        (one for one in findings if one.kind in kinds),
        key=lambda one: (kinds[one.kind], -one.weight),
    )
    turns: list[int] = []
    taken: Counter[tuple[str, bool]] = Counter()
    for one in ranked:
        turns.append(taken[one.question_id, _is_minor(one)])
        taken[one.question_id, _is_minor(one)] += 1
    order = sorted(
        range(len(ranked)),
        key=lambda n: (ranked[n].made_up_for, _is_minor(ranked[n]), turns[n]),
    )
    return tuple(ranked[n] for n in order)


def _is_minor(one: Finding) -> bool:
    return not one.must_have and one.kind != "contradicted"
