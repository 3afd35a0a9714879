"""Decides what an answer is worth to the scheduler, from its result alone."""

from __future__ import annotations

from fsrs import Rating

from rag.quiz_types import Grade, SelfRating, SessionItem

_RATINGS: dict[SelfRating, Rating] = {
    "again": Rating.Again,
    "hard": Rating.Hard,
    "good": Rating.Good,
    "easy": Rating.Easy,
}


def rating_of(item: SessionItem) -> Rating | None:
    """Return what an answer is worth to the scheduler; None when it is not to be counted (yet).

    Hard is a pass in FSRS, so a miss is Again, never Hard. With a grade: a wrong option, a guess, nothing
    answered or a must-have point that is missing or contradicted are Again; a must-have point met in part,
    or optional ones not met, are Hard; the rest is Good. A self-rating can lower that, and Easy can lift
    Good, never a miss. Without a grade (a coverage hint, a model that failed) only the self-rating counts.
    Somebody who looked at a hint gets Hard at most; whoever was guessing, Again.
    """
    if item.follow_up_of is not None or item.response is None:
        return None
    own, found = _RATINGS.get(item.self_rating), _graded(item)
    if found is None or (own is not None and (own < found or found == Rating.Good)):
        found = own
    if found is None:
        return None
    if item.response.guessed:
        return Rating.Again
    return min(found, Rating.Hard) if item.hints else found


def _graded(item: SessionItem) -> Rating | None:
    """Return the rating by the grade alone; None without one."""
    response, grade = item.response, item.grade
    if response is None:
        return None
    if response.skipped or (grade and grade.outcome == "not_answered"):
        return Rating.Again
    if grade is None or grade.outcome == "ungraded":
        return None
    if grade.graded_by == "key":
        return Rating.Good if grade.right else Rating.Again
    return _of_points(grade) if grade.graded_by == "llm" else None


def _of_points(grade: Grade) -> Rating | None:
    verdicts = grade.verdicts
    if grade.outcome == "off_topic":
        return Rating.Again
    if not verdicts:
        return None
    missed = {"missing", "contradicted"}
    nothing = all(verdict.verdict in missed for verdict in verdicts)
    if nothing or any(verdict.must_have and verdict.verdict in missed for verdict in verdicts):
        return Rating.Again
    return Rating.Good if all(verdict.verdict == "met" for verdict in verdicts) else Rating.Hard
