"""Grades a multiple-choice answer by its key."""

from __future__ import annotations

from rag.errors import InvalidInput
from rag.quiz_types import AskedQuestion, Grade


def grade_choice(question: AskedQuestion, option: int) -> Grade:
    """Return whether `option`, an index in the options as shown, is the key; raises InvalidInput if none."""
    if question.answer is None:
        raise InvalidInput("This question has no options.", hint="Answer it in your own words.")
    if type(option) is not int or not 0 <= option < len(question.options):  # not isinstance: True is an int
        raise InvalidInput(
            "There is no such option.", hint=f"Give a number from 0 to {len(question.options) - 1}."
        )
    return Grade(graded_by="key", outcome="graded", right=option == question.answer)
