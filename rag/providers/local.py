"""Serves a GGUF file on a loopback port: llama.cpp through xllamacpp, once per process and file."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rag.errors import ConfigurationError

_GGUF = b"GGUF"


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Where a loaded model listens; without the key no other program on the machine can use it."""

    base_url: str
    api_key: SecretStr


_running: dict[Path, tuple[LocalServer, Any]] = {}
_loading = threading.Lock()


def serve(model: str, context_tokens: int) -> LocalServer:
    """Return the server of the GGUF file at path `model`, loading it on first use.

    The context is twice `context_tokens`, because a model's tokenizer may count more than ours. Raises
    ConfigurationError when xllamacpp is not installed or the file is no GGUF model.
    """
    path = Path(model).expanduser().resolve()
    with _loading:
        if path not in _running:
            _running[path] = _start(path, context_tokens)
        return _running[path][0]


def _start(path: Path, context_tokens: int) -> tuple[LocalServer, Any]:
    try:
        import xllamacpp
    except ImportError:
        raise ConfigurationError(
            "Local models need the package xllamacpp, which is not installed.",
            hint="Run `pip install xllamacpp`, or choose another provider.",
        ) from None
    _check(path)
    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = 2 * context_tokens
    params.n_parallel = 1
    params.ui = False
    params.endpoint_slots = False  # shows the prompts of others
    params.verbosity = 1
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        raise ConfigurationError(
            f"llama.cpp can't load {path.name}.",
            hint="Check that the file is complete and that the model fits into memory.",
        ) from None
    return LocalServer(f"{server.listening_address}/v1", SecretStr(key)), server


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            is_gguf = file.read(len(_GGUF)) == _GGUF
    except OSError:
        raise ConfigurationError(
            f"The model file {path.name} can't be read.",
            hint="Set VIVA_CHAT__MODEL to the path of a GGUF file.",
        ) from None
    if not is_gguf:
        raise ConfigurationError(
            f"{path.name} is not a GGUF model.", hint="Set VIVA_CHAT__MODEL to the path of a GGUF file."
        )
