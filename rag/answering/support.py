"""Checks by code whether the cited sentences support a claim: words, numbers, names, negation, meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.embedding.base import Vectors
from rag.text.polarity import NEGATIONS, OPPOSITES, numbers, spoken
from rag.text.words import content_words, stem, stems, words
from rag.types import Citation, Claim, Support

FULL_COVER, PART_COVER = 0.6, 0.3
"""Share of a claim's content stems in its cited sentences for full and for partial support."""
FULL_COSINE, PART_COSINE = 0.75, 0.5
"""The same by meaning, where the words differ; full support by meaning also needs PART_COVER."""

_SCOPE = 4
"""Content words after a negation that it may deny; the first one it certainly does."""
_CLAUSE_END = re.compile(r"[,;:.!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class _Finding:
    support: Support
    reason: str = ""


class SupportChecker:
    """Gives every claim of an answer its support. The embedder weighs meaning where words differ."""

    def __init__(self, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self._embed = embed

    def check(self, claims: Sequence[Claim], citations: Sequence[Citation]) -> tuple[Claim, ...]:
        """Return the claims with `support` and, where it is not full, `reason` filled in."""
        quotes = {citation.marker: citation.quote for citation in citations}
        return tuple(self._checked(claim, quotes) for claim in claims)

    def _checked(self, claim: Claim, quotes: dict[int, str]) -> Claim:
        cited = [quotes[marker] for marker in claim.markers if marker in quotes]
        if not cited:
            return replace(claim, support="unchecked", reason="No source is cited for this.")
        finding = self._compare(claim.text, cited)
        return replace(claim, support=finding.support, reason=finding.reason)

    def _compare(self, claim: str, cited: Sequence[str]) -> _Finding:
        source = " ".join(cited)
        if _plain(claim) in _plain(source):
            return _Finding("supported")
        if missing := numbers(claim) - numbers(source):
            lacks = "does not have" if min(missing) not in numbers(source) else "less often has"
            return _Finding("unsupported", f"The cited sentence {lacks} the number {min(missing)}.")
        if opposed := _opposed(claim, source):
            return _Finding("unsupported", f"The cited sentence says the opposite of “{opposed}”.")
        if _negated(claim) != _negated(_nearest(claim, cited)) or _denied(claim, source):
            return _Finding("unsupported", "One of claim and source is negated, the other is not.")
        claim_stems = set(stems(claim))
        if not claim_stems:
            return _Finding("supported")
        cover = len(claim_stems & set(stems(source))) / len(claim_stems)
        strange = _names(claim) - {word.lower() for word in words(source)}
        if cover >= FULL_COVER and not strange:
            return _Finding("supported")
        vectors = self._embed([claim, *cited])
        cosine = float(np.max(vectors[1:] @ vectors[0]))
        if strange:
            if cover >= PART_COVER or cosine >= PART_COSINE:
                return _Finding("partial", f"The cited sentence does not name {min(strange)}.")
        elif cosine >= FULL_COSINE and cover >= PART_COVER:
            return _Finding("supported")
        elif cover >= PART_COVER or cosine >= PART_COSINE:
            return _Finding("partial", "The cited sentence says only part of this.")
        return _Finding("unsupported", "The cited sentence is about something else.")


def _plain(text: str) -> str:
    return " ".join(words(text))


def _negated(text: str) -> bool:
    return bool(NEGATIONS & set(words(spoken(text))))


def _denied(claim: str, source: str) -> bool:
    """Tell whether one of the two denies a word that the other only affirms."""
    return _denies(claim, source) or _denies(source, claim)


def _denies(text: str, other: str) -> bool:
    affirmed = set(stems(other)) - {word for scope in _scopes(other) for word in scope}
    own = [word for scope in _scopes(text) for word in scope]
    return any(
        scope[0] in affirmed and stems(text).count(scope[0]) <= own.count(scope[0])
        for scope in _scopes(text)
        if scope
    )


def _scopes(text: str) -> list[list[str]]:
    """Return for every negation the stems of the content words that follow it in its clause."""
    found = []
    for clause in _CLAUSE_END.split(spoken(text)):
        said = words(clause)
        for place, word in enumerate(said):
            if word in NEGATIONS:
                found.append(stems(" ".join(said[place + 1 :]))[:_SCOPE])
    return found


def _nearest(claim: str, cited: Sequence[str]) -> str:
    wanted = set(stems(claim))
    return max(cited, key=lambda quote: len(wanted & set(stems(quote))))


def _opposed(claim: str, source: str) -> str:
    """Return the word of the claim whose opposite the source has; empty when there is none."""
    said = {stem(word): word for word in words(claim)}
    quoted = {stem(word) for word in words(source)}
    for pair in OPPOSITES:
        for left, right in (pair, pair[::-1]):
            mine, theirs = left & set(said), right & quoted
            if mine and theirs and not left & quoted and not right & set(said):
                return said[min(mine)]
    return ""


def _names(text: str) -> set[str]:
    """Return lower-cased names and codes: words with a capital or a digit that do not open the sentence."""
    opening = text.split(maxsplit=1)[0].strip("\"'([*_") if text.split() else ""
    return {
        word.lower()
        for word in content_words(text)
        if word != opening and (word[0].isupper() or any(c.isupper() for c in word[1:]))
    }
