"""Finds where sentences end within a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_CLOSERS = r"""(?:["'”’»)\]}*_~`]|\[\^?\w{1,20}\]|\]\([^()\s]{0,500}\)|</\w{1,20}>)*+"""
_STOP = re.compile(
    rf"(?<![.!?…])[.!?…]++{_CLOSERS}(?=\s)|[。！？｡।؟]++[」』”’）】)\]\"]*+",
)
_WHOLE = re.compile(  # what no sentence ends inside: code, links, images, addresses, brackets
    r"(?<!`)(`++).{1,500}?(?<!`)\1(?!`)"
    r"|!?\[[^\[\]]{0,300}\]\([^()\s]{0,500}(?:\s\"[^\"]{0,200}\")?\)"
    r"|<[^<>\s][^<>]{0,500}>"
    r"|\([^()]{0,250}\)",
    re.DOTALL,
)
_OPENERS = "\"'“‘«([{*_~"
_WORD = re.compile(r"[^\W_]+")
_IDENTIFIER = re.compile(r"[a-z]\w*(?:[A-Z_]|[.(]\w)")

_NEVER_FINAL = frozenset(
    """approx ca capt cf col dr e.g eg fig figs gen gov hon i.e ie incl lt messrs mr mrs ms mt
    prof rep resp rev sen sgt viz vs""".split()
)
"""Abbreviations that something always follows."""

_BEFORE_NUMBER = frozenset(
    """apr art aug ch chap dec eq eqs ex feb jan jul jun mar no nos nov nr oct p para pp pt ref
    refs sec sect sep sept tab ver vol""".split()
)
"""Abbreviations when a number follows: "No. 5", "pp. 3-7", "Jan. 31"."""

_SOMETIMES_FINAL = frozenset("al bros co corp dept est inc jr llc ltd ph.d plc sr st univ".split())
"""Abbreviations that end a sentence only when a word that often starts one follows."""

_DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_]{1,2})*")
"""Initials and dotted abbreviations, without the last stop: J, U.S, a.m, Ph.D."""

_STARTERS = frozenset(
    """a about according after all also although an and another any are as at because before
    between both but by can consider does during each even every few finally first for from
    furthermore given he her here his how however i if in instead is it its later many
    meanwhile most moreover nevertheless next no not note now of on once one only or other
    our over second several she since so some such that the their then there therefore these
    they this those though through thus to today under unlike until use using we what when
    where whether which while who why with without yes you your""".split()
)
"""Words that often start a sentence."""


def row_cuts(paragraph: str) -> Iterator[int]:
    """Yield the line ends between rows of cells, as in tables that lack a delimiter row."""
    position = 0
    for line, below in pairwise(paragraph.split("\n")):
        position += len(line) + 1
        if " | " in line and " | " in below:
            yield position


def stops(paragraph: str, lower_case: bool) -> Iterator[int]:
    """Yield where sentences end within `paragraph`."""
    whole = [match.span() for match in _WHOLE.finditer(paragraph)]
    next_whole = 0
    sentence_start = 0
    for stop in _STOP.finditer(paragraph):
        end = stop.end()
        while next_whole < len(whole) and whole[next_whole][1] < end:
            next_whole += 1
        if next_whole < len(whole) and whole[next_whole][0] < end < whole[next_whole][1]:
            continue
        if _ends_sentence(paragraph, stop, sentence_start, lower_case):
            sentence_start = end
            yield end


def _ends_sentence(paragraph: str, stop: re.Match[str], sentence_start: int, lower_case: bool) -> bool:
    signs = stop.group()
    if signs[0] in "。！？｡।؟":
        return True
    following = paragraph[stop.end() : stop.end() + 80].lstrip()
    starts_with_code = following.startswith("`")
    following = following.lstrip(_OPENERS + "`")
    if not following or following[0] in ",;:)]}|":
        return False
    goes_on = following[0].islower() and not lower_case and not starts_with_code
    if "?" in signs or "!" in signs:
        return not goes_on
    if goes_on and not _IDENTIFIER.match(following):
        return False
    if ".." in signs or "…" in signs:
        return not following[0].islower()
    return _full_stop_ends(paragraph, stop.start(), sentence_start, following)


def _full_stop_ends(paragraph: str, stop: int, sentence_start: int, following: str) -> bool:
    """Tell whether the word before a full stop lets it end the sentence, rather than abbreviate."""
    before = paragraph[max(sentence_start, stop - 40) : stop]
    word = before.split()[-1] if before.strip() and not before[-1].isspace() else ""
    word = word.lstrip(_OPENERS + "-–—/")
    abbreviation = word.lower()
    is_first = before[: len(before) - len(word)].strip(_OPENERS + " \t\n") == ""
    starts_here = stop - sentence_start <= len(before)
    if is_first and starts_here and (word.isdecimal() or len(word) == 1):
        return False  # a number or letter in front of a paragraph: "14. Debt"
    if abbreviation in _NEVER_FINAL:
        return False
    if abbreviation in _BEFORE_NUMBER:
        return not following[0].isdecimal()
    if abbreviation in _SOMETIMES_FINAL or (_DOTTED.fullmatch(word) and word != "I"):
        next_word = _WORD.match(following)
        return next_word is not None and next_word.group().lower() in _STARTERS
    return True
