"""Has a model write the points of a question from its reference, before any answer to grade is seen."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from rag.errors import BadModelOutput
from rag.prompts import prompt
from rag.providers.choice import ModelChoice
from rag.providers.structured import Request, StructuredModel
from rag.quiz.grading.contradiction import contradicts
from rag.quiz.grading.reference import evidence_in, fingerprint, points_of_sentences
from rag.quiz_types import Point
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger
from rag.text.quoting import locate
from rag.text.words import stems
from rag.types import FREE, Usage

log = logging.getLogger(__name__)

FEWEST_POINTS, MOST_POINTS = 3, 6
"""Of a rubric that a model writes; fewer only where the reference has fewer sentences."""
HEAVIEST = 3
REST_S = 600.0
"""After a model gave no rubric it is not asked for this one for so long: most likely it would fail again."""

_POINTS: TypeAdapter[tuple[Point, ...]] = TypeAdapter(tuple[Point, ...])
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_POINTS,
            "items": {
                "type": "object",
                "properties": {
                    "source_quote": {"type": "string", "maxLength": 400},
                    "claim": {"type": "string", "maxLength": 200},
                    "must_have": {"type": "boolean"},
                    "weight": {"type": "integer", "enum": [1, 2, 3]},
                },
                "required": ["source_quote", "claim", "must_have", "weight"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["points"],
    "additionalProperties": False,
}


class _Point(BaseModel):
    source_quote: str = ""
    claim: str = ""
    must_have: bool = True
    weight: int = 1


class _Reply(BaseModel):
    points: list[_Point] = Field(min_length=1)


def open_rubrics(
    choice: ModelChoice,
    settings: ChatSettings,
    ledger: Ledger,
    folder: Path,
    check_budget: Callable[[], None],
) -> Rubrics:
    """Return who has the chosen model write points and keeps them in `folder`.

    Raises ConfigurationError when the choice lacks something, such as a key.
    """
    return Rubrics(StructuredModel(choice, settings, ledger, check_budget=check_budget), folder)


class Rubrics:
    """Has a model write the points of references, and keeps them, so that no answer can change them."""

    def __init__(self, model: StructuredModel, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """`folder` keeps them, a file for each question with its reference; `clock` gives Unix seconds."""
        self._model = model
        self._folder = folder
        self._clock = clock

    def points(self, question: str, reference: str, *, trace_id: str) -> tuple[tuple[Point, ...], Usage]:
        """Return the points and what the call used; it is made once for a question with a reference.

        Every point quotes the reference word for word; others are dropped. If too few are left, or the model
        gives none in three tries, the sentences of the reference are the points; in the second case the model
        is asked again after REST_S. Raises any ProviderError but BadModelOutput, and BudgetExceeded.
        """
        choice = self._model.choice
        key = fingerprint(choice.base_url, choice.model, prompt("rubric"), question, reference)
        if known := self._read(key):
            return known, FREE
        plain = points_of_sentences(reference)
        if self._rests(key):
            return plain, FREE
        request = Request(prompt("rubric"), {"question": question, "reference": reference}, _SCHEMA)
        try:
            reply, usage = self._model.ask(request, _Reply, purpose="rubric", trace_id=trace_id)
            points = _supported(reply.points, reference)
        except BadModelOutput as error:
            self._keep(f"{key}.failed", str(self._clock()))
            return plain, error.usage
        if len(points) < min(FEWEST_POINTS, len(plain)):
            points = plain
        self._keep(f"{key}.json", json.dumps(_POINTS.dump_python(points, mode="json")))
        return points, usage

    def _read(self, key: str) -> tuple[Point, ...]:
        try:
            return _POINTS.validate_json((self._folder / f"{key}.json").read_bytes())
        except (OSError, ValidationError):
            return ()

    def _rests(self, key: str) -> bool:
        try:
            failed = float((self._folder / f"{key}.failed").read_bytes())
        except (OSError, ValueError):
            return False
        return 0 <= self._clock() - failed < REST_S

    def _keep(self, name: str, text: str) -> None:
        file = self._folder / name
        new = self._folder / f"{name}.{os.getpid()}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_text(text, encoding="utf-8")
            new.replace(file)
        except OSError as error:  # a folder that can't be written to costs a call more, no grade
            log.warning("Rubrics can't be kept: %s", type(error).__name__)


def _supported(points: Sequence[_Point], reference: str) -> tuple[Point, ...]:
    """Return the points whose quotation stands in the reference and does not speak against the claim."""
    found: list[Point] = []
    for point in points:
        span = locate(point.source_quote, reference)
        claim = " ".join(point.claim.split())
        if span is None or not claim or not set(stems(claim)) & set(stems(point.source_quote)):
            continue
        if contradicts(claim, [point.source_quote]) or claim in (kept.claim for kept in found):
            continue
        weight = min(max(point.weight, 1), HEAVIEST)
        found.append(Point(claim, point.must_have, weight, evidence_in(reference, *span)))
    return tuple(found[:MOST_POINTS])
