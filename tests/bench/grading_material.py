"""What the graders are measured on: the bank, answers that people graded, and a model that obeys."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.embedding.base import Vectors
from rag.quiz.bank import load_bank
from rag.quiz.grading.checks import Finding, checked
from rag.quiz.grading.reference import points_of_sentences, question_of
from rag.quiz.grading.relevance import Relevance
from rag.quiz.grading.scoring import is_answered
from rag.quiz_types import AskedQuestion, Evidence, Point, PointVerdict
from rag.text.sentences import sentences

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer by a student with the grade that people gave it."""

    question: AskedQuestion
    text: str
    grade: float
    feedback: str


class Remembering:
    """Embeds every text once."""

    def __init__(self, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self._embed = embed
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), 64):
            part = new[start : start + 64]
            self._known.update(zip(part, self._embed(part), strict=True))
        return np.stack([self._known[text] for text in texts])


def bank_questions() -> list[AskedQuestion]:
    """Return the open questions of the shipped bank."""
    return [
        AskedQuestion(
            id=item.id,
            kind="open",
            topic=topic.topic,
            level=item.level,
            skill=item.skill,
            prompt=item.question,
            origin="bank",
            evidence=None,
            points=tuple(
                Point(p.claim, p.must_have, p.weight, Evidence(p.document, "", 0, len(p.quote), p.quote))
                for p in item.points
            ),
            model_answer=item.model_answer,
        )
        for topic in load_bank(ROOT / "knowledge" / "questions")
        for item in topic.open
    ]


def marked_answers(folder: Path) -> list[Marked]:
    """Return the students' answers that say anything; the points are the sentences of the reference."""
    file = folder / "grading" / "short_answers.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        Marked(
            question_of(row["question"], row["reference"], points_of_sentences(row["reference"])),
            row["answer"],
            row["score_norm"],
            row["feedback"] or "",
        )
        for row in rows
        if is_answered(row["answer"])
    ]


def parts(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [text[unit.start : unit.end] for unit in sentences(text)] or [text]


class Obeying:
    """A model that says that everything is met, with the best, the first or all words of the answer."""

    def __init__(self, embed: Remembering) -> None:
        self._embed = embed

    def best(self, question: AskedQuestion, answer: str) -> list[str]:
        """Return for each point the sentence that is most about it."""
        said = parts(answer)
        fits = Relevance(question, self._embed).fits(said)
        return [
            max(zip(fits, said, strict=True), key=lambda one: one[0][place].total)[1]
            for place in range(len(question.points))
        ]

    def verdicts(
        self, question: AskedQuestion, answer: str, quotes: str = "best"
    ) -> tuple[PointVerdict, ...]:
        """Return the verdicts after the checks."""
        n = len(question.points)
        said = {"best": self.best, "first": lambda q, a: [parts(a)[0]] * n, "whole": lambda q, a: [a] * n}
        findings = [Finding("met", quote) for quote in said[quotes](question, answer)]
        return checked(question, answer, findings, Relevance(question, self._embed))
