"""When questions come again: what an answer is worth, the library's dates, and the interview day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fsrs import Card, Rating, Scheduler
from hypothesis import given
from hypothesis import strategies as some

from rag.quiz.figures import weaknesses
from rag.quiz.history import answered
from rag.quiz.rating import rating_of
from rag.quiz.scheduling import Interview, Scheduling, next_due
from rag.quiz_types import Grade
from rag.storage.engine import Database
from rag.storage.preferences import Preferences
from rag.storage.reviews import Reviews
from tests.quizzed import (
    CHOICE,
    JUDGED,
    OPEN,
    VERDICTS,
    hinted,
    item,
    judged,
    right,
    skipped,
    wrong,
)
from tests.quizzed import session as quiz

START = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
STEPS = (timedelta(minutes=10),)
MET, PARTIAL, MISSING, CONTRADICTED = "met", "partial", "missing", "contradicted"


def graded(first, second, optional, **more):
    """Return an open question, two of whose three points are must-haves, with these verdicts."""
    verdicts = tuple(
        replace(verdict, verdict=found)
        for verdict, found in zip(VERDICTS, (first, second, optional), strict=True)
    )
    return judged(grade=replace(JUDGED, verdicts=verdicts), **more)


def guessing(answer):
    """Return an answer whose author said that they were guessing."""
    return replace(answer, response=replace(answer.response, guessed=True))


@pytest.mark.parametrize(
    ("answer", "rating"),
    [
        (wrong(), Rating.Again),
        (right(), Rating.Good),
        (right(guessed=True), Rating.Again),
        (right(hints=1), Rating.Hard),
        (wrong(hints=2), Rating.Again),
        (right(self_rating="easy"), Rating.Easy),
        (right(self_rating="hard"), Rating.Hard),
        (right(self_rating="easy", hints=1), Rating.Hard),
        (right(guessed=True, self_rating="easy"), Rating.Again),
        (wrong(self_rating="easy"), Rating.Again),
        (graded(MET, MET, MET), Rating.Good),
        (graded(MET, MET, MET, self_rating="easy"), Rating.Easy),
        (graded(MET, MET, MET, self_rating="again"), Rating.Again),
        (graded(MET, MET, MET, hints=1), Rating.Hard),
        (guessing(graded(MET, MET, MET)), Rating.Again),
        (guessing(graded(MET, MET, MET, self_rating="easy")), Rating.Again),
        (guessing(hinted()), None),
        (guessing(hinted(self_rating="good")), Rating.Again),
        (graded(MET, MET, MISSING), Rating.Hard),
        (graded(MET, MET, MISSING, self_rating="easy"), Rating.Hard),
        (graded(MET, PARTIAL, MET), Rating.Hard),
        (graded(MET, MISSING, MET), Rating.Again),
        (graded(MET, CONTRADICTED, MET, self_rating="good"), Rating.Again),
        (judged(grade=Grade("llm", "off_topic")), Rating.Again),
        (judged(grade=Grade("llm", "not_answered")), Rating.Again),
        (skipped(), Rating.Again),
        (skipped(question=CHOICE, self_rating="good"), Rating.Again),
        (hinted(), None),
        (hinted(self_rating="again"), Rating.Again),
        (hinted(self_rating="good"), Rating.Good),
        (hinted(self_rating="easy", hints=1), Rating.Hard),
        (hinted(grade=None, grading="failed"), None),
        (hinted(grade=None, grading="failed", self_rating="good"), Rating.Good),
        (item(0, OPEN), None),
        (graded(MET, MET, MET, follow_up_of=0), None),
        (skipped(follow_up_of=0), None),
    ],
)
def test_the_result_decides_the_rating(answer, rating):
    assert rating_of(answer) == rating


def test_an_answer_of_which_nothing_holds_is_a_miss_also_without_must_haves():
    optional = tuple(replace(verdict, must_have=False, verdict=MISSING) for verdict in VERDICTS)
    assert rating_of(judged(grade=replace(JUDGED, verdicts=optional))) == Rating.Again


class Made(Scheduling):
    """Scheduling whose time, quizzes and questions that can't be asked a test sets."""

    def __init__(self, database):
        self.now, self.sessions, self.gone = START, [], set()
        self.reviews = Reviews(database)
        super().__init__(
            self.reviews,
            Preferences(database),
            lambda: self.now,
            lambda owner: {card.question_id for card in self.reviews.cards(owner)} - self.gone,
            lambda owner: weaknesses(answered(self.sessions)),
        )


@pytest.fixture
def made(tmp_path):
    """Scheduling on an empty database."""
    database = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    yield Made(database)
    database.close()


def answer(scheduling, one, at, quiz_id="quiz-1", owner="", topic=None):
    """Let somebody give this answer at this time."""
    question = one.question if topic is None else replace(one.question, topic=topic)
    one = replace(one, answered_at=at, question=question)
    scheduling.review(quiz(one, id=quiz_id, owner=owner), one)


def by_hand(*reviews):
    """Return the card that the library makes of ratings and times."""
    scheduler = Scheduler(desired_retention=0.9, learning_steps=STEPS, enable_fuzzing=False)
    card = Card(card_id=1, due=START)
    for rating, at in reviews:
        card, _ = scheduler.review_card(card, rating, at)
    return card


def test_due_dates_are_those_of_the_library_run_by_hand(made):
    times = [START + timedelta(days=n, minutes=7 * n) for n in (0, 1, 2, 5, 6, 16)]
    answers = [wrong(), right(), right(self_rating="easy"), right(hints=1), wrong(), right()]
    ratings = [Rating.Again, Rating.Good, Rating.Easy, Rating.Hard, Rating.Again, Rating.Good]
    for n, (one, at) in enumerate(zip(answers, times, strict=True)):
        answer(made, one, at, f"quiz-{n}")
        expected = by_hand(*zip(ratings[: n + 1], times[: n + 1], strict=True))
        (card,) = made.due("", expected.due)
        assert (card.due_at, card.question_id) == (expected.due, CHOICE.id)
        assert made.due("", expected.due - timedelta(seconds=1)) == []
        stored = Card.from_dict(made.reviews.cards("")[0].card)
        assert (stored.stability, stored.difficulty) == (expected.stability, expected.difficulty)


def test_what_was_missed_comes_again_at_once_and_what_was_known_in_days(made):
    answer(made, wrong(), START)
    assert made.due("", START + timedelta(minutes=9)) == []
    assert len(made.due("", START + timedelta(minutes=10))) == 1
    answer(made, right(), START + timedelta(minutes=10))
    assert made.due("", START + timedelta(hours=23)) == []


def test_an_answer_counts_once_and_a_later_self_rating_replaces_it(made):
    answer(made, right(), START)
    answer(made, right(), START)
    assert [review.rating for review in made.reviews.list("")] == ["good"]
    answer(made, right(self_rating="easy"), START)
    assert [review.rating for review in made.reviews.list("")] == ["easy"]
    due = by_hand((Rating.Easy, START)).due
    assert [card.due_at for card in made.due("", due)] == [due]


def test_a_grade_that_arrives_late_counts_at_the_time_of_its_answer(made):
    answer(made, graded(MET, MET, MET), START + timedelta(hours=2), "second")
    answer(made, graded(MET, MISSING, MET), START, "first")
    due = by_hand((Rating.Again, START), (Rating.Good, START + timedelta(hours=2))).due
    assert made.due("", due)[0].due_at == due


def test_what_was_not_judged_leaves_no_card(made):
    answer(made, hinted(), START)
    answer(made, graded(MET, MET, MET, follow_up_of=0), START)
    assert made.due("", START + timedelta(days=900)) == []


def test_everybody_has_cards_of_their_own(made):
    answer(made, wrong(), START, "hers", "her")
    assert made.due("him", START + timedelta(days=1)) == []
    assert len(made.due("her", START + timedelta(days=1))) == 1


def test_a_question_that_can_not_be_asked_is_not_due(made):
    answer(made, wrong(), START)
    made.gone.add(CHOICE.id)
    assert made.due("", START + timedelta(days=1)) == []


def test_what_is_least_likely_known_comes_first(made):
    known = replace(right(), question=replace(CHOICE, id="known"))
    for n, day in enumerate((0, 1, 3, 8)):
        answer(made, known, START + timedelta(days=day), f"known-{n}")
    answer(made, wrong(), START + timedelta(days=8))
    due = made.due("", START + timedelta(days=90))
    assert [card.question_id for card in due] == [CHOICE.id, "known"]
    assert 0 < due[0].recall < due[1].recall < 1


@given(
    reviews=some.lists(
        some.tuples(some.sampled_from(Rating), some.integers(0, 40 * 24 * 3600)), min_size=1, max_size=8
    ),
    days_left=some.integers(0, 400),
    zone=some.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"]),
)
def test_nothing_is_due_after_the_interview_day(reviews, days_left, zone):
    at, taken = START, []
    for rating, seconds in reviews:
        at += timedelta(seconds=seconds)
        taken.append((rating, at))
    card, today = by_hand(*taken), at.astimezone(ZoneInfo(zone)).date()
    interview = Interview(today + timedelta(days=days_left), ZoneInfo(zone))
    due = next_due(card, interview)
    assert due.astimezone(ZoneInfo(zone)).date() <= interview.day
    assert at < due
    assert at >= interview.eve or due < interview.begins
    ahead = [limit for limit in (interview.eve, interview.begins, interview.ends) if at < limit]
    assert due == min(card.due, *ahead)
    shortened = Scheduler(
        desired_retention=0.9, learning_steps=STEPS, enable_fuzzing=False, maximum_interval=max(1, days_left)
    ).review_card(by_hand(*taken[:-1]), *taken[-1])[0]
    assert due <= shortened.due


def test_an_interview_day_brings_reviews_forward_until_it_is_over(made):
    answer(made, right(self_rating="easy"), START)
    due, day = by_hand((Rating.Easy, START)).due, date(2026, 11, 6)
    assert due.date() == date(2026, 11, 11)
    made.set_interview_day("", day, "Europe/Vilnius")
    assert (made.interview_day(""), made.past_interview_day("")) == (day, None)
    assert made.due("", START + timedelta(days=4))[0].due_at == datetime(2026, 11, 4, 22, tzinfo=UTC)
    made.now = datetime(2026, 11, 6, 22, 1, tzinfo=UTC)  # after midnight in Vilnius
    assert (made.interview_day(""), made.past_interview_day("")) == (None, day)
    assert made.due("", START + timedelta(days=4)) == []
    assert made.due("", due)[0].due_at == due
    made.set_interview_day("", None)
    assert made.past_interview_day("") is None


def test_on_the_evening_before_the_interview_everything_that_would_come_later_is_due(made):
    answer(made, right(self_rating="easy"), START)
    made.set_interview_day("", date(2026, 11, 6))
    made.now = datetime(2026, 11, 5, 19, tzinfo=UTC)
    assert [card.question_id for card in made.due("", made.now)] == [CHOICE.id]
    assert made.due_by_day("", made.now, 2) == [(date(2026, 11, 5), 1), (date(2026, 11, 6), 0)]
    answer(made, right(self_rating="easy"), made.now, "evening")
    assert made.due("", made.now) == []
    assert made.due_by_day("", made.now, 2) == [(date(2026, 11, 5), 0), (date(2026, 11, 6), 1)]


@pytest.mark.parametrize("zone", ["Etc/Unknown", "", "America", "../etc/passwd"])
def test_an_unknown_time_zone_that_was_stored_counts_as_utc(made, zone):
    answer(made, right(self_rating="easy"), START)
    made.set_interview_day("", date(2026, 11, 6), zone)
    assert made.interview_day("") == date(2026, 11, 6)
    assert made.due("", START + timedelta(days=4))[0].due_at == datetime(2026, 11, 5, tzinfo=UTC)


def test_the_workload_has_what_is_overdue_today(made):
    answer(made, wrong(), START - timedelta(days=3), "old")
    later = replace(right(self_rating="easy"), question=replace(CHOICE, id="later"))
    answer(made, later, START - timedelta(days=5), "later")
    assert made.due_by_day("", START, 4) == [
        (date(2026, 11, 3), 1),
        (date(2026, 11, 4), 0),
        (date(2026, 11, 5), 0),
        (date(2026, 11, 6), 1),
    ]


def test_the_forecast_is_the_mean_by_topic_with_the_lowest_first(made):
    answer(made, right(self_rating="easy"), START, topic="agents")
    for name in ("a", "b"):
        answer(made, replace(wrong(), question=replace(CHOICE, id=name)), START, name, topic="rag")
    weak, strong = made.forecast("", date(2026, 11, 13))
    assert (weak.topic, weak.cards, strong.topic, strong.cards) == ("rag", 2, "agents", 1)
    scheduler = Scheduler(learning_steps=STEPS, enable_fuzzing=False)
    card, day = by_hand((Rating.Easy, START)), datetime(2026, 11, 13, 12, tzinfo=UTC)
    assert strong.recall == pytest.approx(scheduler.get_card_retrievability(card, day))
    assert weak.recall < strong.recall


def test_weak_topics_are_those_with_misses_then_those_forgotten(made):
    made.sessions.append(quiz(wrong(0), wrong(1), right(2), graded(MET, MET, MET, position=3)))
    for n in range(3):
        one = replace(CHOICE, id=f"agents-{n}")
        answer(made, replace(right(), question=one), START, f"known-{n}", topic="agents")
        answer(made, replace(wrong(), question=one), START + timedelta(days=9), f"lost-{n}", topic="agents")
    made.now = START + timedelta(days=10)
    assert made.weak_reasons("") == {
        "system-design": "1 of 3 right",
        "agents": "3 questions forgotten lately",
    }
    made.now = START + timedelta(days=60)
    assert made.weak_topics("") == ["system-design"]
