"""Asks a model for JSON of one form, and accepts nothing else.

Servers that speak OpenAI's protocol differ: some follow a JSON schema (OpenAI, vLLM, llama.cpp), some
know JSON without a schema alone (DeepSeek), some the schema but no plain JSON (LM Studio), some ignore both,
and models that reason refuse a temperature. So the strictest form is tried first, a refused one gives way to
the next, and what comes back is validated in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ValidationError

from rag.errors import BadModelOutput, ProviderRejected
from rag.providers.calls import ModelCall, ModelCalls
from rag.providers.chat_models import chat_model
from rag.providers.choice import ModelChoice
from rag.providers.prices import total
from rag.settings import ChatSettings
from rag.storage.ledger import Ledger
from rag.text import tokens
from rag.types import Usage

Json = dict[str, Any]
TRIES = 3
"""Answers that do not have the form are asked for again so that there are at most so many."""
_FORMS = ("json_schema", "json_object", "text")
_REFUSED = frozenset({400, 422})
_MOST_OBJECTS = 50
"""Places in an answer at which an object may begin that are looked at."""
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)

Form = TypeVar("Form", bound=BaseModel)

_first_step: dict[tuple[str, str, float | None], int] = {}
"""By address, model and set temperature: the first step not refused, so that a process learns it once."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the model."""

    instructions: str
    """The system's message."""
    material: Json
    """Sent as JSON in the user's message."""
    schema: Json
    """JSON schema of the answer; what it can't say, validation must."""

    @property
    def said(self) -> str:
        """The user's message."""
        return json.dumps(self.material, ensure_ascii=False)


class StructuredModel:
    """One model that answers in JSON. Safe to share between threads."""

    def __init__(
        self,
        choice: ModelChoice,
        settings: ChatSettings,
        ledger: Ledger,
        *,
        check_budget: Callable[[], None] = lambda: None,
    ) -> None:
        """Raises ConfigurationError when the choice lacks something, such as a key."""
        choice.check()
        self.choice = choice
        self._settings = settings
        temperatures = (0.0, None) if settings.temperature is None else (settings.temperature,)
        self._steps = [(form, temperature) for temperature in temperatures for form in _FORMS]
        """From the strictest request to the one that most servers accept; None: the server's temperature."""
        self._calls = ModelCalls(choice, settings, ledger, check_budget=check_budget)

    def ask(
        self,
        request: Request,
        form: type[Form],
        *,
        purpose: str,
        trace_id: str,
        tries: int = TRIES,
        on_wait: Callable[[], None] = lambda: None,
    ) -> tuple[Form, Usage]:
        """Return the validated answer and what all calls for it used.

        `on_wait` is called several times a second; what it raises hangs up. Raises BadModelOutput when none
        of the `tries` has the form, any other ProviderError, and BudgetExceeded.
        """
        used: list[Usage] = []
        end_by = self._calls.clock() + self._settings.total_timeout_s
        for weaker in range(tries):
            call = self._answered(request, weaker, purpose, trace_id, end_by, on_wait)
            used.append(call.usage)
            if call.interruption:
                raise call.interruption
            for found in _objects(call.text):
                try:
                    return form.model_validate(found), total(used)
                except ValidationError:
                    continue
        raise BadModelOutput(
            f"{self.choice.model_name} did not answer in the form that was asked for.",
            provider=self.choice.provider,
            hint="Try again, or use a stronger model.",
            usage=total(used),
        )

    def _answered(
        self,
        request: Request,
        weaker: int,
        purpose: str,
        trace_id: str,
        end_by: float,
        on_wait: Callable[[], None],
    ) -> ModelCall:
        """Return a finished call: with the strictest form that the server accepts, or so many steps weaker.

        The same request would bring the same answer again, so each further try asks in a weaker form.
        """
        model = self._model  # a local one is loaded here, where its failure is not taken for the server's
        server = self.choice.base_url, self.choice.model, self._settings.temperature
        first = _first_step.get(server, 0)
        last = len(self._steps) - 1
        for step in range(min(first + weaker, last), last + 1):
            call = self._calls.prepare(
                partial(self._stream, model, request, *self._steps[step]),
                purpose=purpose,
                trace_id=trace_id,
                prompt_tokens=tokens.count(request.instructions) + tokens.count(request.said),
                end_by=end_by,
            )
            try:
                with closing(call.texts()) as texts:
                    for _ in texts:
                        on_wait()
            except ProviderRejected as refusal:
                is_of_form = refusal.status in _REFUSED and refusal.reason == "other"
                if not is_of_form or step == last:
                    raise
            else:
                _first_step[server] = first if weaker else step
                return call
        raise AssertionError("the last step returns or raises")

    def _stream(
        self, model: ChatOpenAI, request: Request, form: str, temperature: float | None
    ) -> Iterator[AIMessage]:
        # in extra_body: given as response_format, LangChain parses the stream itself and fails at its end
        body = dict(model.extra_body or {})
        if form == "json_schema":
            schema = _for_openai(request.schema) if self.choice.is_openai else request.schema
            named = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": form, "json_schema": named}
        elif form == "json_object":
            body["response_format"] = {"type": form}
        options: Json = {"extra_body": body} | ({} if temperature is None else {"temperature": temperature})
        return model.stream([("system", request.instructions), ("human", request.said)], **options)

    @cached_property
    def _model(self) -> ChatOpenAI:
        return chat_model(self.choice, self._settings)


def _for_openai(schema: Any) -> Any:
    """Return a schema without limits of texts: OpenAI refuses them, small models need them to end."""
    if isinstance(schema, dict):
        return {name: _for_openai(value) for name, value in schema.items() if name != "maxLength"}
    return [_for_openai(one) for one in schema] if isinstance(schema, list) else schema


def _objects(text: str) -> Iterator[Any]:
    """Yield the JSON objects and lists in a text, outermost first, whatever stands around them."""
    text = _THOUGHT.sub("", text)
    decoder = json.JSONDecoder()
    end = tried = 0
    for start in (match.start() for match in re.finditer(r"[{\[]", text)):
        if start < end:
            continue
        tried += 1
        if tried > _MOST_OBJECTS:
            return
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield found
