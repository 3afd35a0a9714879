"""Grades an open answer with a model: it gives a verdict with a quotation for each point, code the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, model_validator

from rag.errors import BadModelOutput
from rag.prompts import prompt
from rag.providers.choice import ModelChoice
from rag.providers.structured import Request, StructuredModel
from rag.quiz.grading.checks import Finding, checked
from rag.quiz.grading.limits import check_gradable
from rag.quiz.grading.relevance import Embed, Relevance, source_of
from rag.quiz.grading.scoring import CAP, NOT_ANSWERED, is_answered, score
from rag.quiz_types import AskedQuestion, Grade, VerdictName
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger
from rag.text.sentences import sentences
from rag.text.words import words

Json = dict[str, Any]
_TOKENS_PER_POINT, _TOKENS_BESIDE, _FEWEST_POINTS = 160, 100, 6
"""Of the model's reply: a quotation, a reason and the verdict for each point, at least so many."""
_LONGEST_QUOTE, _LONGEST_WHY = 300, 200
"""Characters."""

OFF_TOPIC = "Nothing in this answer speaks to the points of the question."
CAPPED = f"A contradiction limits the result to {CAP:.0%}."


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


class _Verdict(BaseModel):
    point_id: int = Field(validation_alias=AliasChoices("point_id", "id", "point"))
    answer_quote: str = ""
    why: str = ""
    verdict: Annotated[VerdictName, BeforeValidator(_lower)]


class _Reply(BaseModel):
    verdicts: list[_Verdict] = Field(min_length=1, validation_alias=AliasChoices("verdicts", "points"))

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: object) -> object:
        return {"verdicts": value} if isinstance(value, list) else value


class LlmGrader:
    """Grades with one model call an answer. Safe to share between threads."""

    def __init__(
        self,
        choice: ModelChoice,
        settings: ChatSettings,
        ledger: Ledger,
        embed: Embed,
        check_budget: Callable[[], None] = lambda: None,
    ) -> None:
        """Raises ConfigurationError when the choice lacks something, such as a key."""
        choice.check()
        self._choice = choice
        self._settings = settings
        self._ledger = ledger
        self._check_budget = check_budget
        self._embed = embed

    def grade(self, question: AskedQuestion, answer: str, *, trace_id: str) -> Grade:
        """Return a verdict for each point and the score that code computes from them.

        No call is made for an answer of fewer than five words. Raises InvalidInput when the answer is too
        long or the question has no points, BadModelOutput when the model does not give verdicts in three
        tries, any other ProviderError, and BudgetExceeded.
        """
        check_gradable(question, answer)
        if not is_answered(answer):
            return Grade(
                graded_by="llm", outcome="not_answered", note=NOT_ANSWERED, model=self._choice.model_name
            )
        reply, usage = self._model_for(len(question.points)).ask(
            Request(prompt("grade"), _material(question, answer), _schema(len(question.points))),
            _Reply,
            purpose="grade",
            trace_id=trace_id,
        )
        findings = _findings(question, reply)
        if all(finding is None for finding in findings):
            raise BadModelOutput(
                f"{self._choice.model_name} gave verdicts on none of the points.",
                provider=self._choice.provider,
                hint="Try again, or use a stronger model.",
                usage=usage,
            )
        said = [finding or Finding() for finding in findings]
        verdicts = checked(question, answer, said, Relevance(question, self._embed))
        on_topic = any(verdict.verdict != "missing" for verdict in verdicts)
        capped = any(verdict.verdict == "contradicted" for verdict in verdicts)
        return Grade(
            graded_by="llm",
            outcome="graded" if on_topic else "off_topic",
            verdicts=verdicts,
            score=score(verdicts),
            note=OFF_TOPIC if not on_topic else CAPPED if capped else "",
            model=self._choice.model_name,
            usage=usage,
        )

    def _model_for(self, points: int) -> StructuredModel:
        room = _TOKENS_BESIDE + max(points, _FEWEST_POINTS) * _TOKENS_PER_POINT
        longer = {"max_output_tokens": max(self._settings.max_output_tokens, room)}
        settings = self._settings.model_copy(update=longer)
        return StructuredModel(self._choice, settings, self._ledger, check_budget=self._check_budget)


def _findings(question: AskedQuestion, reply: _Reply) -> list[Finding | None]:
    """Return what the model says of each point, of two verdicts the first; None: it says nothing."""
    said: dict[int, Finding] = {}
    for verdict in reply.verdicts:
        found = Finding(verdict.verdict, verdict.answer_quote, verdict.why.strip()[:_LONGEST_WHY])
        said.setdefault(verdict.point_id, found)
    return [said.get(number) for number in range(1, len(question.points) + 1)]


def _material(question: AskedQuestion, answer: str) -> Json:
    return {
        "question": question.prompt,
        "points": [
            {"point_id": number, "claim": point.claim}
            | ({"source": source_of(point)} if source_of(point) else {})
            for number, point in enumerate(question.points, start=1)
        ],
        "quoted_answer": _unrepeated(answer),
    }


def _unrepeated(answer: str) -> str:
    """Return an answer without the sentences that stood in it before, so that padding adds nothing."""
    seen: set[tuple[str, ...]] = set()
    kept: list[str] = []
    end = 0
    for unit in sentences(answer):
        said = tuple(words(answer[unit.start : unit.end]))
        if said not in seen:
            seen.add(said)
            kept.append(answer[end : unit.end])
        end = unit.end
    return "".join(kept).strip() or answer


def _schema(points: int) -> Json:
    fields: Json = {
        "point_id": {"type": "integer", "enum": list(range(1, points + 1))},
        "answer_quote": {"type": "string", "maxLength": _LONGEST_QUOTE},
        "why": {"type": "string", "maxLength": _LONGEST_WHY},
        "verdict": {"type": "string", "enum": ["met", "partial", "missing", "contradicted"]},
    }
    verdict = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    verdicts = {"type": "array", "items": verdict, "minItems": points, "maxItems": points}
    return {
        "type": "object",
        "properties": {"verdicts": verdicts},
        "required": ["verdicts"],
        "additionalProperties": False,
    }
