"""What SDK exceptions become: a sentence to act on, never the server's words, and few retries."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import httpx2
import openai
import pytest
from pydantic import SecretStr

from rag.errors import ProviderError, ProviderRejected, ProviderUnavailable
from rag.providers.choice import ModelChoice
from rag.providers.deadlines import TooSlow
from rag.providers.failures import FailureExplainer, NoText, may_be_billed, wait_before_retry

REQUEST = httpx2.Request("POST", "http://127.0.0.1:11434/v1/chat/completions")
LOCAL = FailureExplainer(ModelChoice("openai_compatible", "llama", "http://127.0.0.1:11434/v1"))
OPENAI = FailureExplainer(ModelChoice("openai", "gpt-4o-mini", api_key=SecretStr("sk-secret")))


def status_error(status: int, body: Any = None, **headers: str) -> openai.APIStatusError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, headers=names, request=REQUEST, content=json.dumps(body).encode())
    return openai.APIStatusError("leaks sk-secret and the prompt", response=response, body=body)


def connection_error(cause: BaseException) -> openai.APIConnectionError:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = httpx2.ConnectError("leaks")
    error.__cause__.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "kind", "message", "hint"),
    [
        (status_error(401), ProviderRejected, "did not accept the API key", "Check the key"),
        (status_error(403), ProviderRejected, "does not let this key use gpt-4o-mini", "access to the model"),
        (status_error(404), ProviderRejected, "has no model gpt-4o-mini", "Check the model's name"),
        (status_error(402), ProviderRejected, "quota of this key", "Add credit"),
        (
            status_error(429, {"code": "insufficient_quota"}),
            ProviderRejected,
            "quota of this key",
            "Add credit",
        ),
        (status_error(429), ProviderUnavailable, "limiting the rate", "in a moment"),
        (status_error(429, retry_after="20"), ProviderUnavailable, "limiting the rate", "in 20 s"),
        (
            status_error(400, {"code": "context_length_exceeded"}),
            ProviderRejected,
            "longer than",
            "CONTEXT_TOKENS",
        ),
        (status_error(413), ProviderRejected, "longer than", "CONTEXT_TOKENS"),
        (status_error(400, {"code": "content_filter"}), ProviderRejected, "content filter", "other words"),
        (status_error(400, {"param": "temperature"}), ProviderRejected, "is to temperature", "chat model"),
        (status_error(307), ProviderRejected, "did not accept the request", "chat model"),
        (status_error(500), ProviderUnavailable, "problem at the moment (status 500)", "Try again"),
        (status_error(503), ProviderUnavailable, "problem at the moment (status 503)", "Try again"),
        (TooSlow("first text"), ProviderUnavailable, "did not begin", "FIRST_TOKEN_TIMEOUT_S"),
        (TooSlow("more text"), ProviderUnavailable, "stopped in the middle", "CHAT__TOKEN_TIMEOUT_S"),
        (TooSlow("end"), ProviderUnavailable, "too long", "TOTAL_TIMEOUT_S"),
        (NoText(), ProviderUnavailable, "before it began", "Try again"),
        (ValueError("No generations found in stream."), ProviderUnavailable, "before it began", "Try again"),
        (
            json.JSONDecodeError("x", "leak", 0),
            ProviderRejected,
            "not in the OpenAI chat format",
            "VIVA_CHAT__BASE_URL",
        ),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(
    failure: Exception, kind: type[ProviderError], message: str, hint: str
) -> None:
    explained = OPENAI.explain(failure)
    assert type(explained) is kind
    assert message in str(explained)
    assert hint in explained.hint
    assert "sk-secret" not in f"{explained} {explained.hint}"
    assert "leak" not in f"{explained} {explained.hint}"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (status_error(400, {"code": "context_length_exceeded"}), "too_large"),
        (
            status_error(400, {"message": "This model's maximum context length is 96.", "code": 400}),
            "too_large",
        ),
        (status_error(413), "too_large"),
        (status_error(400, {"code": "content_filter"}), "content_filter"),
        (status_error(429, {"code": "insufficient_quota"}), "quota"),
        (status_error(400, {"param": "response_format"}), "other"),
        (status_error(401), "other"),
    ],
)
def test_a_refusal_has_a_reason(failure: Exception, reason: str) -> None:
    explained = OPENAI.explain(failure)
    assert isinstance(explained, ProviderRejected)
    assert explained.reason == reason


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (ConnectionRefusedError(), "The server at 127.0.0.1:11434 can't be reached."),
        (socket.gaierror(), "The address of the server at 127.0.0.1:11434 is not known."),
        (
            ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"),
            "The certificate of the server at 127.0.0.1:11434 is not trusted.",
        ),
    ],
)
def test_an_unreachable_server_is_named_by_host_and_port(cause: Exception, message: str) -> None:
    assert str(LOCAL.explain(connection_error(cause))) == message


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (status_error(500), [0.5, 1.0]),
        (status_error(503, retry_after="3"), [3.0, 3.0]),
        (status_error(429), [0.5, 1.0]),
        (status_error(429, retry_after="2"), [2.0, 2.0]),
        (connection_error(ConnectionRefusedError()), [0.5, 1.0]),
        (NoText(), [0.5, 1.0]),
        (status_error(429, {"error": {"code": "insufficient_quota"}}), [None, None]),
        (status_error(400), [None, None]),
        (status_error(401), [None, None]),
        (status_error(403), [None, None]),
        (status_error(404), [None, None]),
        (TooSlow("first text"), [None, None]),
        (openai.APITimeoutError(request=REQUEST), [None, None]),
        (json.JSONDecodeError("x", "x", 0), [None, None]),
    ],
)
def test_only_what_may_pass_is_tried_again(failure: Exception, waits: list[float | None]) -> None:
    explained = OPENAI.explain(failure)
    assert [wait_before_retry(failure, explained, attempt) for attempt in (1, 2)] == waits


def test_a_retry_date_counts_from_the_date_of_the_response() -> None:
    failure = status_error(
        429, retry_after="Wed, 21 Oct 2026 07:28:30 GMT", date="Wed, 21 Oct 2026 07:28:00 GMT"
    )
    explained = OPENAI.explain(failure)
    assert isinstance(explained, ProviderUnavailable)
    assert explained.retry_after_s == 30


def test_a_retry_header_that_makes_no_sense_is_ignored() -> None:
    explained = OPENAI.explain(status_error(429, retry_after="soon"))
    assert isinstance(explained, ProviderUnavailable)
    assert explained.retry_after_s is None


def test_a_call_that_reached_no_server_is_not_billed() -> None:
    assert may_be_billed(connection_error(ConnectionRefusedError())) is False
    assert may_be_billed(status_error(500)) is False
    assert may_be_billed(openai.APIConnectionError(request=REQUEST)) is True
    assert may_be_billed(TooSlow("first text")) is True


def test_a_parameter_name_that_is_no_name_is_not_repeated() -> None:
    assert "is to" not in str(OPENAI.explain(status_error(400, {"param": "my secret prompt"})))
