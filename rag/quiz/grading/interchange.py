"""Reads what scripts send to be graded, and writes grades as the JSON that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from rag.errors import InvalidInput
from rag.quiz_types import AskedQuestion, Grade, PointVerdict
from rag.storage.serialising import usage_to_json
from rag.types import Usage

Json = dict[str, Any]
LONGEST_QUESTION, LONGEST_REFERENCE = 4_000, 8_000
"""Characters."""
FORM = 'Give {"question_id": id, "answer": text} or {"question": text, "reference": text, "answer": text}.'
RubricOrigin = Literal["fixed", "model", "sentences"]
"""Fixed with a stored question; written by a model from the reference; the sentences of the reference."""


class GradeInput(BaseModel):
    """An answer to grade: to a stored question, or to any question with a reference answer."""

    model_config = ConfigDict(extra="ignore")

    question_id: StrictStr | None = None
    question: StrictStr | None = None
    reference: StrictStr | None = None
    answer: StrictStr | StrictInt
    """Of a multiple-choice question the index, the letter or the text of an option."""


def parse_grade(values: Mapping[str, Any]) -> GradeInput:
    """Return the validated input; raises InvalidInput naming the first field that is missing or not valid."""
    try:
        found = GradeInput.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(f"`{first['loc'][0]}` is not valid: {first['msg']}.", hint=FORM) from None
    if found.question_id is None:
        for name, limit in (("question", LONGEST_QUESTION), ("reference", LONGEST_REFERENCE)):
            text = getattr(found, name)
            if text is None or not text.strip():
                raise InvalidInput(f"`{name}` is missing.", hint=FORM)
            if len(text) > limit:
                raise InvalidInput(
                    f"`{name}` has {len(text):,} characters.", hint=f"At most {limit:,} can be graded by."
                )
    return found.model_copy(update={name: whole(text) for name, text in found if isinstance(text, str)})


def whole(text: str) -> str:
    """Return `text` with U+FFFD for the lone halves of surrogate pairs, which JSON can smuggle in."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def option_of(question: AskedQuestion, answer: str | int) -> int:
    """Return the index of the option that an answer names; raises InvalidInput when it names none.

    A text is that of an option, else a letter, else an index: "2" is an index unless an option reads so.
    """
    if isinstance(answer, int):
        return answer
    said = answer.strip().casefold()
    letters = "abcdefgh"[: len(question.options)]
    for names in (
        [option.strip().casefold() for option in question.options],
        [*letters],
        [f"{letter}." for letter in letters],
        [str(place) for place in range(len(question.options))],
    ):
        if said in names:
            return names.index(said)
    raise InvalidInput(
        "The answer is none of the options.", hint="Give the index, the letter or the text of an option."
    )


def grade_to_json(grade: Grade, *, rubric: RubricOrigin, usage: Usage, trace_id: str) -> Json:
    """Return a grade; `score` and `right` are there only where they mean something."""
    found: Json = {
        "graded_by": grade.graded_by,
        "outcome": grade.outcome,
        "verdicts": [_verdict(verdict) for verdict in grade.verdicts],
        "not_mentioned": list(grade.not_mentioned),
        "rubric": rubric,
        "note": grade.note,
        "model": grade.model,
        "usage": usage_to_json(usage) | {"cost_usd": _dollars(usage)},
        "trace_id": trace_id,
    }
    if grade.score is not None:
        found["score"] = grade.score
    if grade.right is not None:
        found["right"] = grade.right
    return found


def _verdict(verdict: PointVerdict) -> Json:
    return {
        "point": verdict.point,
        "verdict": verdict.verdict,
        "must_have": verdict.must_have,
        "weight": verdict.weight,
        "answer_quote": verdict.answer_quote,
        "source_quote": verdict.evidence.quote if verdict.evidence else "",
        "why": verdict.why,
        "denied": verdict.denied,
    }


def _dollars(usage: Usage) -> float | None:
    return None if usage.cost_usd is None else float(usage.cost_usd)
