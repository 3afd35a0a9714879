"""Gives hints to a question: first where its answer stands, then a clue that leaves some work to do."""

from __future__ import annotations

import random

from rag.quiz_types import AskedQuestion

CLUE_WORDS = 8


def hints_of(question: AskedQuestion) -> tuple[str, ...]:
    """Return the title of the source and then a clue; empty for a question without a source.

    The clue is a wrong option, or how the source begins to say the weightiest point. The same question
    always has the same hints.
    """
    if question.evidence is None:
        return ()
    clue = _wrong_option(question) if question.kind == "mcq" else _first_words(question)
    return (question.evidence.title, *((clue,) if clue else ()))


def _wrong_option(question: AskedQuestion) -> str:
    wrong = [option for place, option in enumerate(question.options) if place != question.answer]
    if len(wrong) < 2:
        return ""
    # by chance: the first wrong one would give the key away whenever it is not the first option
    chooser = random.Random(f"{question.id}/clue")  # noqa: S311
    return f"it is not “{chooser.choice(wrong)}”"


def _first_words(question: AskedQuestion) -> str:
    points = [point for point in question.points if point.evidence]
    if not points:
        return ""
    weightiest = min(points, key=lambda point: (not point.must_have, -point.weight))
    quote = weightiest.evidence.quote.split() if weightiest.evidence else []
    return f"the source begins “{' '.join(quote[: min(CLUE_WORDS, len(quote) // 2)])} …”"
