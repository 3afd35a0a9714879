"""What one quiz comes to: kinds of grades counted apart, weak points first, nothing averaged."""

from dataclasses import fields, replace

from rag.quiz.figures import Figures, Tally
from rag.quiz.findings import findings_of
from rag.quiz.scorecard import Scorecard, scorecard
from rag.quiz.wording import result
from rag.quiz_types import Grade
from tests.quizzed import (
    ALL,
    CHOICE,
    HINTED,
    JUDGED,
    OPEN,
    POINTS,
    VERDICTS,
    hinted,
    item,
    judged,
    right,
    session,
    skipped,
    wrong,
)


def kinds(found):
    return [(one.kind, one.claim) for one in found]


def test_each_way_of_grading_is_counted_by_itself():
    assert scorecard(ALL).topics == (
        ("system-design", Figures(2, options=Tally(1, 1, 1), points=Tally(1, 3, 1))),
        ("agents", Figures(2, options=Tally(0, 1, 1), rated=Tally(0, 1, 1))),
        ("rag", Figures(not_answered=1)),
    )


def test_there_is_no_figure_for_the_whole_quiz():
    assert not {"score", "percent", "average", "mark"} & {field.name for field in fields(Scorecard)}
    assert scorecard(ALL).total == Figures(
        4, options=Tally(1, 2, 2), points=Tally(1, 3, 1), rated=Tally(0, 1, 1), not_answered=1
    )


def test_skipped_and_empty_answers_are_apart_from_wrong_ones():
    blank = hinted(1, grade=Grade("coverage_hint", "not_answered"), text=" ")
    found = scorecard(session(skipped(0), blank, item(2, OPEN), wrong(3)))
    assert found.topics == (("system-design", Figures(1, options=Tally(0, 1, 1), not_answered=2)),)
    assert [one.position for one in found.unanswered] == [0, 1, 2]
    assert kinds(found.weakest) == [("wrong", "It keeps them")]


def test_the_weakest_points_begin_with_a_contradiction_and_alternate_between_questions():
    missing = tuple(replace(verdict, verdict="missing") for verdict in VERDICTS)
    other = judged(2, replace(OPEN, id="other"), replace(JUDGED, verdicts=missing))
    found = scorecard(session(wrong(0), judged(1), other))
    assert kinds(found.weakest) == [
        ("contradicted", POINTS[1].claim),
        ("missing", POINTS[0].claim),
        ("wrong", "It keeps them"),
    ]
    assert found.weakest[0].your_words == "entries never get stale"


def test_a_follow_up_is_not_averaged_in_and_shows_what_was_made_up_for():
    found = scorecard(ALL)
    assert [one.position for one in found.follow_ups] == [2]
    assert found.total.points == Tally(1, 3, 1)
    judgements = findings_of(ALL.items[1], ALL.items[2:3])
    assert [(one.kind, one.made_up_for) for one in judgements] == [
        ("met", False),
        ("contradicted", False),
        ("missing", True),
    ]
    assert found.weakest[-1].claim != POINTS[2].claim


def test_a_right_guess_is_no_strength():
    assert kinds(scorecard(session(right(0))).strongest) == [("right", "It keeps them")]
    assert scorecard(session(right(0, guessed=True))).strongest == ()


def test_what_was_not_mentioned_is_weak_only_if_the_person_says_so():
    for rating, weakest in (("", []), ("good", []), ("again", [("not_mentioned", POINTS[1].claim)])):
        found = scorecard(session(hinted(0, self_rating=rating)))
        assert kinds(found.weakest) == weakest
        assert [one.position for one in found.unrated] == ([] if rating else [0])
        assert found.ratings == (((rating, 1),) if rating else ())


def test_without_a_hint_the_must_haves_are_weak_if_the_person_says_so():
    nothing_left = replace(HINTED, not_mentioned=())
    for rating, weak_topics in (("good", ()), ("again", ("system-design",)), ("hard", ("system-design",))):
        found = scorecard(session(hinted(0, grade=nothing_left, self_rating=rating)))
        assert found.weak_topics == weak_topics
    assert kinds(found.weakest) == [("self_rated", POINTS[0].claim), ("self_rated", POINTS[1].claim)]
    assert found.weak_questions == {OPEN.id}


def test_all_points_are_weak_by_a_self_rating_where_none_is_a_must_have():
    optional = replace(OPEN, points=POINTS[2:])
    found = scorecard(session(hinted(0, optional, replace(HINTED, not_mentioned=()), self_rating="again")))
    assert kinds(found.weakest) == [("self_rated", POINTS[2].claim)]


def test_weak_topics_come_before_those_with_unanswered_questions():
    found = scorecard(ALL)
    assert found.weak_topics == ("system-design", "agents", "rag")
    assert found.weak_questions == {"cache-open-1", "agents-mcq-1", "agents-open-1", "rag-open-1"}


def test_what_failed_or_was_doubted_is_listed():
    found = scorecard(
        session(
            replace(judged(0, grade=None), grading="failed", grading_error="The model is gone."),
            judged(1, disagreement="I said that."),
            right(2, report="Two options are right."),
        )
    )
    lists = (found.failed, found.disagreed, found.reported)
    assert [[one.position for one in items] for items in lists] == [[0], [1], [2]]


def test_results_are_words():
    assert [result(one) for one in ALL.items] == [
        "Right",
        "1 of 3 points met",
        "1 of 1 point met",
        "Not right",
        "You rated: I did not know it",
        "Not answered",
    ]
    assert result(right(guessed=True, question=CHOICE)) == "Right, guessed"
    assert result(hinted(grade=HINTED)) == "Waits for your own rating"
    assert result(judged(grade=Grade("llm", "off_topic"))) == "Off the question"
