"""Computes what verdicts are worth. No model ever gives a number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.quiz_types import PointVerdict, VerdictName

WORTH: Mapping[VerdictName, float] = {"met": 1.0, "partial": 0.5, "missing": 0.0, "contradicted": 0.0}
CAP = 0.5
"""What an answer scores at most that contradicts a source anywhere."""
FEWEST_WORDS = 5
"""An answer of fewer words is none."""
NOT_ANSWERED = "There is no answer to grade yet."

_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W_]+(?:['’-][^\W_]+)*")
_NO_ANSWER = re.compile(
    r"\W*(?:(?:sorry|well|hm+|unfortunately)\W+)*"
    r"(?:i (?:really |honestly )?(?:do not|don['’]?t|have no) (?:know|remember|idea|recall|clue)"
    r"|no (?:idea|answer|clue|response|submission)|not sure|(?:i )?(?:skip|pass)|n/?a|none)"
    r"(?:[ ,.]+(?:the|this|an?|it|about|of|answer|question|one|here|sorry|at all|to|that))*\W*",
    re.IGNORECASE,
)


def is_answered(answer: str) -> bool:
    """Tell whether a text is an answer: five words or more that do not just say "I don't know"."""
    return len(_WORD.findall(answer)) >= FEWEST_WORDS and not _NO_ANSWER.fullmatch(answer)


def score(verdicts: Sequence[PointVerdict]) -> float:
    """Return the weighted share of the points that are met, 0 to 1; a partial one counts half.

    A single contradiction caps it at CAP. Without points, or with weights of zero alone, it is 0.
    """
    whole = sum(verdict.weight for verdict in verdicts)
    if whole <= 0:
        return 0.0
    share = sum(verdict.weight * WORTH[verdict.verdict] for verdict in verdicts) / whole
    capped = any(verdict.verdict == "contradicted" for verdict in verdicts)
    return round(min(share, CAP) if capped else share, 4)
