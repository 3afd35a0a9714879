"""Lets a model judge what a question says, one statement at a time, and checks the judge with known ones.

The judge sees the passage and one statement, or the question with one answer: no key and no other option, in
an order it can't foresee. Among them are controls whose truth code knows: a sentence of the passage, the same
passage's words with a "not" put in, a sentence from elsewhere. A judge that gets one of them wrong has said
nothing about the rest. What must be true counts as shown only with words that stand in the passage.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rag.prompts import prompt
from rag.quiz.bank import MOST_POINTS
from rag.quiz.generation.forms import LETTERS, Json, Judged, Voice
from rag.quiz.generation.passages import Passage, statements
from rag.quiz.validation import Embed
from rag.quiz_types import AskedQuestion, Kind
from rag.text.polarity import NEGATIONS
from rag.text.quoting import locate
from rag.text.sentences import sentences
from rag.text.words import words

Gate = Literal[
    "judge_controls", "key_supported", "second_key", "explanations", "points_supported", "model_answer"
]
SHORTEST_PROOF = 12
"""Characters that a judge must quote for what it calls supported."""
FOREIGN = 0.5
"""Cosine to every sentence of the passage below which a sentence from elsewhere is not stated there."""
LONGEST_CONTROL = 300
CONTROLS = 3
MOST_SPOKEN = 12
"""Statements of a model answer; where it has more sentences, neighbours are judged together."""
MOST_JUDGED: Mapping[Kind, int] = {
    "mcq": CONTROLS + 1 + 2 * len(LETTERS),
    "open": CONTROLS + MOST_POINTS + MOST_SPOKEN,
}
"""Statements for one question: controls, then the quote, options and explanations, or points and answer."""
_FLIPPABLE = re.compile(r"\b(is|are|was|were|can|must|should|will)\b(?! not\b)")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the judge is asked about, and which verdict lets the question pass."""

    answer: str
    passes: Literal["supported", "not_supported", "not_contradicted"]
    gate: Gate
    """Which gate fails otherwise."""
    question: str = ""
    """Empty: `answer` is a statement by itself."""

    def material(self, passage: Passage) -> Json:
        """Return what the judge sees."""
        if self.question:
            return {"passage": passage.chunk.text, "question": self.question, "answer": self.answer}
        return {"passage": passage.chunk.text, "statement": self.answer}


class Judge:
    """Judges drafted questions with one model."""

    def __init__(
        self, voice: Voice, embed: Embed, elsewhere: Sequence[tuple[str, str]], chooser: random.Random
    ) -> None:
        """`elsewhere`: sentences with the id of their document."""
        self._voice = voice
        self._embed = embed
        self._elsewhere = elsewhere
        self._chooser = chooser

    def fault(self, question: AskedQuestion, passage: Passage) -> str:
        """Return the gate that a question fails first; empty: it passes all."""
        asked = [*self.controls(passage), *about(question)]
        self._chooser.shuffle(asked)
        return next((one.gate for one in asked if not self.holds(one, passage)), "")

    def holds(self, statement: Statement, passage: Passage) -> bool:
        """Tell whether the verdict lets the question pass; an answer without the form never does."""
        judged = self._voice.ask("judge", "judge", statement.material(passage), Judged)
        if judged is None:
            return False
        if statement.passes == "supported":
            return judged.verdict == "supported" and _is_proof(judged.quote, passage)
        return judged.verdict != statement.passes.removeprefix("not_")

    def controls(self, passage: Passage) -> Iterator[Statement]:
        """Yield statements whose truth is known, at most CONTROLS."""
        said = [one for one in statements(passage.chunk.text) if len(one) <= LONGEST_CONTROL]
        if said:
            yield Statement(self._chooser.choice(said), "supported", "judge_controls")
        if opposites := [opposite for one in said if (opposite := flipped(one))]:
            yield Statement(self._chooser.choice(opposites), "not_supported", "judge_controls")
        yield Statement(self._foreign(passage), "not_supported", "judge_controls")

    def _foreign(self, passage: Passage) -> str:
        """Return a sentence of another document, or one that no document on the subject has."""
        found = [text for document_id, text in self._elsewhere if document_id != passage.document.id]
        own = statements(passage.chunk.text)
        if found and own:
            closest = np.max(self._embed(found) @ self._embed(own).T, axis=1)
            found = [text for text, cosine in zip(found, closest, strict=True) if cosine < FOREIGN]
        return self._chooser.choice(found or prompt("control").splitlines())


def about(question: AskedQuestion) -> Iterator[Statement]:
    """Yield all that a question says and that its passage must bear."""
    if question.kind == "mcq":
        if question.evidence is not None:
            yield Statement(question.evidence.quote, "supported", "key_supported", question.prompt)
        for place, (option, why) in enumerate(zip(question.options, question.whys, strict=True)):
            is_key = place == question.answer
            if is_key:
                yield Statement(option, "supported", "key_supported", question.prompt)
                yield Statement(why, "supported", "explanations")
            else:
                yield Statement(option, "not_supported", "second_key", question.prompt)
                yield Statement(why, "not_contradicted", "explanations")
        return
    for point in question.points:
        yield Statement(point.claim, "supported", "points_supported")
    said = sentences(question.model_answer)
    together = -(-len(said) // MOST_SPOKEN) or 1
    for first in range(0, len(said), together):
        start, end = said[first].start, said[first : first + together][-1].end
        yield Statement(question.model_answer[start:end], "not_contradicted", "model_answer")


def flipped(sentence: str) -> str:
    """Return a sentence that says the opposite; empty where no simple "not" does that."""
    if NEGATIONS & set(words(sentence)) or sentence.rstrip().endswith("?"):
        return ""
    found = _FLIPPABLE.search(sentence)
    if found is None:
        return ""
    denied = "cannot" if found[1] == "can" else f"{found[1]} not"
    return f"{sentence[: found.start()]}{denied}{sentence[found.end() :]}"


def _is_proof(quote: str, passage: Passage) -> bool:
    place = locate(quote, passage.chunk.text)
    return place is not None and place[1] - place[0] >= SHORTEST_PROOF
