"""Sums up one quiz: figures by topic, the strongest and the weakest points, what waits for somebody.

What a key decided, what a model judged and what people say of themselves are counted apart, as are
unanswered questions and follow-ups. There is no figure for the whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rag.quiz.figures import Figures, by_topic, figures_of
from rag.quiz.findings import Finding, findings_of, strong, weak
from rag.quiz.history import answered
from rag.quiz_types import SelfRating, Session, SessionItem

SHOWN = 3
"""How many points are called the strongest, and how many the weakest."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One quiz, summed up."""

    total: Figures
    topics: tuple[tuple[str, Figures], ...]
    """In the order in which they came up; only those with an answer or a skipped question."""
    strongest: tuple[Finding, ...]
    weakest: tuple[Finding, ...]
    """At most three of each, the most telling first."""
    weak_topics: tuple[str, ...]
    """Of all weak findings that no follow-up made up for, then of the unanswered questions."""
    weak_questions: frozenset[str]
    """Ids of the questions with a weak finding, and of the unanswered ones."""
    ratings: tuple[tuple[SelfRating, int], ...]
    """How often somebody rated themselves where there is no grade, follow-ups not counted."""
    unanswered: tuple[SessionItem, ...]
    follow_ups: tuple[SessionItem, ...]
    unrated: tuple[SessionItem, ...]
    """Answers without a grade that wait for the person's own rating, follow-ups not counted."""
    failed: tuple[SessionItem, ...]
    """Answers that could not be graded."""
    disagreed: tuple[SessionItem, ...]
    reported: tuple[SessionItem, ...]


def scorecard(session: Session) -> Scorecard:
    """Return the summary of a quiz, which may still be running."""
    items = session.items
    planned = [item for item in items if item.follow_up_of is None]
    follow_ups = [item for item in items if item.follow_up_of is not None]
    answers = answered([session])
    findings = [one for item in planned for one in findings_of(item, follow_ups)]
    weakest = weak(findings)
    open_weak = [one for one in weakest if not one.made_up_for]
    unanswered = [item for item in planned if is_unanswered(item)]
    weak_topics = [one.topic for one in open_weak] + [item.question.topic for item in unanswered]
    weak_questions = [one.question_id for one in open_weak] + [item.question.id for item in unanswered]
    return Scorecard(
        total=figures_of(answers),
        topics=tuple((topic, figures_of(of)) for topic, of in by_topic(answers).items()),
        strongest=strong(findings)[:SHOWN],
        weakest=weakest[:SHOWN],
        weak_topics=tuple(dict.fromkeys(weak_topics)),
        weak_questions=frozenset(weak_questions),
        ratings=tuple(
            Counter(item.self_rating for item in planned if item.self_rating and rates_itself(item)).items()
        ),
        unanswered=tuple(unanswered),
        follow_ups=tuple(follow_ups),
        unrated=tuple(item for item in planned if rates_itself(item) and not item.self_rating),
        failed=tuple(item for item in items if item.grading == "failed"),
        disagreed=tuple(item for item in items if item.disagreement),
        reported=tuple(item for item in items if item.report),
    )


def is_unanswered(item: SessionItem) -> bool:
    """Tell whether there is no answer, or an empty one."""
    if item.response is None or item.response.skipped:
        return True
    return item.grade is not None and item.grade.outcome == "not_answered"


def rates_itself(item: SessionItem) -> bool:
    """Tell whether only the person can say how well they knew it, because nobody judged the answer."""
    if item.grade is None or is_unanswered(item):
        return False
    return item.grade.outcome == "ungraded" or item.grade.graded_by in ("coverage_hint", "self")
