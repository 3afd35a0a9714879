"""Reads from a question's wording what kind of answer it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text.words import distinct, stems

_COMPARISONS = (
    re.compile(r"\bdifferences?\s+between\s+(?P<a>.+?)\s+and\s+(?P<b>.+)", re.IGNORECASE),
    re.compile(
        r"\bcompar(?:e|ing|ison\s+of)\s+(?P<a>.+?)\s+(?:and|with|to|against)\s+(?P<b>.+)", re.IGNORECASE
    ),
    re.compile(
        r"\bhow\s+(?:does|do|is|are)\s+(?P<a>.+?)\s+(?:differ(?:ent)?|compare)\s+(?:from|to|with)\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:\b(?:choose|pick|prefer|use|decide|better|cheaper|faster)\b[^?]*?\bbetween\s+)(?P<a>.+?)\s+and\s+(?P<b>.+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<a>.+?)\s+(?:vs\.?|versus|rather\s+than|instead\s+of|over)\s+(?P<b>.+)", re.IGNORECASE),
    re.compile(
        r"\b(?:which|what|should|when)\b.*?[:,]\s*(?P<a>[\w\- ]{2,40}?)\s+or\s+(?P<b>[\w\- ]{2,40})",
        re.IGNORECASE,
    ),
)
_CODE = re.compile(
    r"\b(code|snippet|implement(?:ation)?|python example|write (?:a|the) (?:function|class|script)|syntax)\b",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"^\W*(?:what(?:'s|’s|\s+is|\s+are)\s+(?:a\s+|an\s+|the\s+)?+(?!difference|best|cost|main|trade|most|purpose)"
    r"(?P<subject>[\w][\w\s/-]{0,50}?)|(?:define|explain)\s+(?P<explained>[\w][\w\s/-]{0,50}?))"
    r"\s*(?:$|[?,.;:]|\band\b|\bor\b|\bin\b|\bfor\b|\bused\b|\bto\b|\bwith\b)",
    re.IGNORECASE,
)
_REASON = re.compile(r"\b(why|reason|purpose|motivation|benefit|advantage)", re.IGNORECASE)
_NUMBER = re.compile(
    r"\b(how\s+(?:many|much|long|large|big|often|fast|old|far)|what\s+(?:percentage|percent|number|size|share|year|date)"
    r"|which\s+year|when\s+(?:did|was|were))\b",
    re.IGNORECASE,
)
_BROAD = re.compile(
    r"^\W*(?:what(?:'s|’s|\s+is|\s+are)\s+(?!the\s+(?:name|number|size|title))|define\b|describe\b|explain\b"
    r"|how\b(?!\s+(?:many|much|long|old|far|large|big|often|tall|high)\b)|why\b|list\b|name\b|which\s+\w+s\b"
    r"|tell\b|give\b|when\s+(?:is|are|should|would|do|does|to|not)\b|should\b|walk\b)",
    re.IGNORECASE,
)
_SITUATION = re.compile(r"\b(?:we|our|my|i|us|somebody|someone|people|users?|customers?)\b", re.IGNORECASE)
_QUESTION_WORD = re.compile(
    r"^\W*(?:who|whom|whose|when|where|which|what|how|in|on|at|of|to)\b", re.IGNORECASE
)
_LIST = re.compile(
    r"\b(?:list|ways|methods|steps|kinds|types|levels|layers|reasons|rules|stages|phases|metrics|options|strategies"
    r"|patterns|components|parts|examples|mistakes|signs|what are|name)\b"
    r"|\bwhat (?:should|must|to)\b|\bwhen (?:is|are|not)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of sentences would answer a question."""

    sides: tuple[frozenset[str], frozenset[str]] | None = None
    """The stems of the two things to compare; None when the question compares nothing."""
    code: bool = False
    subject: frozenset[str] = frozenset()
    """The stems of what is to be defined; empty when no definition is asked for."""
    reason: bool = False
    number: bool = False
    several: bool = False
    """Whether a list would answer."""
    broad: bool = False
    """Whether one fact is not enough: a definition, a reason, a procedure, a comparison, a situation."""


def wanted(question: str) -> Wanted:
    """Return what `question` asks for, judged by its wording alone."""
    sides = _sides(question)
    return Wanted(
        sides=sides,
        code=bool(_CODE.search(question)),
        subject=_subject(question),
        reason=bool(_REASON.search(question)),
        number=bool(_NUMBER.search(question)),
        several=bool(_LIST.search(question)),
        broad=sides is not None
        or bool(_BROAD.search(question) or _SITUATION.search(question))
        or not _QUESTION_WORD.search(question),
    )


def _subject(question: str) -> frozenset[str]:
    found = _DEFINITION.search(question)
    return frozenset(stems(found["subject"] or found["explained"])) if found else frozenset()


def _sides(question: str) -> tuple[frozenset[str], frozenset[str]] | None:
    for pattern in _COMPARISONS:
        if found := pattern.search(question):
            # the nearest words to "and", "vs" name the sides; what is common to both tells nothing
            left, right = stems(found["a"])[-4:], stems(found["b"])[:4]
            a = frozenset(left) - frozenset(right)
            b = frozenset(right) - frozenset(left)
            if a and b:
                return frozenset(distinct(a)), frozenset(distinct(b))
    return None
