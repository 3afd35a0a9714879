"""Prices a model call from the offline tables of genai-prices; a price that is not known stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from rag.providers.choice import OPENAI_URL, ModelChoice
from rag.types import Usage


def cost_usd(choice: ModelChoice, usage: Usage) -> Decimal | None:
    """Return what `usage` costs in USD at today's list price; None when that is not known.

    A local model is free. A server that only speaks OpenAI's language has its own prices, so it is looked
    up by its address: the same model name elsewhere proves nothing.
    """
    if choice.provider == "local":
        return Decimal(0)
    counts = PricedUsage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=min(usage.cached_input_tokens, usage.input_tokens),
        output_tokens=usage.output_tokens,
    )
    try:
        if choice.base_url == OPENAI_URL:
            return calc_price(counts, choice.model, provider_id="openai").total_price
        return calc_price(counts, choice.model, provider_api_url=choice.base_url).total_price
    except (LookupError, ValueError):
        return None


def total(usages: Sequence[Usage]) -> Usage:
    """Return the sum of `usages`; its cost is unknown when one of theirs is."""
    costs = [usage.cost_usd for usage in usages]
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=None if None in costs else sum((cost for cost in costs if cost), Decimal(0)),
        estimated=any(usage.estimated for usage in usages),
    )
