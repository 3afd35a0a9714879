"""The choice of a provider and a model, checked when it is made."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from rag.errors import ConfigurationError
from rag.settings import Provider

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"
"""The default: answers at once, where models that reason first would exceed the first-token deadline."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model of which server writes; `check` says whether it can."""

    provider: Provider
    """`embedded` is no model at all: it needs nothing else."""
    model: str = ""
    """Empty: the provider's default, where it has one. For `local` the path of a GGUF file."""
    base_url: str = ""
    api_key: SecretStr = field(default=SecretStr(""), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", self.base_url.strip().rstrip("/"))
        object.__setattr__(self, "api_key", SecretStr(self.api_key.get_secret_value().strip()))
        if self.provider == "openai":
            object.__setattr__(self, "model", self.model or OPENAI_MODEL)
            object.__setattr__(self, "base_url", self.base_url or OPENAI_URL)

    def check(self) -> None:
        """Raise ConfigurationError when something is missing or not valid."""
        if self.provider == "embedded":
            return
        if not self.model:
            raise ConfigurationError("No model is chosen.", hint="Set VIVA_CHAT__MODEL to its name.")
        if self.provider == "local":
            return
        _check_url(self.base_url)
        key = self.api_key.get_secret_value()
        if not key and self.provider == "openai":
            raise ConfigurationError(
                "OpenAI needs an API key.",
                hint="Set OPENAI_API_KEY or VIVA_CHAT__API_KEY, or enter a key for this session.",
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError(
                "The API key holds characters that no key has.", hint="Copy the key again."
            )

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI itself or Azure serves it: their API differs from others in details."""
        return self.base_url == OPENAI_URL or (urlsplit(self.base_url).hostname or "").endswith(".azure.com")

    @property
    def server_name(self) -> str:
        """The server in words for the reader: host and port, never more of the address."""
        if self.provider == "local":
            return "the local model"
        if self.base_url == OPENAI_URL:
            return "OpenAI"
        return f"the server at {urlsplit(self.base_url).netloc.rpartition('@')[2]}"

    @property
    def model_name(self) -> str:
        """The model in words for the reader: of a local file its name alone."""
        return self.model.replace("\\", "/").split("/")[-1] if self.provider == "local" else self.model

    @property
    def on_this_machine(self) -> bool:
        """Whether no text leaves the machine."""
        host = urlsplit(self.base_url).hostname or ""
        return self.provider in ("embedded", "local") or host == "localhost" or _is_loopback(host)


def _check_url(url: str) -> None:
    """Raise ConfigurationError for a bad address, without repeating it: it may hold a password."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise ConfigurationError(
            "The model server's address is not valid." if url else "The model server has no address.",
            hint="Set VIVA_CHAT__BASE_URL to an address like http://127.0.0.1:11434/v1.",
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "The model server's address holds a user name or password.",
            hint="Leave it out of VIVA_CHAT__BASE_URL; the key belongs into VIVA_CHAT__API_KEY.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
