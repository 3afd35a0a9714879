"""Says in words how an answer was graded and what became of it."""

from __future__ import annotations

from collections.abc import Mapping

from rag.quiz_types import Grade, Origin, SelfRating, SessionItem, VerdictName

VERDICTS: Mapping[VerdictName, str] = {
    "met": "Met",
    "partial": "Partly met",
    "missing": "Missing",
    "contradicted": "Contradicts the source",
}
RATINGS: Mapping[SelfRating, str] = {
    "again": "I did not know it",
    "hard": "I knew parts of it",
    "good": "I knew it",
    "easy": "It was easy",
}

_KEYS: Mapping[Origin, str] = {
    "extractive": "Key correct by construction",
    "own": "Key as its author set it",
}


def graded_by(grade: Grade, origin: Origin) -> str:
    """Return how an answer was graded, e.g. "Graded by gpt-x point by point"."""
    match grade.graded_by:
        case "key":
            return _KEYS.get(origin, "Checked key")
        case "llm":
            return f"Graded by {grade.model or 'a model'} point by point"
        case "coverage_hint":
            return "Coverage hint, not a grade"
        case "self":
            return "Self-rated"


def points_met(grade: Grade) -> str:
    """Return e.g. "2 of 4 points met, 1 partly"."""
    partly = sum(verdict.verdict == "partial" for verdict in grade.verdicts)
    total = len(grade.verdicts)
    told = f"{grade.met} of {total} {'point' if total == 1 else 'points'} met"
    return f"{told}, {partly} partly" if partly else told


def result(item: SessionItem) -> str:
    """Return what became of an answer in a few words; what people say of themselves is called that."""
    grade, response = item.grade, item.response
    if response is None or response.skipped or (grade and grade.outcome == "not_answered"):
        return "Not answered"
    if grade and grade.right is not None:
        return ("Right" if grade.right else "Not right") + (", guessed" if response.guessed else "")
    if grade and grade.outcome == "off_topic":
        return "Off the question"
    if grade and grade.verdicts:
        return points_met(grade)
    if item.self_rating:
        return f"You rated: {RATINGS[item.self_rating]}"
    if item.grading == "waiting":
        return "Being graded"
    return "Waits for your own rating" if grade else "Not graded"
