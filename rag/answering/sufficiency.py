"""Says which part of a question the chosen sentences leave open, judged by words and kinds of facts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.selection import Candidate, Unit
from rag.retrieval.lexical import LexicalIndex
from rag.text.words import content_words, distinct, stem, stems
from rag.types import Retrieval

MOST_NAMED = 3
"""How many missing words are named."""
SUBJECT_TERMS = 2
"""How many of the question's rarest words count as its subject."""

_YEAR = re.compile(r"\b(?:which|what)\s+year\b|\bsince when\b|^\W*when\s+(?:was|were|did)\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\bhow\s+(?:many|much|high|large|big|long|old|fast|far|tall)\b"
    r"|\b(?:by|what|which)\s+(?:how many\s+)?percent(?:age)?\b"
    r"|\b(?:default|maximum|minimum)\b.*\b(?:port|size|limit|timeout|length|number|values?)\b"
    r"|\b(?:port|version)\s+number\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"^\W*(?:who|whose)\b|\bwhich\s+(?:company|companies|person|people|team)\b", re.IGNORECASE)
_HAS_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_HAS_AMOUNT = re.compile(
    r"\d|\b(?:no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty"
    r"|dozens?|hundreds?|thousands?|millions?|billions?|half|twice|third|quarter|double|once|several|few)\b",
    re.IGNORECASE,
)
_HAS_NAME = re.compile(
    r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w&-]+|\b(?:team|company|users?|developers?|people|backend|model|client|engineers?)\b"
)
_KINDS = ((_YEAR, _HAS_YEAR, "the year"), (_AMOUNT, _HAS_AMOUNT, "the number"), (_WHO, _HAS_NAME, "who"))


def missing_part(question: str, retrieval: Retrieval, chosen: Sequence[Unit], lexical: LexicalIndex) -> str:
    """Return what the sources do not say, in words for the reader; empty when nothing seems to lack.

    A kind of fact that is asked for (a year, a number, a name) must stand in a chosen sentence that also
    shares one of the question's rarest words; borderline passages leave open the words they do not have.
    """
    sentences = [candidate for unit in chosen for candidate in unit.candidates]
    if lacking := _lacking_kind(question, sentences, lexical):
        return lacking
    if not retrieval.borderline:
        return ""
    missing = sorted(retrieval.missing_terms, key=lambda word: lexical.idf(stem(word.lower())), reverse=True)
    if missing:
        named = [word for word in content_words(question) if word in missing[:MOST_NAMED]]
        return "anything about " + ", ".join(f"“{word}”" for word in named)
    return "a direct answer; these are the nearest passages"


def _lacking_kind(question: str, sentences: Sequence[Candidate], lexical: LexicalIndex) -> str:
    known = [term for term in distinct(stems(question)) if lexical.frequency(term)]
    rarest = set(sorted(known, key=lexical.idf, reverse=True)[:SUBJECT_TERMS])
    for asks, has, name in _KINDS:
        if not asks.search(question):
            continue
        about = [c for c in sentences if not rarest or rarest & c.terms]
        if not any(has.search(candidate.text) for candidate in about):
            return name
        return ""
    return ""
