"""Reads what decides whether a sentence says something or its opposite: negations, numbers, opposites."""

from __future__ import annotations

import re
from collections import Counter

from rag.text.words import stem, words

NEGATIONS = frozenset(
    """
    no not never none neither nor nothing nobody cannot without hardly isn aren wasn weren don doesn
    didn won wouldn can't couldn shouldn hasn haven hadn
    """.split()
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NOT_ONLY = re.compile(r"\bnot (?:only|just)\b", re.IGNORECASE)
_CONTRACTED_NOT = re.compile(r"\b(\w+)n['’]t\b", re.IGNORECASE)
_NUMBER_WORDS = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve".split(),
        map(str, range(13)),
        strict=True,
    )
)
OPPOSITES = tuple(
    (
        frozenset(stem(word) for word in left.split()),
        frozenset(stem(word) for word in right.split()),
    )
    for left, right in (
        (  # verbs apart from adjectives: "a higher M increases" against "a higher M decreases"
            "increase increases raise raises grow grows",
            "decrease decreases lower lowers reduce reduces shrink shrinks",
        ),
        ("higher more", "lower fewer less"),
        ("increase increases raise raises grow grows", "fewer less"),
        ("higher more", "decrease decreases reduce reduces shrink shrinks"),
        ("fast faster quick quicker", "slow slower"),
        ("cheap cheaper", "expensive costly"),
        ("exact precise", "approximate"),
        ("always", "never"),
        ("large larger big bigger", "small smaller"),
        ("synchronous", "asynchronous"),
        ("allow allows accept accepts", "forbid forbids refuse refuses reject rejects"),
        ("stateless", "stateful"),
        ("better best", "worse worst"),
        ("before", "after"),
        ("minimum least", "maximum most"),
    )
)
"""Pairs of sets of stems: a word of one says the opposite of a word of the other."""


def spoken(text: str) -> str:
    """Return `text` with "n't" written out and without "not only", which denies nothing."""
    return _NOT_ONLY.sub("", _CONTRACTED_NOT.sub(r"\1 not", text))


def numbers(text: str) -> Counter[str]:
    """Return how often each number occurs: one in the place of another may well stand elsewhere, too."""
    found = Counter(number.replace(",", "").rstrip(".") for number in _NUMBER.findall(text))
    found.update(_NUMBER_WORDS[word] for word in words(text) if word in _NUMBER_WORDS and word != "one")
    return found
