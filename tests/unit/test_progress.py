"""Figures of stored quizzes, with values counted by hand."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rag.quiz.figures import Figures, Tally
from rag.quiz.history import history_csv
from rag.quiz.progress import Streak, progress_of
from tests.quizzed import ALL, CHOICE, JUDGED, POINTS, VERDICTS, hinted, judged, right, skipped, wrong
from tests.quizzed import session as quiz

NOW = datetime(2026, 11, 10, 20, 0, tzinfo=UTC)
MET = replace(JUDGED, verdicts=tuple(replace(verdict, verdict="met") for verdict in VERDICTS))


def on(day, *items, name="", hour=12, **more):
    """Return a quiz that was answered on a day of November 2026."""
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    placed = [
        replace(item, position=n, answered_at=item.answered_at and at + timedelta(minutes=n))
        for n, item in enumerate(items)
    ]
    return quiz(*placed, id=name or f"quiz-{day}-{hour}", started_at=at, updated_at=at, **more)


def asked(question, n, **more):
    """Return a question like this one with another id."""
    return replace(question, id=f"{question.id}-{n}", **more)


def test_each_kind_of_judging_is_counted_apart_and_follow_ups_not_at_all():
    topics = dict(progress_of([ALL], NOW).topics)
    assert topics["system-design"] == Figures(2, Tally(1, 1, 1), 0, Tally(1, 3, 1))
    assert topics["agents"] == Figures(2, Tally(0, 1, 1), 0, rated=Tally(0, 1, 1))
    assert topics["rag"] == Figures(0, not_answered=1)
    assert progress_of([ALL], NOW).total == Figures(
        4, Tally(1, 2, 2), 0, Tally(1, 3, 1), 0, Tally(0, 1, 1), 1
    )


def test_a_guess_and_a_point_met_in_part_are_told():
    partly = replace(JUDGED, verdicts=(replace(VERDICTS[0], verdict="partial"), *VERDICTS[1:]))
    total = progress_of([on(3, right(guessed=True), judged(grade=partly))], NOW).total
    assert (total.options, total.guessed) == (Tally(1, 1, 1), 1)
    assert (total.points, total.partial) == (Tally(0, 3, 1), 1)


def test_a_share_needs_three_answers():
    assert (Tally(1, 2, 2).enough, Tally(1, 2, 2).share) == (False, None)
    assert Tally(3, 12, 3).share == 0.25


def test_an_answer_nobody_has_judged_yet_is_in_no_tally():
    total = progress_of([on(3, hinted(), judged(grade=None, grading="waiting"))], NOW).total
    assert total == Figures(answers=2)


def test_weeks_begin_on_monday_where_the_person_lives():
    late = on(8, right(), hour=23)  # a Sunday, and Monday in Vilnius
    assert [week for week, _ in progress_of([late], NOW).weeks] == [date(2026, 11, 2)]
    assert [week for week, _ in progress_of([late], NOW, ZoneInfo("Europe/Vilnius")).weeks] == [
        date(2026, 11, 9)
    ]


def test_the_streak_counts_days_of_the_last_seven_and_the_longest_run():
    quizzes = [on(day, right()) for day in (1, 2, 3, 7, 10)]
    assert progress_of(quizzes, NOW).streak == Streak(
        tuple((date(2026, 11, day), 1) for day in (1, 2, 3, 7, 10)), 2, 3
    )
    assert progress_of([], NOW).streak == Streak((), 0, 0)


def test_a_topic_is_weak_by_its_last_answers():
    choices = [wrong(question=asked(CHOICE, n)) for n in range(8)]
    (weak,) = progress_of([on(3, *choices)], NOW).weak
    assert (weak.topic, weak.reason) == ("system-design", "0 of 8 right")
    learned = on(4, *[right(question=asked(CHOICE, n)) for n in range(9)])
    assert progress_of([on(3, *choices), learned], NOW).weak == ()
    assert progress_of([on(3, *choices[:2])], NOW).weak == ()


def test_the_weakest_points_come_with_the_words_of_both_sides():
    progress = progress_of([on(3, judged(), wrong(question=asked(CHOICE, 1)))], NOW)
    worst, second, third = progress.weakest
    assert (worst.finding.kind, worst.finding.claim) == ("contradicted", POINTS[1].claim)
    assert worst.finding.your_words == "entries never get stale"
    assert worst.finding.evidence.quote == "A stale entry is the price."
    assert (second.finding.kind, second.finding.your_words) == ("wrong", "It sends them")
    assert second.finding.why == "Sending is a queue."
    assert third.finding.kind == "missing"
    assert [point.finding.claim for point in progress.strongest] == [POINTS[0].claim]


def test_only_the_last_answer_to_a_question_says_whether_it_is_known():
    missed, known = on(3, judged(), wrong()), on(5, judged(grade=MET), right())
    progress = progress_of([known, missed], NOW)
    assert progress.weakest == ()
    by_claim = {point.finding.claim: (point.missed, point.asked) for point in progress.strongest}
    assert by_claim == {
        POINTS[0].claim: (0, 2),
        POINTS[1].claim: (1, 2),
        POINTS[2].claim: (1, 2),
        "It keeps them": (1, 2),
    }
    assert progress.strongest[0].finding.claim == POINTS[0].claim


def test_what_a_hint_found_missing_is_weak_only_while_the_person_says_so():
    assert [
        point.finding.kind for point in progress_of([on(3, hinted(self_rating="again"))], NOW).weakest
    ] == ["not_mentioned"]
    later = on(4, hinted(self_rating="good"))
    assert progress_of([on(3, hinted(self_rating="again")), later], NOW).weakest == ()
    assert progress_of([on(3, hinted())], NOW).weakest == ()


def test_the_answer_after_a_miss_counts_once_its_feedback_was_shown():
    miss, hit = wrong(question=asked(CHOICE, 1)), right(question=asked(CHOICE, 2))
    other = right(question=asked(CHOICE, 3, topic="agents"))
    practice = on(3, miss, other, hit, name="practice")
    assert progress_of([practice], NOW).measures.next_options == Tally(1, 1, 1)
    interview = on(3, miss, hit, name="interview", mode="interview")
    assert progress_of([interview], NOW).measures.next_options == Tally()
    again = on(4, judged(grade=MET), name="again")
    assert progress_of([on(3, skipped(), name="first"), again], NOW).measures.next_points == Tally(3, 3, 1)


def test_disagreement_reports_and_unfinished_quizzes_are_measured():
    first = on(3, right(), judged(disagreement="I said so"), hinted(report="unclear"))
    left = on(4, right(), state="running", stop_reason="")
    ended = on(5, right(), stop_reason="ended")
    measures = progress_of([first, left, ended], NOW).measures
    assert (measures.disagreed.n, measures.disagreed.of) == (1, 4)
    assert (measures.reported.n, measures.reported.of) == (1, 5)
    assert (measures.finished.n, measures.finished.of) == (1, 3)


def test_the_history_is_exported_with_the_quiz_of_each_answer():
    history = progress_of([ALL, on(9, wrong(), name="quiz-2", mode="review")], NOW).history
    assert [one.item.position for one in history] == [0, 5, 4, 3, 2, 1, 0]
    rows = list(csv.DictReader(io.StringIO(history_csv(history).decode("utf-8-sig"))))
    assert [(row["quiz"], row["mode"], row["number"]) for row in rows[:2]] == [
        ("quiz-2", "review", "1"),
        ("quiz-1", "practice", "6"),
    ]
    assert rows[0]["your_answer"] == "A. It sends them"
    assert rows[5]["points_met"] == "1"
    assert history_csv([]) == b"\xef\xbb\xbf"
