"""Finds by code where an answer says the opposite of a source in nearly the same words.

Words that both texts share are aligned, negations left out. Where a stretch of them is long enough, the
negations and opposite words inside it are counted on both sides: an odd difference means that one denies
what the other says. Another number in the same place denies it, too. A contradiction in quite other words
can't be seen this way; that is the model's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from rag.text.polarity import NEGATIONS, OPPOSITES, numbers, spoken
from rag.text.words import STOP_WORDS, stem, words

GAP = 2
"""Other words that may stand between two shared ones of the same stretch."""
SHARED, SHARE = 2, 0.4
"""Content words that a stretch has at least, in number and as a share of the shorter text's."""
AROUND = 2
"""Words on either side of a stretch that are looked at for quiet denials."""

_SKIPPED = frozenset("a an the do does did it its s".split())
_QUIET = frozenset(
    stem(word)
    for word in """
    instead rather unlike unless until avoid prevent lack fail unable rarely seldom barely except lose lost
    less few fewer little keep miss missing gone remove removed remain outside against beyond stop hide
    otherwise forget forgot free zero complement exclude ignore reject refuse forbid too
    """.split()
)
"""Words that may deny something without a negation: where only one side has one, nothing is decided."""
_UN = ("un", "non", "dis")
_Block = tuple[int, int, int]
"""Where a run of shared words starts in either text, and its length."""


@dataclass(frozen=True, slots=True)
class _Word:
    stem: str
    content: bool
    quiet: bool
    number: str
    """In digits; empty for other words."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words that two texts share in the same order."""

    shared: int
    share: float
    odd: bool
    decided: bool
    stems: frozenset[str]


def contradicts(sentence: str, references: Sequence[str]) -> bool:
    """Tell whether a sentence denies what one of the references says, or the other way round.

    A reference that agrees with the sentence on the same words, at least as closely, wins.
    """
    stretches = [found for reference in references for found in _stretches(sentence, reference)]
    odd = [s for s in stretches if s.odd and s.decided and s.shared >= SHARED and s.share >= SHARE]
    if not odd:
        return False
    closest = max(odd, key=lambda found: found.shared)
    return not any(
        not found.odd
        and found.shared >= closest.shared
        and 2 * len(found.stems & closest.stems) >= len(closest.stems)
        for found in stretches
    )


def _stretches(left: str, right: str) -> list[_Stretch]:
    ours, our_negations = _read(left)
    theirs, their_negations = _read(right)
    shorter = max(1, min(sum(w.content for w in ours), sum(w.content for w in theirs)))
    found = []
    for group in _groups([w.stem for w in ours], [w.stem for w in theirs]):
        (a0, b0, _), (a1, b1, size) = group[0], group[-1]
        a1, b1 = a1 + size, b1 + size
        shared = sum(ours[k].content for a, _, size in group for k in range(a, a + size))
        inside = [
            (ours[a + size : next_a], theirs[b + size : next_b])
            for (a, b, size), (next_a, next_b, _) in pairwise(group)
        ]
        beside = [
            (ours[max(0, a0 - GAP) : a0], theirs[max(0, b0 - GAP) : b0]),
            (ours[a1 : a1 + GAP], theirs[b1 : b1 + GAP]),
        ]
        denied = any(a0 <= place < a1 for place in our_negations)
        its_denied = any(b0 <= place < b1 for place in their_negations)
        swapped = sum(
            _opposite(one.stem, other.stem) for mine, its in inside + beside for one in mine for other in its
        )
        odd = (denied != its_denied) != (swapped % 2 == 1) or any(
            _other_number(mine, its) for mine, its in inside
        )
        quiet = _quiet(ours[max(0, a0 - AROUND) : a1 + AROUND])
        decided = quiet == _quiet(theirs[max(0, b0 - AROUND) : b1 + AROUND])
        stems = frozenset(w.stem for w in ours[a0:a1])
        found.append(_Stretch(shared, shared / shorter, odd, decided, stems))
    return found


def _groups(left: Sequence[str], right: Sequence[str]) -> list[list[_Block]]:
    """Return the runs of stems that both have in the same order, those of one stretch together."""
    groups: list[list[_Block]] = []
    for a, b, size in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        if groups and size:
            last_a, last_b, last_size = groups[-1][-1]
            if max(a - last_a, b - last_b) - last_size <= GAP:
                groups[-1].append((a, b, size))
                continue
        if size:
            groups.append([(a, b, size)])
    return groups


def _read(text: str) -> tuple[list[_Word], list[int]]:
    """Return the words of a text without its negations, and before which of them those stand."""
    kept: list[_Word] = []
    negations: list[int] = []
    for word in words(spoken(text)):
        if word in NEGATIONS:
            negations.append(len(kept))
        elif word not in _SKIPPED:
            quiet = stem(word) in _QUIET or word.startswith(_UN)
            kept.append(_Word(stem(word), word not in STOP_WORDS, quiet, next(iter(numbers(word)), "")))
    return kept, negations


def _quiet(stretch: Sequence[_Word]) -> int:
    return sum(word.quiet for word in stretch)


def _opposite(left: str, right: str) -> bool:
    return any((left in a and right in b) or (left in b and right in a) for a, b in OPPOSITES)


def _other_number(mine: Sequence[_Word], its: Sequence[_Word]) -> bool:
    """Tell whether another number stands in the place of one."""
    ours, theirs = ({word.number for word in part} - {""} for part in (mine, its))
    return bool(ours and theirs) and not ours & theirs
