"""Makes model calls: each is budgeted, written to the ledger, retried with care, and ends in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langsmith import tracing_context

from rag.errors import IncompleteAnswer, ProviderError, ProviderRejected
from rag.providers.choice import ModelChoice
from rag.providers.deadlines import BEAT_S, Deadlines, paced
from rag.providers.failures import FailureExplainer, NoText, may_be_billed, wait_before_retry
from rag.providers.prices import cost_usd
from rag.settings import ChatSettings
from rag.storage.ledger import CallRecord, Ledger
from rag.text import tokens
from rag.types import FREE, Usage

_ATTEMPTS = 3
_AFTER_END_S = 2.0
"""How long to wait for the token counts once the model has said that it is done."""
_LONGEST_TOKEN = 20
"""Characters; text beyond the output limit times this comes from a server that ignores the limit."""
_DONE = frozenset({"stop", "end_turn", "eos", "eos_token", "stop_sequence"})

Outcome = Literal["completed", "interrupted", "failed"]
OpenStream = Callable[[], Iterator[AIMessage]]
"""Yields AIMessageChunks, which LangChain types as what they are part of."""


def untraced() -> AbstractContextManager[None]:
    """Return a context in which LangChain sends no traces, whatever the environment says."""
    return tracing_context(enabled=False)


class ModelCalls:
    """Makes the calls to one model."""

    def __init__(
        self,
        choice: ModelChoice,
        settings: ChatSettings,
        ledger: Ledger,
        *,
        check_budget: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`check_budget` raises BudgetExceeded when no call may be made; `clock` counts seconds."""
        self.choice = choice
        self.settings = settings
        self.ledger = ledger
        self.check_budget = check_budget
        self.clock = clock
        self.sleep = sleep
        self.explainer = FailureExplainer(choice)

    def prepare(
        self, open_stream: OpenStream, *, purpose: str, trace_id: str, prompt_tokens: int, end_by: float
    ) -> ModelCall:
        """Return a call that is not made yet; `prompt_tokens` is estimated, `end_by` a time of the clock."""
        record = CallRecord(
            trace_id=trace_id,
            purpose=purpose,
            provider=self.choice.provider,
            model=self.choice.model_name,
            expected=self.priced(prompt_tokens, 0, self.settings.max_output_tokens, estimated=True),
        )
        return ModelCall(self, open_stream, record, prompt_tokens, end_by)

    def priced(self, sent: int, cached: int, received: int, *, estimated: bool) -> Usage:
        """Return a Usage with its price."""
        usage = Usage(sent, cached, received, estimated=estimated)
        return Usage(sent, cached, received, cost_usd(self.choice, usage), estimated)


class ModelCall:
    """One call: iterate over `texts()` once, then read what became of it."""

    def __init__(
        self,
        calls: ModelCalls,
        open_stream: OpenStream,
        record: CallRecord,
        prompt_tokens: int,
        end_by: float,
    ) -> None:
        self.usage: Usage = record.expected
        """Known once `texts()` has ended, however it ended."""
        self.interruption: ProviderError | None = None
        """Why the text is not complete; None when it is."""
        self._calls = calls
        self._open_stream = open_stream
        self._record = record
        self._prompt_tokens = prompt_tokens
        self._end_by = end_by
        self._pieces: list[str] = []
        self._finish_reason = ""
        self._billable = True
        self._settle_as: tuple[Outcome, str] = "interrupted", "Stopped"
        self._counts: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self._pieces)

    def texts(self) -> Generator[str]:
        """Yield the pieces of text as they arrive, and "" while none does, so that the caller can stop.

        Raises ProviderError when the call fails before any text, and BudgetExceeded before it is made;
        after text has arrived it just ends and sets `interruption`. Closing the generator hangs up.
        """
        self._calls.check_budget()
        started = self._calls.clock()
        call_id = self._calls.ledger.open(self._record)
        try:
            for piece in self._attempts(started):
                if piece:
                    self._pieces.append(piece)
                yield piece
            self._judge_end()
        except ProviderError as failure:
            self._settle_as = ("interrupted" if self._pieces else "failed"), str(failure)
            if not self._pieces:
                raise
            self.interruption = failure
        except Exception as failure:
            self._settle_as = "failed", type(failure).__name__
            raise
        else:
            self._settle_as = "completed", ""
        finally:
            self.usage = self._final_usage()
            status, error = self._settle_as
            ms = (self._calls.clock() - started) * 1000
            self._calls.ledger.settle(call_id, status, self.usage, ms, error)

    def _attempts(self, started: float) -> Generator[str]:
        deadlines = Deadlines(started + self._calls.settings.first_token_timeout_s, self._end_by)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                yield from self._attempt(deadlines)
                return
            except Exception as failure:
                if self._pieces and self._finish_reason:
                    return  # the text is complete, only the token counts were lost
                self._billable = may_be_billed(failure)
                explained = self._calls.explainer.explain(failure)
                wait = wait_before_retry(failure, explained, attempt)
                if self._pieces or attempt == _ATTEMPTS or wait is None:
                    raise explained from None
                if self._calls.clock() + wait >= min(deadlines.first_by, deadlines.end_by):
                    raise explained from None
                yield from self._pause(wait)

    def _attempt(self, deadlines: Deadlines) -> Generator[str]:
        longest = self._calls.settings.max_output_tokens * _LONGEST_TOKEN
        length = 0
        chunks = paced(self._untraced, deadlines, patience=self._patience, clock=self._calls.clock)
        with closing(chunks):
            for chunk in chunks:
                if chunk is None:
                    yield ""
                    continue
                reason = chunk.response_metadata.get("finish_reason")
                self._finish_reason = str(reason or self._finish_reason)
                if chunk.usage_metadata and chunk.usage_metadata["input_tokens"]:
                    self._counts = dict(chunk.usage_metadata)
                if text := str(chunk.text):
                    length += len(text)
                    yield text
                if length > longest:
                    self._finish_reason = "length"
                    return
        if not length and not self._finish_reason:
            raise NoText

    def _pause(self, seconds: float) -> Generator[str]:
        while seconds > 0:
            yield ""
            self._calls.sleep(min(seconds, BEAT_S))
            seconds -= BEAT_S

    def _untraced(self) -> Iterator[AIMessage]:
        with untraced():
            yield from self._open_stream()

    def _patience(self, chunk: AIMessage) -> float | None:
        if chunk.response_metadata.get("finish_reason"):
            return _AFTER_END_S
        return self._calls.settings.token_timeout_s if chunk.text else None

    def _judge_end(self) -> None:
        """Raise ProviderError unless the model itself said that it was done, and said something."""
        provider, limit = self._calls.choice.provider, self._calls.settings.max_output_tokens
        match self._finish_reason, bool(self._pieces):
            case reason, True if reason in _DONE:
                return
            case "length", True:
                raise IncompleteAnswer(
                    f"The answer was cut off at the limit of {limit} tokens.", provider=provider
                )
            case "length", False:
                raise ProviderRejected(
                    f"The model used up its {limit} tokens before it wrote any text.",
                    provider=provider,
                    hint="Raise VIVA_CHAT__MAX_OUTPUT_TOKENS, or use a model that thinks less.",
                )
            case "content_filter", True:
                raise IncompleteAnswer("The provider's content filter cut the answer off.", provider=provider)
            case "content_filter", False:
                raise ProviderRejected(
                    "The provider's content filter refused to answer.",
                    provider=provider,
                    reason="content_filter",
                    hint="Ask in other words.",
                )
            case _, True:
                raise IncompleteAnswer("The connection ended before the answer did.", provider=provider)
        raise ProviderRejected(
            "The model sent an empty answer.", provider=provider, hint="Ask again, or use another model."
        )

    def _final_usage(self) -> Usage:
        counts = self._counts
        if counts:
            cached = (counts.get("input_token_details") or {}).get("cache_read") or 0
            return self._calls.priced(
                counts["input_tokens"], cached, counts["output_tokens"], estimated=False
            )
        if not self._pieces and not self._billable:
            return FREE
        return self._calls.priced(self._prompt_tokens, 0, tokens.count(self.text), estimated=True)
