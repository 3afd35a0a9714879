"""Estimates what a quiz will take: minutes, model calls and money."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rag.providers import prices
from rag.providers.choice import ModelChoice
from rag.quiz.planning import CHOICE_EVERY
from rag.quiz_types import QuizRequest
from rag.storage.ledger import Call
from rag.types import Usage

MINUTES_OPEN, MINUTES_MCQ, MINUTES_FOLLOW_UP = 2.5, 1.0, 1.5
OPEN_SHARE = {"practice": 0.5, "interview": 1 - 1 / CHOICE_EVERY, "review": 0.5}
"""About how many questions are open when both kinds may come. All may be: a topic can lack the other kind."""
GRADING_CALL = Usage(input_tokens=1200, output_tokens=350)
"""Tokens of grading one answer, until the ledger has seen some."""
PURPOSE = "grade"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a quiz will take at most or about."""

    minutes: int
    follow_ups: int
    """At most."""
    model_calls: int
    """At most, one for each graded answer; 0 without a model."""
    cost_usd: Decimal | None
    """Of that many calls; None: the price of the model is unknown."""


def estimate(request: QuizRequest, choice: ModelChoice, calls: Sequence[Call]) -> Estimate:
    """Return what the quiz will take when `choice` grades; `calls`: recent ones of the ledger."""
    share = {"mcq": 0.0, "open": 1.0}.get(request.kind or "", OPEN_SHARE[request.mode])
    open_ones, most_open = math.ceil(request.n * share), request.n if share else 0
    has_follow_ups = request.follow_ups and request.mode != "review"
    minutes = open_ones * MINUTES_OPEN + (request.n - open_ones) * MINUTES_MCQ
    minutes += open_ones * MINUTES_FOLLOW_UP if has_follow_ups else 0
    follow_ups = most_open if has_follow_ups else 0
    if choice.provider == "embedded":
        return Estimate(round(minutes), follow_ups, 0, Decimal(0))
    graded = most_open + follow_ups
    each = _cost_of_one(choice, calls)
    return Estimate(round(minutes), follow_ups, graded, None if each is None else each * graded)


def _cost_of_one(choice: ModelChoice, calls: Sequence[Call]) -> Decimal | None:
    """Return what grading one answer costs: as it did lately with this model, else by the list price."""
    lately = [
        call.usage.cost_usd
        for call in calls
        if call.purpose == PURPOSE and call.status == "completed" and call.model == choice.model_name
    ]
    known = [cost for cost in lately if cost is not None]
    if known:
        return sum(known, Decimal(0)) / len(known)
    return prices.cost_usd(choice, GRADING_CALL)
