"""The gates one question must pass, checked by code alone: form, tells, real quotes. No model judges form.

The rules follow the item-writing flaws that rule-based checks find better than a model does (Moore et al.,
EC-TEL 2023, arXiv 2307.08161) and the cues of the NBME item-writing guide. A gate gives the reason why an
item fails it, or nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from statistics import median

from rag.quiz.bank import leading_numbers
from rag.text.words import stems, words


@dataclass(frozen=True, slots=True)
class Item:
    """A multiple-choice question as it is shown, with what is known of its evidence."""

    id: str
    question: str
    options: tuple[str, ...]
    """In the order in which they are shown."""
    correct: int
    """Index of the key in `options`."""
    passage: str = ""
    """The part of the source that the item rests on; empty when it is not known."""
    quote: str = ""
    """What is said to stand in the passage; empty when nothing is quoted."""
    whys: tuple[str, ...] = ()
    """For each option why it is right or wrong; empty when there is one explanation or none."""
    explanation: str = ""
    """Why the key is right, where the item does not explain each option."""
    topic: str = ""
    level: str = ""
    source: str = ""
    """Names the passage, so that items on the same one can be counted; empty when it is not known."""

    @property
    def key(self) -> str:
        """The right option."""
        return self.options[self.correct]

    @property
    def distractors(self) -> tuple[str, ...]:
        """The wrong options."""
        return tuple(text for place, text in enumerate(self.options) if place != self.correct)


@dataclass(frozen=True, slots=True)
class Failure:
    """A gate that an item did not pass, and why."""

    gate: str
    reason: str


KEY_TO_MEDIAN, KEY_TO_SECOND, SLACK = 1.3, 1.15, 4
"""The key has at most so many times the characters of the median distractor and of the longest one; up to
SLACK characters more show in no list of options."""
LONGEST_OPTION = 160
VERBATIM_KEY, VERBATIM_DISTRACTOR, TERM = 0.6, 0.8, 25
"""Share of an option that may stand in the passage in one run; below TERM characters it is a term."""
ABSOLUTES = frozenset("always never only none completely entirely guarantee guarantees impossible".split())

_ALL_OF_THEM = re.compile(r"\b(?:all|none|both|neither) of (?:the )?(?:above|these|them|others)\b", re.I)
_SOURCE = r"(?:text|passage|document|source|article|excerpt|section|paragraph|author|lesson)s?"
_SOURCE_TALK = re.compile(
    rf"\b(?:the|this) {_SOURCE} (?:above|below|states?|says?|mentions?|describes?|recommends?|lists?|gives?|"
    rf"explains?|claims?|suggests?|calls?)\b"
    rf"|\b(?:stated|mentioned|described|given|listed|shown|discussed) "
    rf"(?:above|below|(?:in|by) (?:the|this) {_SOURCE})\b"
    rf"|\baccording to (?:the|this) {_SOURCE}\b|\b(?:above|following) {_SOURCE}\b"
    rf"|\bin (?:the|this) {_SOURCE}\s*(?:[,?.]|above|below|$)|^\W*in (?:the|this) {_SOURCE}\b",
    re.I,
)
_UNRESOLVED = re.compile(
    r"^\W*(?:it|its|they|their|these|those|he|she)\b|^\W*(?:this|that) (?:is|was|does)\b", re.I
)
_TRICK_NEGATION = re.compile(
    r"\b(?:which|what)\b(?:(?!\b(?:when|if|because|that|although|while|so|but)\b)[^?.,;]){0,60}?"
    r"\b(?:(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?: not|n['’]t)|except|"
    r"(?:is|are) (?:false|incorrect|wrong|untrue))\b|\ball of (?:the following|these)\b.{0,40}\bexcept\b",
    re.I,
)
_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("ends with a full stop", lambda text: text.endswith(".")),
    ("starts with a capital letter", lambda text: text[:1].isupper() and not text[:2].isupper()),
    (
        "starts with an -ing word",
        lambda text: text.split()[0].lower().endswith("ing") if text.split() else False,
    ),
    ("holds a digit", lambda text: any(map(str.isdigit, text))),
    ("holds a bracket", lambda text: "(" in text),
    ("holds code", lambda text: "`" in text),
    ("holds a quotation mark", lambda text: any(mark in text for mark in '"“”')),
)


def failures(item: Item) -> list[Failure]:
    """Return the gates that a well-formed item fails, each once, with the first reason."""
    return [
        Failure(gate, reason)
        for gate, test in GATES.items()
        if (reason := next(iter(test(item)), None)) is not None
    ]


def plain(text: str) -> str:
    """Return text as quotes are compared: Unicode NFKC, straight quotation marks, single spaces."""
    text = unicodedata.normalize("NFKC", text).translate(_STRAIGHT)
    return re.sub(r"\s+", " ", text).strip()


_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})


def is_quoted(quote: str, source: str) -> bool:
    """Tell whether a quotation stands in the source word for word."""
    return bool(plain(quote)) and plain(quote) in plain(source)


def _quote(item: Item) -> Iterator[str]:
    if item.quote and not is_quoted(item.quote, item.passage):
        yield "the quote does not stand in the source"


def _distinct(item: Item) -> Iterator[str]:
    seen: set[str] = set()
    for option in item.options:
        alike = plain(option).lower().rstrip(".")
        if alike in seen:
            yield f"two options say the same: {option!r}"
        seen.add(alike)


def _length(item: Item) -> Iterator[str]:
    key, others = len(item.key), sorted(map(len, item.distractors))
    if key > KEY_TO_MEDIAN * median(others) and key > median(others) + SLACK:
        yield f"the key has {key} characters, the median distractor {median(others):g}"
    elif key > KEY_TO_SECOND * others[-1] and key > others[-1] + SLACK:
        yield f"the key has {key} characters, the next longest option {others[-1]}"
    longest = max(map(len, item.options))
    if longest > LONGEST_OPTION:
        yield f"an option has {longest} characters, more than {LONGEST_OPTION}"


def _repeated_word(item: Item) -> Iterator[str]:
    """A word of the stem in the key alone points at it, unless another option is pointed at as well."""
    stem = set(stems(item.question))
    shared = [stem & set(stems(option)) for option in item.options]
    of_key = shared[item.correct]
    of_others = [found for place, found in enumerate(shared) if place != item.correct]
    alone = of_key - set().union(*of_others)
    if alone and not any(found - of_key for found in of_others):
        yield f"the key alone repeats the question's {min(alone)!r}"


def _absolutes(item: Item) -> Iterator[str]:
    if ABSOLUTES & set(words(item.key)):
        return
    for option in item.distractors:
        if found := ABSOLUTES & set(words(option)):
            yield f"{min(found)!r} stands in a distractor and not in the key"


def _odd_form(item: Item) -> Iterator[str]:
    for name, has in _FORMS:
        of_key, of_others = has(item.key), [has(option) for option in item.distractors]
        if all(other is not of_key for other in of_others):
            yield f"the key alone {name}" if of_key else f"every option but the key {name}"


def _all_of_them(item: Item) -> Iterator[str]:
    if any(_ALL_OF_THEM.search(option) for option in item.options):
        yield "an option speaks of the other options"


def _number_order(item: Item) -> Iterator[str]:
    numbers = leading_numbers(item.options)
    if numbers and numbers not in (sorted(numbers), sorted(numbers, reverse=True)):
        yield "the numbers are not in order"


def _self_contained(item: Item) -> Iterator[str]:
    yield from stem_faults(item.question)


def stem_faults(question: str) -> Iterator[str]:
    """Yield why a question, open or not, can't be understood without its source."""
    if found := _SOURCE_TALK.search(question):
        yield f"the question speaks of its source: {found.group()!r}"
    if _UNRESOLVED.search(question):
        yield "the question starts with a word that refers to nothing"
    if not stems(question):
        yield "the question names no subject"


def _negation(item: Item) -> Iterator[str]:
    if (found := _TRICK_NEGATION.search(item.question)) and not re.search(
        r"\b(?:NOT|EXCEPT)\b", item.question
    ):
        yield f"the question asks for what is wrong: {found.group()!r}"


def _verbatim(item: Item) -> Iterator[str]:
    """Copied words can be matched without being understood; a copied distractor is probably true."""
    if not item.passage:
        return
    for place, option in enumerate(item.options):
        most = VERBATIM_KEY if place == item.correct else VERBATIM_DISTRACTOR
        if len(option) >= TERM and _copied(option, item.passage) >= most:
            yield f"{'the key' if place == item.correct else 'a distractor'} is copied: {option!r}"
    if len(item.question) >= TERM and _copied(item.question, item.passage) >= VERBATIM_KEY:
        yield "the question is copied from the source"


def _copied(text: str, source: str) -> float:
    """Return the share of `text` that the longest common run with the source has, 0 to 1."""
    short, long = plain(text).lower(), plain(source).lower()
    match = SequenceMatcher(None, long, short, autojunk=False).find_longest_match()
    return match.size / len(short)


def _explanation(item: Item) -> Iterator[str]:
    if item.whys:
        if len(item.whys) != len(item.options) or not all(why.strip() for why in item.whys):
            yield "an option has no explanation"
        elif len({plain(why).lower() for why in item.whys}) < len(item.whys):
            yield "two options have the same explanation"
        elif stems(item.key) and not share_in(item.key, f"{item.whys[item.correct]} {item.quote}"):
            yield "the explanation of the key does not name it"
    elif item.explanation and (rival := _better_named(item.explanation, item)):
        yield f"the explanation speaks of {rival!r} rather than of the key"


def _better_named(explanation: str, item: Item) -> str | None:
    """Return a distractor of which the explanation has all words while it lacks most of the key's."""
    covers = [share_in(option, explanation) for option in item.options]
    best = max(range(len(covers)), key=lambda place: covers[place])
    return item.options[best] if covers[best] > covers[item.correct] + 0.5 else None


def share_in(option: str, text: str) -> float:
    """Return the share of an option's distinct stems that stand in `text`, 0 to 1."""
    wanted = set(stems(option))
    return len(wanted & set(stems(text))) / len(wanted) if wanted else 0.0


GATES: Mapping[str, Callable[[Item], Iterator[str]]] = {
    "quote": _quote,
    "distinct_options": _distinct,
    "length": _length,
    "repeated_word": _repeated_word,
    "absolutes": _absolutes,
    "odd_form": _odd_form,
    "all_of_them": _all_of_them,
    "number_order": _number_order,
    "self_contained": _self_contained,
    "negation": _negation,
    "verbatim": _verbatim,
    "explanation": _explanation,
}
