"""Models that judge and solve by habit, and one that knows the answers: what the gates must tell apart."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

from rag.quiz.generation.forms import LETTERS, Form, Json, Judged, Purpose, Recalled, Said, Solved
from rag.quiz.generation.passages import statements
from rag.quiz_types import AskedQuestion
from rag.text.words import stems

Habit = Callable[[Json], str]


def first_letter(material: Json) -> str:
    """Pick A."""
    return "A"


def longest_option(material: Json) -> str:
    """Pick the longest option."""
    options = material["options"]
    return max(options, key=lambda letter: len(options[letter]))


def most_shared_words(material: Json) -> str:
    """Pick the option of which the passage has the largest share of words."""
    options = material["options"]
    return max(options, key=lambda letter: shared(options[letter], material.get("passage", "")))


def shared(text: str, other: str) -> float:
    """Return the share of a text's stems that another has."""
    own = set(stems(text))
    return len(own & set(stems(other))) / len(own) if own else 0.0


class Habitual:
    """Judges and solves by habit; quotes real words of the passage, as the most obliging model would."""

    def __init__(self, judge: Habit, solve: Habit = first_letter, said: str = "Yes, exactly.") -> None:
        self.judge, self.solve, self.said = judge, solve, said
        self.asked: list[tuple[Purpose, Json]] = []

    def ask(self, purpose: Purpose, instructions: str, material: Json, form: type[Form]) -> Form | None:
        self.asked.append((purpose, material))
        quote = next(iter(statements(material.get("passage", ""))), "")
        answer: dict[str, Any]
        if form is Judged:
            answer = {"quote": quote, "verdict": self.judge(material)}
        elif form is Solved:
            answer = {"quote": quote, "answer": self.solve(material)}
        elif form is Recalled:
            answer = {"answer": self.solve(material)}
        else:
            assert form is Said
            answer = {"answer": self.said}
        return form.model_validate(answer)


def agreeing(solve: Habit = first_letter) -> Habitual:
    """Say "supported" to everything."""
    return Habitual(lambda _: "supported", solve)


def denying() -> Habitual:
    """Say "contradicted" to everything."""
    return Habitual(lambda _: "contradicted")


def ignorant() -> Habitual:
    """Say "not_stated" to everything."""
    return Habitual(lambda _: "not_stated", lambda _: "none")


def guessing(seed: int) -> Habitual:
    """Say anything."""
    chooser = random.Random(seed)
    verdicts = ("supported", "contradicted", "not_stated")
    return Habitual(lambda _: chooser.choice(verdicts), lambda _: chooser.choice(LETTERS))


def alternating() -> Habitual:
    """Say "supported" to the first of each four statements."""
    count = iter(range(10**9))
    return Habitual(lambda _: "contradicted" if next(count) % 4 else "supported", longest_option)


def counting_words() -> Habitual:
    """Call supported what shares most of its words with the passage."""

    def judge(material: Json) -> str:
        text = material.get("answer") or material["statement"]
        return "supported" if shared(text, material["passage"]) >= 0.6 else "not_stated"

    return Habitual(judge, most_shared_words)


class Knowing:
    """Knows which statements are true and which options are keys, as a perfect model would."""

    def __init__(self, questions: Collection[AskedQuestion], also_true: Collection[str] = ()) -> None:
        """`also_true`: options that are true although no question says so."""
        self.keys = {(one.prompt, one.options[one.answer]) for one in questions if one.answer is not None}
        self.true = {one.whys[one.answer] for one in questions if one.answer is not None}
        self.true |= {point.claim for one in questions for point in one.points}
        self.also_true = set(also_true)
        self.quotes = {(one.prompt, one.evidence.quote) for one in questions if one.evidence}
        self.answers = {one.prompt: one.model_answer for one in questions}

    def ask(self, purpose: Purpose, instructions: str, material: Json, form: type[Form]) -> Form | None:
        passage, question = material.get("passage", ""), material.get("question", "")
        if form is Judged:
            text = material.get("answer") or material["statement"]
            true = (
                self._is_true(question, text) or (question, text) in self.quotes
                if question
                else text in self.true or text in passage
            )
            return form.model_validate(
                {"quote": passage[:80], "verdict": "supported" if true else "not_stated"}
            )
        if form is Said:
            return form.model_validate({"answer": self.answers[question]})
        right = [letter for letter, text in material["options"].items() if self._is_true(question, text)]
        answer = {"answer": right[0] if len(right) == 1 else "none"}
        return form.model_validate(answer | ({"quote": ""} if form is Solved else {}))

    def _is_true(self, question: str, option: str) -> bool:
        return (question, option) in self.keys or option in self.also_true
