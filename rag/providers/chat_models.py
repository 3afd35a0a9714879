"""Turns a choice of model into a LangChain chat model that neither retries nor reads the environment."""

from __future__ import annotations

import httpx2
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from rag.providers import deadlines, local
from rag.providers.choice import ModelChoice
from rag.settings import ChatSettings

_CONNECT_S = 10.0
_NO_KEY = "none"
"""Sent to servers that need no key; without it the client would send the key of the environment."""


def chat_model(choice: ModelChoice, settings: ChatSettings) -> ChatOpenAI:
    """Return a chat model for `choice`; a local model is loaded first, which takes seconds.

    Deadlines and retries are the caller's (rag/providers/calls.py): the model's own are off, or longer.
    Raises ConfigurationError when the local model can't be loaded.
    """
    base_url, api_key = choice.base_url, choice.api_key
    if choice.provider == "local":
        served = local.serve(choice.model, settings.context_tokens + settings.max_output_tokens)
        base_url, api_key = served.base_url, served.api_key
    silence = max(settings.first_token_timeout_s, settings.token_timeout_s)
    client = httpx2.Client(
        timeout=httpx2.Timeout(silence + 1, connect=min(_CONNECT_S, silence)),
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [deadlines.watch]},
    )
    # max_completion_tokens is OpenAI's name; other servers know max_tokens, some of them only that
    limit = settings.max_output_tokens
    return ChatOpenAI(
        model=choice.model,
        base_url=base_url,
        api_key=api_key if api_key.get_secret_value() else SecretStr(_NO_KEY),
        temperature=settings.temperature,
        max_completion_tokens=limit if choice.is_openai else None,
        extra_body=None if choice.is_openai else {"max_tokens": limit},
        max_retries=0,
        timeout=silence + 1,
        stream_usage=True,
        use_responses_api=False,
        openai_proxy="",  # else taken from the environment, where it contradicts http_client
        http_client=client,
    )
