"""Turns stored quizzes into what they say of one person: by topic, over weeks, point by point."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

from rag.quiz.figures import Figures, Tally, Weakness, by_topic, figures_of, weaknesses
from rag.quiz.history import Answered, answered
from rag.quiz.weak_points import PointFigure, weakest_and_strongest
from rag.quiz_types import Session

LAST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Streak:
    """On which days something was answered."""

    by_day: tuple[tuple[date, int], ...]
    """Day and number of answers, oldest first; days without any are left out."""
    last_days: int
    """How many of the last LAST_DAYS days, today among them."""
    longest: int
    """Most days in a row ever."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How well practising works."""

    next_options: Tally
    """Multiple choice: right of those asked next in a topic after a miss whose feedback was shown."""
    next_points: Tally
    """The same of open questions that a model graded: points met of points."""
    disagreed: Tally
    """Grades that the person disagreed with, of all grades by a key or a model."""
    reported: Tally
    """Questions that were reported as faulty, of all that were asked."""
    finished: Tally
    """Quizzes that came to their end, of all that were started."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything that the stored quizzes of one person say."""

    total: Figures
    topics: tuple[tuple[str, Figures], ...]
    """By topic, in alphabetical order."""
    weeks: tuple[tuple[date, Figures], ...]
    """By the Monday of the week, oldest first; weeks without an answer are left out."""
    streak: Streak
    weak: tuple[Weakness, ...]
    weakest: tuple[PointFigure, ...]
    strongest: tuple[PointFigure, ...]
    measures: Measures
    history: tuple[Answered, ...]
    """Every answer, follow-ups among them, newest first."""


def progress_of(sessions: Sequence[Session], now: datetime, zone: tzinfo = UTC) -> Progress:
    """Return what these quizzes, all of one person, say; days and weeks are those of `zone`."""
    return seen_from(timeless(sessions), now, zone)


def seen_from(progress: Progress, now: datetime, zone: tzinfo) -> Progress:
    """Return the progress with its days and weeks, which are those of `zone`; the rest stays as it is."""
    oldest_first = progress.history[::-1]
    weeks: dict[date, list[Answered]] = defaultdict(list)
    for one in oldest_first:
        day = one.at.astimezone(zone).date()
        weeks[day - timedelta(days=day.weekday())].append(one)
    return replace(
        progress,
        weeks=tuple((week, figures_of(asked)) for week, asked in sorted(weeks.items())),
        streak=_streak(oldest_first, now, zone),
    )


def timeless(sessions: Sequence[Session]) -> Progress:
    """Return what these quizzes, all of one person, say, with no days and weeks yet."""
    history = answered(sessions)
    weakest, strongest = weakest_and_strongest(history)
    return Progress(
        total=figures_of(history),
        topics=tuple((topic, figures_of(asked)) for topic, asked in sorted(by_topic(history).items())),
        weeks=(),
        streak=Streak((), 0, 0),
        weak=tuple(weaknesses(history)),
        weakest=weakest,
        strongest=strongest,
        measures=_measures(sessions, history),
        history=tuple(reversed(history)),
    )


def _streak(history: Sequence[Answered], now: datetime, zone: tzinfo) -> Streak:
    counted = Counter(one.at.astimezone(zone).date() for one in history)
    today = now.astimezone(zone).date()
    longest = run = 0
    for day in sorted(counted):
        run = run + 1 if day - timedelta(days=1) in counted else 1
        longest = max(longest, run)
    recent = sum(today - timedelta(days=n) in counted for n in range(LAST_DAYS))
    return Streak(tuple(sorted(counted.items())), recent, longest)


def _measures(sessions: Sequence[Session], history: Sequence[Answered]) -> Measures:
    after = figures_of(_after_feedback(history))
    graded = [one for one in history if one.result in ("right", "partly", "wrong")]
    reported = sum(bool(one.item.report) for one in history)
    disagreed = sum(bool(one.item.disagreement) for one in graded)
    finished = sum(session.state == "finished" and session.stop_reason != "ended" for session in sessions)
    return Measures(
        after.options,
        after.points,
        Tally(disagreed, len(graded), len(graded)),
        Tally(reported, len(history), len(history)),
        Tally(finished, len(sessions), len(sessions)),
    )


def _after_feedback(history: Sequence[Answered]) -> list[Answered]:
    """Return the answers that followed a miss in the same topic, once its feedback had been shown.

    An interview shows it at the end: what is asked before that is no sign of it.
    """
    found = []
    for asked in by_topic(history).values():
        judged = [one for one in asked if one.result != "ungraded"]
        for before, after in pairwise(judged):
            was_shown = before.session.mode != "interview" or before.session.id != after.session.id
            if before.result in ("wrong", "partly", "not_answered") and was_shown:
                found.append(after)
    return found
