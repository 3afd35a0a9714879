"""Tells sentences from lists of keywords, by the little words that hold English sentences together.

A grader that looks for the words of a rubric gives full marks to those words in any order. What such a dump
lacks is structure: it strings content words together without "the", "of" or "is", or has them where no
sentence has them ("the of", "a and", "and." at the end).
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag.text.words import STOP_WORDS

LONGEST_RUN = 12
"""Content words in one run without a little word or a comma; sentences of the bank have at most 10."""
LIST_ITEMS, ITEMS_OF_ONE_WORD = 8, 0.7
"""From so many items, of which such a share is one word long, a list names keywords and says nothing."""
FEWEST_LITTLE, SHORT = 0.08, 15
"""Share of little words that a text of at least SHORT words has."""
MISPLACED_IN_SENTENCE, BREATHLESS = 2, 45
"""Impossible pairs of words in a sentence; one is enough in so many words without a comma."""
MISPLACED_IN_ANSWER, MISPLACED_SHARE = 3, 0.025
"""From so many impossible pairs of words, and such a share of all, the words of an answer are shuffled."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_BREAK = re.compile(r"[,;:.!?()\n•|]+|\s[-–—]\s")  # dashes as they are typed
_LITTLE = STOP_WORDS | frozenset(
    "one two every although though because via per still even already yet".split()
)
_CLASSES = {
    "article": "a an the every its their our your my",
    "of": "of from at into among",
    "with": "in on by for with to without",
    "and": "and or but nor",
    "can": "can could should will would must may might",
    "is": "is are was were be been has have had does do did",
}
_CLASS_OF = {word: name for name, group in _CLASSES.items() for word in group.split()}
_IMPOSSIBLE = frozenset(
    (left, right)
    for left, rights in (
        ("article", "article of with and is can end"),
        ("of", "of and is can end"),
        ("with", "can of"),
        ("and", "and end"),
        ("can", "can article of"),
        ("is", "can and"),
    )
    for right in rights.split()
)


def is_list_of_words(text: str) -> bool:
    """Tell whether a sentence of an answer is no sentence but words in a row or in a list."""
    parts = [part for part in (_WORD.findall(part) for part in _BREAK.split(text)) if part]
    count = sum(map(len, parts))
    little = sum(_is_little(word) for part in parts for word in part)
    wrong, _ = misplaced(text)
    if wrong >= MISPLACED_IN_SENTENCE or (wrong and max(map(len, parts)) >= BREATHLESS):
        return True
    if any(_longest_run(part) >= LONGEST_RUN for part in parts):
        return True
    if count >= SHORT and little < FEWEST_LITTLE * count:
        return True
    single = sum(len(part) == 1 for part in parts)
    return len(parts) >= LIST_ITEMS and single >= ITEMS_OF_ONE_WORD * len(parts)


def is_shuffled(answer: str) -> bool:
    """Tell whether the words of a whole answer stand in no order."""
    found, pairs = misplaced(answer)
    return found >= MISPLACED_IN_ANSWER and found >= MISPLACED_SHARE * pairs


def misplaced(text: str) -> tuple[int, int]:
    """Return how many pairs of neighbours no English sentence has, and how many pairs there are."""
    found = pairs = 0
    for part in _BREAK.split(text):
        classes = [_CLASS_OF.get(word.lower(), "") for word in _WORD.findall(part)]
        for pair in pairwise([*classes, "end"]):
            pairs += 1
            found += pair in _IMPOSSIBLE
    return found, pairs


def _longest_run(part: list[str]) -> int:
    longest = run = 0
    for word in part:
        run = 0 if _is_little(word) else run + 1
        longest = max(longest, run)
    return longest


def _is_little(word: str) -> bool:
    return word.lower() in _LITTLE or word.lower().split("'")[0] in _LITTLE
