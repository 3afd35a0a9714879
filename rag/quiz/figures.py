"""Counts answers by who judged them: a key, a model, the person; never averaged with one another.

Follow-ups are not counted: they are asked with the answer half told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rag.quiz.history import Answered

ENOUGH = 3
"""Answers below which a share says nothing."""
WEAK_SHARE = 2 / 3
"""A topic is weak below this share of points met, of right options, or of answers rated as known."""
RECENT = 10
"""Answers of a topic that tell whether it is weak now."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of how many."""

    n: int = 0
    of: int = 0
    answers: int = 0
    """How many answers that rests on."""

    @property
    def enough(self) -> bool:
        """Tell whether a share of it says something."""
        return self.answers >= ENOUGH

    @property
    def share(self) -> float | None:
        """0 to 1; None when there are too few answers to say."""
        return self.n / self.of if self.enough and self.of else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.n + other.n, self.of + other.of, self.answers + other.answers)


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of some answers."""

    answers: int = 0
    """All that were answered; those without a result are in no tally below."""
    options: Tally = Tally()
    """Multiple choice: right of answered."""
    guessed: int = 0
    """How many of the right options were said to be guesses."""
    points: Tally = Tally()
    """Open questions graded by a model: points met of points asked for."""
    partial: int = 0
    """Points met in part."""
    rated: Tally = Tally()
    """Open questions rated by the person: known (good, easy) of rated."""
    not_answered: int = 0


@dataclass(frozen=True, slots=True)
class Weakness:
    """A topic that needs work, and why."""

    topic: str
    share: float
    reason: str
    """E.g. "4 of 12 points met", of the last RECENT answers."""


def figures_of(asked: Sequence[Answered]) -> Figures:
    """Count answers; follow-ups among them are left out."""
    options, points, rated = Tally(), Tally(), Tally()
    answers = not_answered = guessed = partial = 0
    for one in asked:
        if one.is_follow_up:
            continue
        item, grade = one.item, one.item.grade
        if one.result == "not_answered":
            not_answered += 1
            continue
        answers += 1
        if grade and grade.graded_by == "key":
            options += Tally(int(one.result == "right"), 1, 1)
            guessed += one.result == "right" and item.response is not None and item.response.guessed
        elif one.result == "self_rated":
            rated += Tally(int(item.self_rating in ("good", "easy")), 1, 1)
        elif grade and one.result in ("right", "partly", "wrong"):
            points += Tally(grade.met, len(grade.verdicts) or len(item.question.points), 1)
            partial += sum(verdict.verdict == "partial" for verdict in grade.verdicts)
    return Figures(answers, options, guessed, points, partial, rated, not_answered)


def by_topic(asked: Sequence[Answered]) -> dict[str, list[Answered]]:
    """Return the answers of each topic in the given order; follow-ups are left out."""
    topics: dict[str, list[Answered]] = defaultdict(list)
    for one in asked:
        if not one.is_follow_up:
            topics[one.topic].append(one)
    return topics


def weaknesses(asked: Sequence[Answered]) -> list[Weakness]:
    """Return the topics whose last answers fell short, the weakest first; none without enough answers.

    asked: oldest first. Of the kinds of judging that make a topic weak the worst is given as the reason.
    """
    found = []
    for topic, answers in by_topic(asked).items():
        figures = figures_of(answers[-RECENT:])
        weak = [
            Weakness(topic, tally.share, f"{tally.n} of {tally.of} {words}")
            for tally, words in (
                (figures.points, "points met"),
                (figures.options, "right"),
                (figures.rated, "rated as known"),
            )
            if tally.share is not None and tally.share < WEAK_SHARE
        ]
        if weak:
            found.append(min(weak, key=lambda weakness: weakness.share))
    return sorted(found, key=lambda weakness: (weakness.share, weakness.topic))
