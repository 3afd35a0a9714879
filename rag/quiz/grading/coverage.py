"""Hints, without a model, which points an answer does not seem to mention. It is no grade.

Shared words and nearness in meaning can't see a flipped claim, and keywords in any order satisfy both. So the
hint has no score and never calls an answer right; it says what to look for in the model answer.
"""

from __future__ import annotations

from rag.quiz.grading.limits import check_gradable
from rag.quiz.grading.prose import is_list_of_words, is_shuffled
from rag.quiz.grading.relevance import Embed, Relevance
from rag.quiz.grading.scoring import NOT_ANSWERED, is_answered
from rag.quiz_types import AskedQuestion, Grade
from rag.text.sentences import sentences

MENTIONED = 0.6
"""Words of the answer and meaning of its nearest sentence together (0 to 2) from which it mentions a point.

Chosen on 239 answers by students (tests/bench/grading.py), where a full-credit answer is told to have missed
one point in ten; of the model answers of the bank, one in a thousand.
"""
ELSEWHERE = "This seems to be about something else."
NOTHING_SAID = "This repeats the question or lists keywords. Say in sentences what is so, and why."


class CoverageHint:
    """Names the points that an answer does not seem to mention."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def grade(self, question: AskedQuestion, answer: str, *, trace_id: str) -> Grade:
        """Return the hint, which has no score; no model is called and nothing is written under `trace_id`.

        Raises InvalidInput when the answer is too long or the question has no points.
        """
        check_gradable(question, answer)
        if not is_answered(answer):
            return Grade("coverage_hint", "not_answered", note=NOT_ANSWERED)
        relevance = Relevance(question, self._embed)
        parts = [answer[unit.start : unit.end] for unit in sentences(answer)] or [answer]
        said = [part for part in parts if not relevance.only_repeats(part) and not is_list_of_words(part)]
        if not said or is_shuffled(answer):
            claims = tuple(point.claim for point in question.points)
            return Grade("coverage_hint", "ungraded", not_mentioned=claims, note=NOTHING_SAID)
        *fits, whole = relevance.fits([*said, " ".join(said)])
        return Grade(
            graded_by="coverage_hint",
            outcome="ungraded",
            not_mentioned=tuple(
                point.claim
                for place, point in enumerate(question.points)
                if whole[place].words + max(row[place].meaning for row in [*fits, whole]) < MENTIONED
            ),
            note=ELSEWHERE if relevance.is_elsewhere(answer, fits) else "",
        )
