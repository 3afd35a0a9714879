"""Turns what an OpenAI client raises into a ProviderError that says what happened and what to do about it.

Messages name the server's host and the model, never its response: that may repeat the key or the prompt.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from rag.errors import ProviderError, ProviderRejected, ProviderUnavailable, Refusal
from rag.providers.choice import ModelChoice
from rag.providers.deadlines import TooSlow

_OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TOO_LARGE = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_TOO_LARGE_SAID = "This model's maximum context length"
"""How vLLM begins to say it; its code for that is the one of every bad request."""
_CANT_CONNECT = ("ConnectError", "ConnectTimeout")
"""Of httpx2, which the SDK wraps."""
_FIRST_WAIT_S = 0.5
"""Before the first retry; doubled before each further one."""


class NoText(Exception):
    """The stream ended before any text and without a reason."""


class FailureExplainer:
    """Explains the failures of calls to one model."""

    def __init__(self, choice: ModelChoice) -> None:
        self._provider = choice.provider
        self._model = choice.model_name
        self._server = choice.server_name
        self._Server = choice.server_name[:1].upper() + choice.server_name[1:]

    def explain(self, failure: BaseException) -> ProviderError:
        """Return `failure` as a ProviderError; one that is already is returned as it is."""
        match failure:
            case ProviderError():
                return failure
            case TooSlow(awaited="more text"):
                return self._unavailable(
                    f"{self._Server} stopped in the middle of the answer.",
                    "Try again. For a slow model raise VIVA_CHAT__TOKEN_TIMEOUT_S.",
                )
            case TooSlow(awaited="end"):
                return self._unavailable(
                    f"{self._Server} took too long for the whole answer.",
                    "Try again. For a slow model raise VIVA_CHAT__TOTAL_TIMEOUT_S.",
                )
            case TooSlow() | openai.APITimeoutError():
                return self._unavailable(
                    f"{self._Server} did not begin to answer in time.",
                    "Try again. For a slow model raise VIVA_CHAT__FIRST_TOKEN_TIMEOUT_S.",
                )
            case openai.APIConnectionError():
                return self._unreachable(failure)
            case openai.APIStatusError():
                return self._status(failure)
            case NoText() | ValueError() if _is_empty(failure):
                return self._unavailable(
                    f"{self._Server} ended the answer before it began.",
                    "Try again in a moment. If it stays so, check the address: it usually ends in /v1.",
                )
            case openai.APIError() if type(failure) is openai.APIError:
                if _code(failure) in _OUT_OF_MONEY:
                    return self._out_of_money(None)
                return self._unavailable(
                    f"{self._Server} reported an error while answering.", "Try again in a moment."
                )
            case _:
                return self._rejected(
                    f"{self._Server} sent something that is not in the OpenAI chat format.",
                    "Check the address (VIVA_CHAT__BASE_URL): it usually ends in /v1.",
                )

    def _status(self, failure: openai.APIStatusError) -> ProviderError:
        status, code = failure.status_code, _code(failure)
        wait = _wait_asked_for(failure)
        match status:
            case 401:
                return self._rejected(
                    f"{self._Server} did not accept the API key.",
                    "Check the key: it may be mistyped, revoked or for another server.",
                    status,
                )
            case 403:
                return self._rejected(
                    f"{self._Server} does not let this key use {self._model}.",
                    "Use a key with access to the model, or another model.",
                    status,
                )
            case 404:
                return self._rejected(
                    f"{self._Server} has no model {self._model}, or not at this address.",
                    "Check the model's name, and that the address is right: it usually ends in /v1.",
                    status,
                )
            case 429 if code in _OUT_OF_MONEY:
                return self._out_of_money(status)
            case 402:
                return self._out_of_money(status)
            case 429:
                moment = f"{wait:.0f} s" if wait and wait >= 1 else "a moment"
                return self._unavailable(
                    f"{self._Server} is limiting the rate of requests.",
                    f"Try again in {moment}.",
                    status,
                    wait,
                )
            case 413:
                return self._too_large(status)
            case _ if code in _TOO_LARGE or _message(failure).startswith(_TOO_LARGE_SAID):
                return self._too_large(status)
            case _ if status >= 500 or status in (408, 409):
                return self._unavailable(
                    f"{self._Server} has a problem at the moment (status {status}).",
                    "Try again in a moment.",
                    status,
                    wait,
                )
            case _ if code == "content_filter":
                return self._rejected(
                    f"{self._Server} refused to answer: its content filter objects.",
                    "Ask in other words.",
                    status,
                    "content_filter",
                )
        about = f" Its objection is to {failure.param}." if _is_name(failure.param) else ""
        return self._rejected(
            f"{self._Server} did not accept the request (status {status}).{about}",
            "Check that the model is a chat model, and the VIVA_CHAT__ settings.",
            status,
        )

    def _unreachable(self, failure: BaseException) -> ProviderError:
        causes = list(_causes(failure))
        if any(isinstance(cause, ssl.SSLError) and "CERTIFICATE" in str(cause) for cause in causes):
            return self._rejected(
                f"The certificate of {self._server} is not trusted.",
                "Check the address, or make the certificate known with SSL_CERT_FILE.",
            )
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return self._unavailable(
                f"The address of {self._server} is not known.", "Check the address and the network."
            )
        if any(type(cause).__name__ in _CANT_CONNECT for cause in causes):
            return self._unavailable(
                f"{self._Server} can't be reached.", "Check that it is running, and the network."
            )
        return self._unavailable(f"{self._Server} broke off the connection.", "Try again.")

    def _out_of_money(self, status: int | None) -> ProviderError:
        return self._rejected(
            f"The quota of this key at {self._server} is used up.",
            "Add credit or raise the limit in the provider's account, or use another key.",
            status,
            "quota",
        )

    def _too_large(self, status: int) -> ProviderError:
        return self._rejected(
            f"The prompt is longer than {self._model} can read.",
            "Lower VIVA_CHAT__CONTEXT_TOKENS, or use a model that reads more.",
            status,
            "too_large",
        )

    def _unavailable(
        self, message: str, hint: str, status: int | None = None, wait: float | None = None
    ) -> ProviderUnavailable:
        return ProviderUnavailable(
            message, provider=self._provider, status=status, retry_after_s=wait, hint=hint
        )

    def _rejected(
        self, message: str, hint: str, status: int | None = None, reason: Refusal = "other"
    ) -> ProviderRejected:
        return ProviderRejected(message, provider=self._provider, status=status, reason=reason, hint=hint)


def wait_before_retry(failure: BaseException, explained: ProviderError, attempt: int) -> float | None:
    """Return the seconds to wait before attempt number `attempt` + 1; None: trying again is no use."""
    match failure:
        case openai.APITimeoutError() | TooSlow():
            return None
        case openai.APIStatusError() if failure.status_code != 429 and failure.status_code < 500:
            return None
        case openai.APIStatusError() | openai.APIConnectionError() | NoText() | ValueError():
            if not isinstance(explained, ProviderUnavailable):
                return None
            return explained.retry_after_s or _FIRST_WAIT_S * 2 ** (attempt - 1)
    return None


def may_be_billed(failure: BaseException) -> bool:
    """Tell whether the provider may charge for the prompt of a call that failed before any text."""
    if isinstance(failure, openai.APIConnectionError):
        return not any(type(cause).__name__ in _CANT_CONNECT for cause in _causes(failure))
    return isinstance(failure, TooSlow) or _is_empty(failure)


def _wait_asked_for(failure: openai.APIStatusError) -> float | None:
    """Return what Retry-After says in seconds; a date counts from the response's own Date."""
    headers = failure.response.headers
    asked = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", asked):
        return float(asked)
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _code(failure: openai.APIError) -> str:
    body = _error_body(failure)
    if body is None:
        return failure.code or ""
    code, kind = body.get("code"), body.get("type")
    return next((str(name) for name in (code, kind) if isinstance(name, str)), "")


def _message(failure: openai.APIError) -> str:
    return str((_error_body(failure) or {}).get("message", ""))


def _error_body(failure: openai.APIError) -> dict[str, Any] | None:
    """Return what the server says of its error; None when that is no JSON object."""
    body: Any = failure.body
    if isinstance(body, dict):
        body = body.get("error", body)
    return body if isinstance(body, dict) else None


def _is_name(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[a-z_.]{1,40}", text) is not None


def _is_empty(failure: BaseException) -> bool:
    """Tell whether a stream held nothing; for one without any event LangChain has only a ValueError."""
    return isinstance(failure, NoText) or "No generation" in str(failure)


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
