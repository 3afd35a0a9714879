"""The one error tree: every failure a person can act on is a RagError with a hint.

RagError (retryable, hint)
├── ConfigurationError
├── InvalidInput
├── KnowledgeError          file and line of the bad document
├── StoreError
│   ├── IndexMismatchError  found, expected
│   └── MissingVectors
├── ProviderError           provider, status
│   ├── ProviderUnavailable (retryable)
│   ├── ProviderRejected    reason
│   ├── IncompleteAnswer    partial_text
│   └── BadModelOutput      usage
└── BudgetExceeded          limit, spent
"""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from rag.types import FREE, Usage

Refusal = Literal["too_large", "content_filter", "quota", "other"]
"""Why a provider refused a request; other: the key, the model's name or a parameter, for instance."""


class RagError(Exception):
    """A failure with one sentence of what happened and one of what to do next.

    `str(error)` is safe to show: it holds no prompt, no key and no provider response.
    """

    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigurationError(RagError):
    """A setting is missing, misspelt or contradicts another."""


class InvalidInput(RagError):
    """What a person or a script entered can't be used as it is."""


class KnowledgeError(RagError):
    """A document can't be read or indexed."""

    def __init__(
        self, message: str, *, path: Path | str = "", line: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = str(path)
        self.line = line
        """1-based; None when the problem has no line."""


class StoreError(RagError):
    """The database or the vector index can't be read or written."""


class IndexMismatchError(StoreError):
    """The index was built with another embedding model than the one in use."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"The index was built with {found}, but {expected} is configured.",
            hint="Run `python -m rag ingest` to embed the documents again.",
        )
        self.found = found
        self.expected = expected


class MissingVectors(StoreError):
    """Vectors that the index needs are not stored or were damaged; embedding the documents again mends it."""


class ProviderError(RagError):
    """A model call failed."""

    def __init__(
        self, message: str, *, provider: str = "", status: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.status = status
        """HTTP status; None when no response arrived."""


class ProviderUnavailable(ProviderError):
    """The provider did not answer in time, is overloaded or can't be reached; trying again may help."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, provider=provider, status=status, hint=hint)
        self.retry_after_s = retry_after_s
        """Seconds the provider asked to wait; None when it did not say."""


class ProviderRejected(ProviderError):
    """The provider refused the request: key, quota, model name or size. Trying again does not help."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        reason: Refusal = "other",
        hint: str = "",
    ) -> None:
        super().__init__(message, provider=provider, status=status, hint=hint)
        self.reason = reason


class IncompleteAnswer(ProviderError):
    """The stream ended before the model said that it had finished."""

    retryable = True

    def __init__(self, message: str, *, partial_text: str = "", provider: str = "") -> None:
        super().__init__(message, provider=provider, hint="Ask again to get the whole answer.")
        self.partial_text = partial_text


class BadModelOutput(ProviderError):
    """The model's output does not have the form that was asked for."""

    def __init__(self, message: str, *, provider: str = "", hint: str = "", usage: Usage = FREE) -> None:
        super().__init__(message, provider=provider, hint=hint)
        self.usage = usage
        """What the calls used that brought it."""


class BudgetExceeded(RagError):
    """A spending limit would be passed; no call was made."""

    def __init__(self, message: str, *, limit: Decimal, spent: Decimal, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.spent = spent
