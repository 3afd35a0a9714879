"""Finds by code where an answer says the opposite of a source in nearly the same words.

Words that both texts share are aligned, negations left out. Where a stretch of them is long enough, the
negations and opposite words inside it are counted on both sides: an odd difference means that one denies
what the other says. Another number in the same place denies it, too. Only where the rest of both texts is
the same as well is that certain: "logging X is a breach" agrees with "never log X". A contradiction in quite
other words can't be seen this way; that is the model's part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from rag.text.polarity import NEGATIONS, OPPOSITES, numbers, spoken
from rag.text.words import STOP_WORDS, stem, words

GAP = 2
"""Other words that may stand between two shared ones of the same stretch."""
SHARED, SHARE = 2, 0.4
"""Content words that a stretch has at least, in number and as a share of the shorter text's."""
SAME_WORDING = 0.75
"""Share from which every single negation counts; below, whether there are any."""
REACH = 4
"""Words before a stretch from which a negation may reach into it: "no loss, duplication or errors"."""
AROUND, AROUND_JUDGEMENT = 2, 6
"""Words on either side of a stretch that are looked at for quiet denials, and for words that judge."""
OWN = 1
"""Content words that either text may have for itself, opposites and numbers apart, in the same wording."""

Opposition = Literal["", "likely", "certain"]
"""Whether a text denies another; certain only where nothing else differs."""

_SKIPPED = frozenset("a an the do does did it its s".split())
_QUIET = frozenset(
    stem(word)
    for word in """
    instead rather unlike unless until avoid prevent lack fail unable rarely seldom barely except lose lost
    few little keep miss missing gone remove removed remain outside against beyond stop hide
    otherwise forget forgot free zero complement exclude ignore reject refuse forbid too if
    """.split()
)
"""Words that may deny something without a negation: where only one side has one, nothing is decided."""
_JUDGING = frozenset(
    stem(word)
    for word in """
    breach myth illusion misconception fallacy impossible mistake mistaken wrong false untrue incorrect waste
    wasteful bad poor error problem reveal leak harmful dangerous risky pointless useless
    """.split()
)
"""Words that may deny all that a clause says: "it is a myth that", "is impossible"."""
_SUPPOSING = re.compile(r"(?:^|[.;:!?]\s+)\W*([^\W_]+ing)\b", re.IGNORECASE)
"""A clause that begins like "logging prompts" says what that does, not that one does it."""
_UN = ("un", "non", "dis")
_Block = tuple[int, int, int]
"""Where a run of shared words starts in either text, and its length."""


@dataclass(frozen=True, slots=True)
class _Word:
    stem: str
    content: bool
    quiet: bool
    judging: bool
    number: str
    """In digits; empty for other words."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The words of one text without its negations, and before which of them those stand."""

    words: tuple[_Word, ...]
    negations: tuple[int, ...]

    def denials(self, start: int, end: int) -> int:
        """Return how many negations stand in a stretch."""
        return sum(start <= place < end for place in self.negations)

    def quiet(self, start: int, end: int) -> int:
        """Return how many words in and around a stretch may deny something quietly."""
        return sum(word.quiet for word in self.words[max(0, start - AROUND) : end + AROUND]) + sum(
            word.judging for word in self.words[max(0, start - AROUND_JUDGEMENT) : end + AROUND_JUDGEMENT]
        )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words that two texts share in the same order."""

    shared: int
    share: float
    odd: bool
    decided: bool
    same_wording: bool
    stems: frozenset[str]


def contradicts(sentence: str, references: Sequence[str], others: Sequence[str] = ()) -> bool:
    """Tell whether a sentence seems to deny what one of the references says, or the other way round."""
    return bool(opposition(sentence, references, others))


def opposition(sentence: str, references: Sequence[str], others: Sequence[str] = ()) -> Opposition:
    """Return whether a sentence denies what one of the references says, or the other way round.

    A reference that agrees with the sentence on the same words, at least as closely, wins; so does one of
    `others`, which say what is right of something else.
    """
    stretches = [found for reference in references for found in _stretches(sentence, reference)]
    odd = [s for s in stretches if s.odd and s.decided and s.shared >= SHARED and s.share >= SHARE]
    if not odd:
        return ""
    closest = max(odd, key=lambda found: found.shared)
    stretches += [found for other in others for found in _stretches(sentence, other)]
    if any(
        not found.odd
        and found.shared >= closest.shared
        and 2 * len(found.stems & closest.stems) >= len(closest.stems)
        for found in stretches
    ):
        return ""
    return "certain" if any(found.same_wording for found in odd) else "likely"


def _stretches(left: str, right: str) -> list[_Stretch]:
    ours, its = _read(left), _read(right)
    shorter = max(1, min(sum(word.content for word in side.words) for side in (ours, its)))
    groups = _groups([word.stem for word in ours.words], [word.stem for word in its.words])
    same = _is_same_wording(ours.words, its.words, [block for blocks in groups for block in blocks])
    return [_stretch(ours, its, blocks, shorter, same) for blocks in groups]


def _is_same_wording(ours: Sequence[_Word], its: Sequence[_Word], blocks: Sequence[_Block]) -> bool:
    """Tell whether two texts share all content words but OWN, those that say the opposite apart."""
    mine = [ours[place] for place in _outside([(a, size) for a, _, size in blocks], len(ours))]
    other = [its[place] for place in _outside([(b, size) for _, b, size in blocks], len(its))]
    return all(
        sum(
            word.content and not word.number and not any(_opposite(word, against) for against in theirs)
            for word in own
        )
        <= OWN
        for own, theirs in ((mine, other), (other, mine))
    )


def _outside(runs: Sequence[tuple[int, int]], length: int) -> list[int]:
    inside = {place for start, size in runs for place in range(start, start + size)}
    return [place for place in range(length) if place not in inside]


def _stretch(ours: _Side, its: _Side, blocks: Sequence[_Block], shorter: int, same: bool) -> _Stretch:
    (a0, b0, _), (a1, b1, size) = blocks[0], blocks[-1]
    a1, b1 = a1 + size, b1 + size
    shared = sum(word.content for a, _, size in blocks for word in ours.words[a : a + size])
    inside = [
        (ours.words[a + size : next_a], its.words[b + size : next_b])
        for (a, b, size), (next_a, next_b, _) in pairwise(blocks)
    ]
    beside = [
        (ours.words[max(0, a0 - GAP) : a0], its.words[max(0, b0 - GAP) : b0]),
        (ours.words[a1 : a1 + GAP], its.words[b1 : b1 + GAP]),
    ]
    swapped = sum(_opposite(mine, other) for one, two in inside + beside for mine in one for other in two)
    our_denials, its_denials = ours.denials(a0, a1), its.denials(b0, b1)
    if shared >= SAME_WORDING * shorter:
        denied = (our_denials - its_denials) % 2 == 1
    else:  # "no loss and no errors" says what "no loss or errors" says
        denied = bool(our_denials) != bool(its_denials)
    reached = (its_denials and ours.denials(a0 - REACH, a0)) or (our_denials and its.denials(b0 - REACH, b0))
    return _Stretch(
        shared=shared,
        share=shared / shorter,
        odd=denied != (swapped % 2 == 1) or any(_other_number(*pair) for pair in inside),
        decided=ours.quiet(a0, a1) == its.quiet(b0, b1) and not reached,
        same_wording=same,
        stems=frozenset(word.stem for word in ours.words[a0:a1]),
    )


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


def _read(text: str) -> _Side:
    kept: list[_Word] = []
    negations: list[int] = []
    supposing = {found.lower() for found in _SUPPOSING.findall(text)}
    for word in words(spoken(text)):
        if word in NEGATIONS:
            negations.append(len(kept))
        elif word not in _SKIPPED:
            quiet = stem(word) in _QUIET or word.startswith(_UN) or word in supposing
            number = next(iter(numbers(word)), "")
            kept.append(_Word(stem(word), word not in STOP_WORDS, quiet, stem(word) in _JUDGING, number))
    return _Side(tuple(kept), tuple(negations))


def _opposite(one: _Word, other: _Word) -> bool:
    return any(
        (one.stem in left and other.stem in right) or (one.stem in right and other.stem in left)
        for left, right in OPPOSITES
    )


def _other_number(mine: Sequence[_Word], its: Sequence[_Word]) -> bool:
    """Tell whether another number stands in the place of one."""
    ours, theirs = ({word.number for word in part} - {""} for part in (mine, its))
    return bool(ours and theirs) and not ours & theirs
