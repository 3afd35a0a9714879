"""Finds over all quizzes what is not known and what is, point by point, with the words of both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rag.quiz.findings import Finding, findings_of, strong, weak
from rag.quiz.history import Answered


@dataclass(frozen=True, slots=True)
class PointFigure:
    """One thing to know, and how the last answer to its question went."""

    finding: Finding
    last: Answered
    missed: int
    asked: int
    """How often it went wrong, of how often it was asked."""


def weakest_and_strongest(
    answers: Sequence[Answered],
) -> tuple[tuple[PointFigure, ...], tuple[PointFigure, ...]]:
    """Return what the last answer to each question showed: what to work on first, what is known best first.

    answers: oldest first. Follow-ups count for nothing of their own.
    """
    judged: dict[str, list[tuple[Answered, list[Finding]]]] = defaultdict(list)
    for one in answers:
        if not one.is_follow_up and one.result not in ("not_answered", "ungraded"):
            judged[one.item.question.id].append((one, findings_of(one.item)))
    points: dict[tuple[str, str], PointFigure] = {}
    for question_id, times in judged.items():
        asked = Counter(finding.claim for _, findings in times for finding in findings)
        known = Counter(finding.claim for _, findings in times for finding in strong(findings))
        last, findings = times[-1]
        for finding in findings:
            claim = finding.claim
            points[question_id, claim] = PointFigure(finding, last, asked[claim] - known[claim], asked[claim])
    found = [point.finding for point in sorted(points.values(), key=_last_first)]
    return (
        tuple(points[finding.question_id, finding.claim] for finding in weak(found)),
        tuple(
            sorted(
                (points[finding.question_id, finding.claim] for finding in strong(found)),
                key=lambda point: (point.missed - point.asked, point.missed),
            )
        ),
    )


def _last_first(point: PointFigure) -> float:
    return -point.last.at.timestamp()
