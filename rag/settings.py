"""Reads Viva's settings from the environment once; a name or value that is not valid stops the start."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from rag.errors import ConfigurationError, InvalidInput
from rag.types import IndexKind, RetrievalConfig

PREFIX = "VIVA_"
Provider = Literal["embedded", "openai", "openai_compatible", "local"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatSettings(_Section):
    """Who writes the answers."""

    provider: Provider = "embedded"
    model: str = ""
    """Empty: the provider's default, where it has one."""
    base_url: str = ""
    """Address of an OpenAI-compatible server, e.g. http://127.0.0.1:11434/v1."""
    api_key: SecretStr = SecretStr("")
    allow_own_key: bool = True
    """Users may enter their own key for one browser session."""
    first_token_timeout_s: float = Field(30, gt=0)
    token_timeout_s: float = Field(15, gt=0)
    total_timeout_s: float = Field(120, gt=0)
    context_tokens: int = Field(4000, ge=500)
    """Budget of the prompt: instructions, history, passages and question."""
    max_output_tokens: int = Field(800, ge=50)
    temperature: float | None = Field(None, ge=0, le=2)
    """None: the server's default; some models refuse any other."""


class EmbeddingSettings(_Section):
    """Who turns text into vectors."""

    backend: Literal["onnx", "sentence_transformers"] = "onnx"
    """onnx serves the packaged all-MiniLM-L6-v2; sentence_transformers loads `model` by name or path."""
    model: str = "all-MiniLM-L6-v2"


class RetrievalSettings(_Section):
    """How passages are found, until the retrieval lab stores another default."""

    top_k: int = Field(6, ge=1, le=50)
    candidates: int = Field(40, ge=5, le=500)
    """How many each list contributes to the fusion."""
    words_weight: float = Field(0.45, ge=0, le=1)
    """Share of the search by words in the fused score."""
    index: IndexKind = "flat"
    effort: int = Field(0, ge=0, le=10_000)
    """Cells that IVF visits, or HNSW's candidate list; 0: the index's own default."""

    @property
    def config(self) -> RetrievalConfig:
        """The same as the value that searches take."""
        return RetrievalConfig(**dict(self))


class BudgetSettings(_Section):
    """How much may be spent; an empty limit does not limit."""

    usd_per_day: Decimal | None = Field(None, ge=0)


class Settings(BaseSettings):
    """All settings; the environment name is VIVA_ and the path with __ between sections."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Path("data")
    knowledge_dir: Path = Path("knowledge")
    load_knowledge: bool = True
    """False: start with an empty library."""
    database_url: SecretStr = SecretStr("")
    """Empty: SQLite in the data folder."""
    store: Literal["faiss"] = "faiss"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    chat: ChatSettings = ChatSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    budget: BudgetSettings = BudgetSettings()
    openai_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("VIVA_OPENAI_API_KEY", "OPENAI_API_KEY")
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` read and nothing else."""
        return (init_settings,)

    @property
    def api_key(self) -> SecretStr:
        """The configured key for the chat model; empty when there is none."""
        if self.chat.api_key.get_secret_value() or self.chat.provider == "openai_compatible":
            return self.chat.api_key
        return self.openai_api_key

    @property
    def sqlalchemy_url(self) -> str:
        """The database to use, with its password if it has one: not for display."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'viva.db'}"


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Return the settings of `environ` (None: of this process), with `overrides` on top.

    An empty value counts as unset, as container set-ups write it. Raises ConfigurationError naming the
    first bad name or value and the nearest valid one.
    """
    names = os.environ if environ is None else environ
    _refuse_unknown_names(names)
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in names.items() if value}
    try:
        return Settings(**{**source(), **overrides})
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(
            f"{name} is not valid: {first['msg']}.",
            hint=f"Set {name} to a valid value or unset it; the README lists all settings.",
        ) from None


def checked_retrieval(config: RetrievalConfig) -> RetrievalConfig:
    """Return the config; raises InvalidInput naming the first value that is out of its range."""
    try:
        return RetrievalSettings.model_validate(asdict(config), strict=True).config
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(
            f"`{first['loc'][0]}` is not valid: {first['msg']}.",
            hint="Choose a value in the range that the retrieval lab offers.",
        ) from None


def log_to_stderr(level: str) -> None:
    """Write the program's own log to stderr, and leave the libraries' as they are."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("rag", "pages"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)


def setting_names() -> Iterator[str]:
    """Yield every valid environment name, e.g. VIVA_CHAT__MODEL."""
    for name, setting in Settings.model_fields.items():
        section = setting.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            yield from (f"{PREFIX}{name}__{inner}".upper() for inner in section.model_fields)
        else:
            yield f"{PREFIX}{name}".upper()


def _refuse_unknown_names(environ: Mapping[str, str]) -> None:
    valid = set(setting_names())
    for name in sorted(environ):
        if not name.upper().startswith(PREFIX) or name.upper() in valid:
            continue
        if name.upper() == "VIVA_EVAL_DIR":  # read by the tests alone
            continue
        nearest = difflib.get_close_matches(name.upper(), valid, n=1, cutoff=0.0)[0]
        raise ConfigurationError(
            f"There is no setting {name}.",
            hint=f"Did you mean {nearest}? The README lists all settings.",
        )
