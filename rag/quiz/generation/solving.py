"""Lets a model solve a question whose key it does not know: what can't be solved is dropped."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rag.errors import InvalidInput
from rag.quiz.generation.forms import LETTERS, Recalled, Said, Solved, Voice
from rag.quiz.generation.passages import Passage
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz_types import AskedQuestion

RUNS = 3


class Solver:
    """Solves drafted questions with one model."""

    def __init__(self, voice: Voice, hint: CoverageHint, chooser: random.Random) -> None:
        """`hint` says which points of an open question an answer does not mention."""
        self._voice = voice
        self._hint = hint
        self._chooser = chooser

    def solves(self, question: AskedQuestion, passage: Passage) -> bool:
        """Tell whether the passage leads to the answer without a hint.

        Multiple choice: to the key, three times of three, at another place each time, so that a habit of
        picking a letter solves one at most. Open: one answer mentions every point that it must.
        """
        if question.kind == "mcq":
            return all(self._hits(question, passage, order) for order in self._orders(question))
        given = {"passage": passage.chunk.text, "question": question.prompt}
        said = self._voice.ask("solve", "solve_open", given, Said)
        return said is not None and self._mentions_all(question, said.answer)

    def _mentions_all(self, question: AskedQuestion, answer: str) -> bool:
        """Tell whether an answer mentions every point that it must."""
        try:
            found = self._hint.grade(question, answer, trace_id="")
        except InvalidInput:  # too long for an answer
            return False
        missed = set(found.not_mentioned)
        must = [point.claim for point in question.points if point.must_have]
        return found.outcome == "ungraded" and missed.isdisjoint(must)

    def knows(self, question: AskedQuestion) -> bool:
        """Tell whether a multiple-choice question is solved without the passage: it is common knowledge."""
        order = self._orders(question)[0]
        options = _lettered(question, order)
        found = self._voice.ask(
            "solve", "solve_closed", {"question": question.prompt, "options": options}, Recalled
        )
        return found is not None and found.answer == _letter_of_key(question, order)

    def _hits(self, question: AskedQuestion, passage: Passage, order: Sequence[int]) -> bool:
        given = {
            "passage": passage.chunk.text,
            "question": question.prompt,
            "options": _lettered(question, order),
        }
        found = self._voice.ask("solve", "solve_choice", given, Solved)
        return found is not None and found.answer == _letter_of_key(question, order)

    def _orders(self, question: AskedQuestion) -> list[list[int]]:
        """Return orders of the options in which the key stands at different places."""
        places = range(len(question.options))
        orders = []
        for of_key in self._chooser.sample(places, RUNS):
            others = [place for place in places if place != question.answer]
            self._chooser.shuffle(others)
            orders.append([*others[:of_key], *(p for p in places if p == question.answer), *others[of_key:]])
        return orders


def _lettered(question: AskedQuestion, order: Sequence[int]) -> dict[str, str]:
    return {letter: question.options[place] for letter, place in zip(LETTERS, order, strict=True)}


def _letter_of_key(question: AskedQuestion, order: Sequence[int]) -> str:
    return next(letter for letter, place in zip(LETTERS, order, strict=True) if place == question.answer)
