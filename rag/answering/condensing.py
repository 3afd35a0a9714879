"""Rewrites a follow-up question with a model so that it can be searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from rag.answering.follow_ups import condense_offline
from rag.answering.passages import estimate, recent
from rag.answering.references import stands_alone
from rag.errors import ProviderError
from rag.prompts import prompt
from rag.providers.calls import ModelCalls
from rag.settings import ChatSettings
from rag.text.words import stems
from rag.types import TextDelta, Turn, Usage

_MOST_TOKENS = 200
_LONGEST = 300
"""Characters; a longer reply is an answer, not a question."""
_PATIENCE_S = 8.0
"""A search that starts later helps nobody; the question is then condensed without the model."""
_HISTORY_TOKENS = 600


def shortened(settings: ChatSettings) -> ChatSettings:
    """Return `settings` for a call that may only be short."""
    patience = min(_PATIENCE_S, settings.first_token_timeout_s)
    return settings.model_copy(
        update={
            "max_output_tokens": min(_MOST_TOKENS, settings.max_output_tokens),
            "first_token_timeout_s": patience,
            "total_timeout_s": patience,
        }
    )


class Condenser:
    """Condenses with one short model call."""

    def __init__(self, model: Callable[[], Runnable[Any, Any]], calls: ModelCalls) -> None:
        """Both work with `shortened` settings."""
        self._model = model
        self._calls = calls
        self._prompt = ChatPromptTemplate.from_messages(
            [("system", prompt("condense")), ("human", prompt("follow_up"))]
        )

    def condense(
        self, question: str, history: Sequence[Turn], *, trace_id: str, end_by: float
    ) -> Generator[TextDelta, None, tuple[str, Usage | None]]:
        """Return the standalone question and what the call cost; None: it stands alone, no call was made.

        Yields empty deltas while it waits, so that the caller can stop. Whatever fails, the question
        condensed without a model is returned. Raises BudgetExceeded.
        """
        if not history or stands_alone(question):
            return question, None
        inputs = {"question": question, "conversation": _transcript(history)}
        chain = self._prompt | self._model()
        call = self._calls.prepare(
            lambda: chain.stream(inputs),
            purpose="condense",
            trace_id=trace_id,
            prompt_tokens=estimate(prompt("condense")) + sum(estimate(text) for text in inputs.values()),
            end_by=min(end_by, self._calls.clock() + self._calls.settings.total_timeout_s),
        )
        offline = condense_offline(question, history)
        try:
            with closing(call.texts()) as texts:
                yield from (TextDelta("") for _ in texts)
        except ProviderError:
            return offline, call.usage
        if call.interruption:
            return offline, call.usage
        reply = accepted(call.text, question, history)
        return (reply if reply and stands_alone(reply) else offline), call.usage


def accepted(reply: str, question: str, history: Sequence[Turn]) -> str:
    """Return the question in a model's reply; empty when it is no rewriting of `question`.

    A rewriting is one short line whose words come from the conversation: at least half of its content
    words, and something of the question where that says anything.
    """
    text = re.sub(r"^\W*(?:(?:\w+ )?question|q) ?:", "", reply.strip(), flags=re.IGNORECASE)
    text = text.strip(" \t\n\"'“”*`")
    if not text or len(text) > _LONGEST or "\n" in text:
        return ""
    said = set(stems(question))
    known = said | {stem for turn in history for stem in (*stems(turn.question), *stems(turn.answer))}
    words = set(stems(text))
    if not words or 2 * len(words & known) < len(words) or (said and not said & words):
        return ""
    return text


def _transcript(history: Sequence[Turn]) -> str:
    turns = recent(history, _HISTORY_TOKENS)
    return "\n".join(f"User: {turn.question}\nAssistant: {turn.answer}" for turn in turns)
