"""Holds a model's verdicts against the answer: what its quotation does not carry is lowered.

A model can be mistaken, or talked into full marks by the answer itself. So a verdict stands only on words
that are in the answer, answer the question, are about the point, and do not deny it. Code can't see all:
a wrong statement in words of its own, with the vocabulary of the point, is the model's to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.quiz.grading.addressing import speaks_to_the_grader
from rag.quiz.grading.contradiction import Opposition, opposition
from rag.quiz.grading.prose import is_list_of_words, is_shuffled
from rag.quiz.grading.relevance import Fit, Relevance, said_by, source_of
from rag.quiz_types import AskedQuestion, PointVerdict, VerdictName
from rag.text.quoting import locate
from rag.text.sentences import sentences
from rag.text.words import stems, words

RELEVANT = 0.65
"""Words and meaning together (0 to 2) from which a sentence is about a point.

Of the sentences with which students got full credit 2 % lie below, of those of the model answers 1 %; of the
best sentences in answers to other questions 97 %, to others on the same topic 87 % (tests/bench/grading.py).
"""
OWN_WORDS, SAME_MEANING = 2, 0.55
"""Words that a sentence shares with a point beyond the question's, or the cosine: one word is a subject."""
FEWEST_WORDS, FEWEST_STEMS = 3, 2
"""A quotation has at least so many words or, if fewer, so many content words."""

NOT_QUOTED = "The quotation does not stand in your answer."
TOO_SHORT = "The quotation is too short to show this."
REPEATS = "These words only repeat the question."
WORD_LIST = "These are keywords, not a statement."
TO_GRADER = "These words speak to the grader, not about the question."
OFF_POINT = "These words are not about this point."
ELSEWHERE = "The answer as a whole is about something else."
OPPOSITE = "These words and the source contradict each other."
UNCONFIRMED = (
    "This could not be confirmed: the source says it in similar words, but seems to mean the opposite."
)
USED_UP = "The same words already count for another point and say nothing more about this one."

_ONE_LOWER: Mapping[VerdictName, VerdictName] = {"met": "partial", "partial": "missing"}
"""What is left of a verdict that words alone put in doubt: a right paraphrase can look like a denial."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the model says of one point."""

    verdict: VerdictName = "missing"
    quote: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Carrier:
    """The sentence of the answer on which a verdict rests."""

    text: str
    fit: Fit


def checked(
    question: AskedQuestion, answer: str, findings: Sequence[Finding], relevance: Relevance
) -> tuple[PointVerdict, ...]:
    """Return a verdict for each point, lowered with the reason in `denied` where the quotation fails.

    `findings` has one for each point, in their order.
    """
    bench = _Bench(question, answer, relevance)
    verdicts = []
    carriers: list[_Carrier | None] = []
    for place, finding in enumerate(findings):
        verdict, carrier = bench.judge(place, finding)
        verdicts.append(verdict)
        carriers.append(carrier)
    return tuple(_without_reuse(verdicts, carriers))


class _Bench:
    """Judges the findings on one answer."""

    def __init__(self, question: AskedQuestion, answer: str, relevance: Relevance) -> None:
        self._question = question
        self._answer = answer
        self._relevance = relevance
        self._units = [(unit.start, unit.end) for unit in sentences(answer)]
        texts = [answer[start:end] for start, end in self._units]
        self._fits = relevance.fits(texts)
        self._shuffled = is_shuffled(answer)
        self._elsewhere = relevance.is_elsewhere(answer, self._fits)
        ideal = question.model_answer
        self._ideal = [ideal[unit.start : unit.end] for unit in sentences(ideal)]
        self._ideal_fits = relevance.fits(self._ideal)

    def judge(self, place: int, finding: Finding) -> tuple[PointVerdict, _Carrier | None]:
        """Return the checked verdict on the point at `place`, and the sentence that carries it."""
        point = self._question.points[place]
        verdict = PointVerdict(
            point=point.claim,
            verdict=finding.verdict,
            must_have=point.must_have,
            weight=point.weight,
            evidence=point.evidence,
            why=finding.why,
        )
        if finding.verdict == "missing":
            return verdict, None
        span = locate(finding.quote, self._answer)
        if span is None:
            return replace(verdict, verdict="missing", denied=NOT_QUOTED), None
        verdict = replace(verdict, answer_quote=self._answer[slice(*span)])
        if (
            len(words(verdict.answer_quote)) < FEWEST_WORDS
            and len(stems(verdict.answer_quote)) < FEWEST_STEMS
        ):
            return replace(verdict, verdict="missing", denied=TOO_SHORT), None
        best: _Carrier | None = None
        reasons = []
        for text, fit in self._around(span, place):
            if reason := self._unfit(text, fit, place):
                reasons.append(reason)
            elif best is None or fit.total > best.fit.total:
                best = _Carrier(text, fit)
        if best is None:
            return replace(verdict, verdict="missing", denied=max(reasons, key=reasons.count)), None
        if finding.verdict == "contradicted":
            return verdict, best
        match self._opposition(best.text, place):
            case "certain":
                return replace(verdict, verdict="contradicted", denied=OPPOSITE), None
            case "likely":
                return replace(verdict, verdict=_ONE_LOWER[finding.verdict], denied=UNCONFIRMED), best
        return verdict, best

    def _opposition(self, text: str, place: int) -> Opposition:
        """Return whether a sentence denies what claim, source and model answer say of the point."""
        point = self._question.points[place]
        ideal = [
            said
            for said, fits in zip(self._ideal, self._ideal_fits, strict=True)
            if fits[place].total >= RELEVANT
        ]
        others = [source_of(other) for other in self._question.points if other is not point]
        return opposition(text, [said_by(point), source_of(point), *ideal], [*self._ideal, *others])

    def _around(self, span: tuple[int, int], place: int) -> Iterator[tuple[str, Fit]]:
        """Yield the sentences that a quotation touches: what it leaves out may deny what it says."""
        start, end = span
        touched = [n for n, (first, last) in enumerate(self._units) if first < end and last > start]
        for number in touched:
            first, last = self._units[number]
            yield self._answer[first:last], self._fits[number][place]
        if not touched:
            text = self._answer[start:end]
            yield text, self._relevance.fits([text])[0][place]

    def _unfit(self, text: str, fit: Fit, place: int) -> str:
        """Return why a sentence can't carry the point; empty when it can."""
        point = self._question.points[place]
        if speaks_to_the_grader(text, f"{self._question.prompt} {point.claim} {source_of(point)}"):
            return TO_GRADER
        if self._shuffled or is_list_of_words(text):
            return WORD_LIST
        if self._relevance.only_repeats(text):
            return REPEATS
        if fit.total < RELEVANT or (len(fit.added) < OWN_WORDS and fit.meaning < SAME_MEANING):
            return OFF_POINT
        return ELSEWHERE if self._elsewhere else ""


def _without_reuse(
    verdicts: Sequence[PointVerdict], carriers: Sequence[_Carrier | None]
) -> Iterator[PointVerdict]:
    """Yield the verdicts; of those that rest on the same words, each needs some of its own.

    The words that a sentence shares with a point and with no other it carries are that point's own. The
    point that the sentence fits best keeps it in any case.
    """
    for place, (verdict, carrier) in enumerate(zip(verdicts, carriers, strict=True)):
        if carrier is None:
            yield verdict
            continue
        others = {
            number: other
            for number, other in enumerate(carriers)
            if number != place and other is not None and _same(other.text, carrier.text)
        }
        shared = frozenset().union(*(other.fit.added for other in others.values()))
        best = all(
            (carrier.fit.total, -place) > (other.fit.total, -number) for number, other in others.items()
        )
        if best or carrier.fit.added - shared:
            yield verdict
        else:
            yield replace(verdict, verdict="missing", denied=USED_UP)


def _same(left: str, right: str) -> bool:
    return words(left) == words(right)
