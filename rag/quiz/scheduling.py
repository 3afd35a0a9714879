"""Decides when a question comes again: by what its answers were worth, FSRS, and the interview day.

A card is always what the library makes of all its reviews, so a review that is replaced leaves no trace.
The interview day changes no card: it only brings forward when a card is due.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fsrs import Card, ReviewLog, Scheduler

from rag.quiz.figures import Weakness
from rag.quiz.rating import rating_of
from rag.quiz_types import QuizRequest, Session, SessionItem
from rag.storage.preferences import Preferences
from rag.storage.reviews import Reviews, StoredReview

Json = dict[str, Any]

RETENTION = 0.9
"""Recall at which a card is due; the same in the last week.

A simulation of 60 cards over 28 days by FSRS's own model: 0.95 in the last week asks for 34 % more
reviews in it (71 instead of 53) and lifts the mean recall on the day from 96.1 to 96.8 %.
"""
AT_ONCE = 20
"""Questions of one review at most."""
LAPSES_DAYS, MANY_LAPSES = 30, 3
"""A topic is weak when so many of its questions were forgotten within so many days."""

STEP = timedelta(minutes=10)
"""After which a missed question comes again. The library's own two steps would bring back a question that was
answered right after ten minutes, too; with one, it waits for days, as suits quizzes taken once a day."""

# Not fuzzed: that spreads the load of thousands of cards, and would make due dates a matter of chance.
_SCHEDULER = Scheduler(desired_retention=RETENTION, learning_steps=(STEP,), enable_fuzzing=False)


@dataclass(frozen=True, slots=True)
class Interview:
    """The day of an interview where the person lives."""

    day: date
    zone: tzinfo

    @property
    def eve(self) -> datetime:
        """The first moment of the day before, in UTC."""
        return datetime.combine(self.day - timedelta(days=1), time.min, self.zone).astimezone(UTC)

    @property
    def begins(self) -> datetime:
        """The first moment of the day, in UTC."""
        return datetime.combine(self.day, time.min, self.zone).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The last moment of the day, in UTC."""
        return datetime.combine(self.day, time.max, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DueCard:
    """A question that is to be asked again."""

    question_id: str
    topic: str
    due_at: datetime
    recall: float
    """Probability, 0 to 1, that it is known on the interview day, or now without one: a model's estimate."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How much of a topic would be known on some day if nothing were reviewed until then."""

    topic: str
    cards: int
    recall: float
    """Mean over the cards of the topic, 0 to 1: a model's estimate."""


def review_of(due: Sequence[DueCard]) -> QuizRequest:
    """Return the wish for a quiz of the first cards that are due; the others wait for the next one."""
    ids = tuple(card.question_id for card in due[:AT_ONCE])
    return QuizRequest(n=len(ids), mode="review", question_ids=ids)


class Scheduling:
    """The reviews of every person. Times are UTC."""

    def __init__(
        self,
        reviews: Reviews,
        preferences: Preferences,
        clock: Callable[[], datetime],
        askable: Callable[[str], Collection[str]],
        weak: Callable[[str], Sequence[Weakness]],
    ) -> None:
        """askable: ids of the questions that a person may be asked now. weak: their weak topics."""
        self._reviews = reviews
        self._preferences = preferences
        self._clock = clock
        self._askable = askable
        self._weak = weak

    def review(self, session: Session, item: SessionItem) -> None:
        """Count an answer as a review of its question; once, however often this is called for it.

        What counts is the last call: a self-rating that comes later replaces the review. Nothing happens
        while there is no result, and never for a follow-up.
        """
        rating = rating_of(item)
        if rating is None or item.response is None or item.answered_at is None:
            return
        answered_at = item.answered_at.astimezone(UTC)
        question_id, number = item.question.id, card_id(session.owner, item.question.id)
        took_ms = max(0, round(1000 * item.response.seconds))
        log = ReviewLog(number, rating, answered_at, took_ms)
        review = StoredReview(
            question_id, rating.name.lower(), answered_at, session.id, item.position, dict(log.to_dict())
        )
        self._reviews.record(session.owner, item.question.topic, review, _replay)

    def due(self, owner: str, now: datetime) -> list[DueCard]:
        """Return the questions that are due at `now`, those least likely to be known first.

        Questions that can't be asked any more (reported, removed) are left out.
        """
        interview = self._interview(owner)
        moment = interview.begins if interview else now
        due = [
            DueCard(question_id, topic, due_at, recall(card, moment))
            for question_id, topic, card, due_at in self._cards(owner)
            if due_at <= now
        ]
        return sorted(due, key=lambda card: (card.recall, card.due_at, card.question_id))

    def due_by_day(self, owner: str, now: datetime, days: int, zone: tzinfo = UTC) -> list[tuple[date, int]]:
        """Return how many cards come due on each of the next `days` days, today with all that is overdue.

        Days are those of `zone`. A card counts once, on the day that it is due as things stand.
        """
        today = now.astimezone(zone).date()
        counted = Counter(
            max(today, due_at.astimezone(zone).date()) for _, _, _, due_at in self._cards(owner)
        )
        return [(day, counted[day]) for day in (today + timedelta(days=n) for n in range(days))]

    def forecast(self, owner: str, day: date) -> list[Forecast]:
        """Return what would be known of each topic on a day if nothing were reviewed before, lowest first."""
        moment = datetime.combine(day, time(12), UTC)
        topics: dict[str, list[float]] = defaultdict(list)
        for _, topic, card, _ in self._cards(owner):
            topics[topic].append(recall(card, moment))
        found = [Forecast(topic, len(shares), fmean(shares)) for topic, shares in topics.items()]
        return sorted(found, key=lambda forecast: (forecast.recall, forecast.topic))

    def interview_day(self, owner: str) -> date | None:
        """Return the day of the interview; None when none is set or it is over."""
        interview = self._interview(owner)
        return interview.day if interview else None

    def past_interview_day(self, owner: str) -> date | None:
        """Return the day that was set and is over; None otherwise."""
        stored = self._stored_interview(owner)
        return stored.day if stored and stored.ends < self._clock() else None

    def set_interview_day(self, owner: str, day: date | None, zone: str = "UTC") -> None:
        """Set the day of the interview, in the time zone of this IANA name, or forget it.

        A day that is over counts as none.
        """
        if day is None:
            self._preferences.clear(_preference(owner))
        else:
            self._preferences.set(_preference(owner), {"day": day.isoformat(), "zone": zone})

    def weak_topics(self, owner: str) -> list[str]:
        """Return the topics that need work most, the weakest first."""
        return list(self.weak_reasons(owner))

    def weak_reasons(self, owner: str) -> dict[str, str]:
        """Return why each weak topic is weak, in words, the weakest first.

        By the last answers of each topic (`figures.weaknesses`), then by questions that were forgotten.
        """
        weak = {found.topic: found.reason for found in self._weak(owner)}
        return weak | {
            topic: reason for topic, reason in self._often_forgotten(owner).items() if topic not in weak
        }

    def _often_forgotten(self, owner: str) -> dict[str, str]:
        """Return the topics of which many questions were known once and then not, the most first."""
        since = self._clock() - timedelta(days=LAPSES_DAYS)
        topics = {stored.question_id: stored.topic for stored in self._reviews.cards(owner)}
        by_question: dict[str, list[StoredReview]] = defaultdict(list)
        for review in self._reviews.list(owner):
            by_question[review.question_id].append(review)
        lapses = Counter(
            topics[question_id]
            for question_id, reviews in by_question.items()
            if any(
                earlier.rating != "again" and later.rating == "again" and later.reviewed_at >= since
                for earlier, later in pairwise(reviews)
            )
        )
        return {
            topic: f"{n} questions forgotten lately" for topic, n in lapses.most_common() if n >= MANY_LAPSES
        }

    def _cards(self, owner: str) -> list[tuple[str, str, Card, datetime]]:
        """Return question id, topic, card and when it is due, of what can still be asked."""
        stored = self._reviews.cards(owner)
        if not stored:
            return []
        interview, askable = self._interview(owner), self._askable(owner)
        found = []
        for one in stored:
            if one.question_id in askable:
                card = Card.from_dict(one.card)  # type: ignore[arg-type]  # as it wrote it
                found.append((one.question_id, one.topic, card, next_due(card, interview)))
        return found

    def _interview(self, owner: str) -> Interview | None:
        stored = self._stored_interview(owner)
        return stored if stored and stored.ends >= self._clock() else None

    def _stored_interview(self, owner: str) -> Interview | None:
        stored = self._preferences.get(_preference(owner))
        if stored is None:
            return None
        return Interview(date.fromisoformat(stored["day"]), zone_of(stored["zone"]))


def next_due(card: Card, interview: Interview | None) -> datetime:
    """Return when a card is due: as the library says, and before an interview that lies ahead.

    What would come later is due when the day before the interview begins, so that there is a day to answer
    it. What was answered on that day is due when the interview day begins, and then by its end.
    """
    if interview is None or card.last_review is None:
        return card.due
    limits = (interview.eve, interview.begins, interview.ends)
    answered_at = card.last_review
    return min(card.due, next((limit for limit in limits if answered_at < limit), interview.ends))


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; UTC for one that is not known here, as browsers may tell it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return ZoneInfo("UTC")


def recall(card: Card, moment: datetime) -> float:
    """Return the probability, 0 to 1, that a card is known at some moment, by FSRS; whole days count."""
    return float(_SCHEDULER.get_card_retrievability(card, moment))


def card_id(owner: str, question_id: str) -> int:
    """Return the number of a card, the same for the same person and question, below 2**60."""
    return int(hashlib.sha256(f"{owner}\0{question_id}".encode()).hexdigest()[:15], 16)


def _replay(logs: Sequence[Json]) -> tuple[Json, datetime]:
    reviews = [ReviewLog.from_dict(log) for log in logs]  # type: ignore[arg-type]
    first = Card(card_id=reviews[0].card_id, due=reviews[0].review_datetime)
    card = _SCHEDULER.reschedule_card(first, reviews)
    return dict(card.to_dict()), card.due


def _preference(owner: str) -> str:
    return f"interview:{owner}"
