"""Turns text into the stems that lexical search and word cover count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?(?:-[^\W_]+)*")
_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDINGS = frozenset("s t re ve ll d m".split())

STOP_WORDS = frozenset(
    """
    a about above after again against all also am an and any are aren as at be because been before
    being below between both but by can cannot could couldn d did didn do does doesn doing don down
    during each either else ever few for from further get gets give given go goes got had hadn has
    hasn have haven having he her here hers herself him himself his how however i if in into is isn
    it its itself just let ll m many may me might mine more most much must my myself need no nor not
    now of off often on once one only or other our ours ourselves out over own per please re s same
    say shall she should shouldn since so some such t tell than that the their theirs them
    themselves then there these they this those through thus to too under until up upon us ve very
    was wasn we were weren what when where whether which while who whom whose why will with within
    without won would wouldn yes yet you your yours yourself yourselves explain describe mean means
    meaning please
    """.split()
)


def words(text: str) -> list[str]:
    """Return the lower-case words of `text` in order.

    A word of several parts (rate-limit, maxUploadSize) gives the parts and, joined, the whole.
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        parts = _PARTS.findall(_CAMEL.sub(" ", match.group()))
        if len(parts) > 1 and parts[-1].lower() in _ENDINGS:
            parts.pop()
        found.extend(part.lower() for part in parts)
        if len(parts) > 1:
            found.append("".join(parts).lower())
    return found


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the English Snowball stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


def stems(text: str) -> list[str]:
    """Return the stems of the content words of `text`, in order, with repeats."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def content_words(text: str) -> list[str]:
    """Return the distinct content words of `text` as the user wrote them, in order."""
    seen: dict[str, str] = {}
    for match in _PARTS.finditer(text):
        word = match.group()
        if word.lower() not in STOP_WORDS:
            seen.setdefault(stem(word.lower()), word)
    return list(seen.values())


def distinct(items: Iterable[str]) -> tuple[str, ...]:
    """Return `items` without repeats, first occurrence first."""
    return tuple(dict.fromkeys(items))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    # maxCacheSize=0: the built-in cache is not safe to share between threads
    return Stemmer.Stemmer("english", 0)
