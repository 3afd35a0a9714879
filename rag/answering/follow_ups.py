"""Makes a follow-up question stand alone without a model, by what the earlier questions named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.conversation import small_talk
from rag.answering.references import (
    CONTINUES,
    FILLER,
    INCOMPLETE,
    JOINING,
    MEASURES,
    WORD,
    lower_words,
    names_alternatives,
    reference_in,
    stands_alone,
    words_of,
)
from rag.text.words import STOP_WORDS
from rag.types import Turn

_MOST_CARRIED = 4
_PERSONS = frozenset("i we you".split())
_FEW = 2
"""How much is carried over where one thing is meant."""
_KEPT = frozenset(
    "approach approaches case idea method methods solution strategy technique thing way".split()
)
"""Nouns that stay where they are in "that approach"."""


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a question leaves behind for the next one."""

    standalone: str
    frame: str
    """The last whole question, which a fragment such as "and IVF?" is put behind."""
    subjects: tuple[str, ...]
    """What was talked about, the centre of attention first."""


def condense_offline(question: str, history: Sequence[Turn]) -> str:
    """Return `question` with what it refers to filled in from `history`; unchanged when it stands alone."""
    topics: list[_Topic] = []
    for turn in history:
        if small_talk(turn.question) is None:
            topics.append(_followed(turn.question, topics))
    return _followed(question, topics).standalone


def _followed(question: str, topics: Sequence[_Topic]) -> _Topic:
    own = _subjects(question)
    if not topics or stands_alone(question):
        return _Topic(question, question, own)
    last = topics[-1]
    reference = reference_in(question)
    if names_alternatives(question):
        named = last.subjects
        if len(_things(named)) < 2 and len(topics) > 1:
            named = (*topics[-2].subjects, *named)
        return _carrying(question, _distinct(_things(named)), own)
    if reference:
        subjects = last.subjects or next((t.subjects for t in reversed(topics) if t.subjects), ())
        if not subjects:
            return _Topic(question, question, own)
        referent = _referent(reference.group().lower(), subjects)
        others = [phrase for phrase in subjects if phrase != referent]
        return _carrying(_replaced(question, reference, referent), others[:_FEW], own, centre=referent)
    if CONTINUES.match(question) and _things(own):
        frame = f"{last.frame.strip()} {question.strip()}"
        return _Topic(frame, last.frame, _distinct((*own, *last.subjects)))
    if any(word.lower() in INCOMPLETE | MEASURES for word in words_of(question)) or _things(own):
        return _carrying(question, last.subjects[:_FEW], own)
    return _Topic(f"{last.frame.strip()} {question.strip()}", last.frame, last.subjects)


def _carrying(question: str, subjects: Sequence[str], own: Sequence[str], *, centre: str = "") -> _Topic:
    """Return the topic of `question` with those `subjects` in brackets behind it that it does not name."""
    said = {word.lower() for word in words_of(question)}
    says_something = bool(said - lower_words(centre) - FILLER - INCOMPLETE - STOP_WORDS)
    missing = [
        _bare(phrase)
        for phrase in subjects
        if not lower_words(_bare(phrase)) <= said and not (says_something and phrase.lower() in MEASURES)
    ]
    after = (centre, *subjects, *own) if centre else (*subjects, *own)
    if missing:
        stem = question.rstrip(" ?.!")
        question = f"{stem} ({', '.join(missing[:_MOST_CARRIED])}){question[len(stem) :].strip()}"
    return _Topic(question, question, _distinct(after))


def _subjects(text: str) -> tuple[str, ...]:
    """Return the phrases of a question that name things, in order, with their article; verbs come last."""
    phrases: list[str] = []
    verbs: list[str] = []
    start = end = -1
    article: re.Match[str] | None = None
    last = ""
    for word in WORD.finditer(text):
        lower = word.group().lower()
        if start >= 0 and re.search(r"[?!;:(),]|\.\s", text[end : word.start()]):
            start = -1
        if lower in MEASURES:
            phrases.append(word.group())
            start = -1
        elif lower in INCOMPLETE and start >= 0 and end + 1 == word.start():
            end = word.end()  # "rate limits"
            phrases[-1] = text[start:end]
        elif lower in FILLER | INCOMPLETE or (lower in STOP_WORDS and lower not in JOINING):
            start = -1
        elif last in _PERSONS:
            verbs.append(word.group())  # "how do you store"
            start = -1
        elif lower not in JOINING and start >= 0:
            end = word.end()
            phrases[-1] = text[start:end]
        elif lower not in JOINING:
            start = article.start() if article and article.end() + 1 == word.start() else word.start()
            end = word.end()
            phrases.append(text[start:end])
        last = lower
        article = word if lower in ("a", "an", "the") else None
    parts = [part for phrase in phrases for part in re.split(r"\s+(?:and|or|vs\.?|versus)\s+", phrase)]
    return _distinct((*parts, *verbs))


def _things(phrases: Sequence[str]) -> list[str]:
    return [phrase for phrase in phrases if phrase.lower() not in MEASURES]


def _distinct(phrases: Sequence[str]) -> tuple[str, ...]:
    first = {_bare(phrase).lower(): phrase for phrase in reversed(phrases)}
    return tuple(first.values())[::-1][:_MOST_CARRIED]


def _bare(phrase: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", phrase, flags=re.IGNORECASE)


def _referent(pronoun: str, phrases: Sequence[str]) -> str:
    """Return what a pronoun most likely stands for: the main subject, for plurals one in the plural."""
    named = _things(phrases) or list(phrases)
    if pronoun in ("they", "them", "their", "theirs", "these", "those"):
        plural = [phrase for phrase in named if re.search(r"[^s]s$", phrase)]
        return (plural or named)[0]
    return named[0]


def _replaced(question: str, reference: re.Match[str], phrase: str) -> str:
    pronoun = reference.group().lower()
    rest = question[reference.end() :]
    following = WORD.match(rest.lstrip())
    if pronoun in ("this", "that", "these", "those") and following:
        noun = following.group().lower()
        if noun in _KEPT or noun not in STOP_WORDS | FILLER:
            stem = question.rstrip(" ?.!")
            return (
                f"{stem} ({_bare(phrase)}){question[len(stem) :].strip()}"  # "that approach" keeps its noun
            )
    if pronoun in ("its", "their", "theirs"):
        phrase += "’" if phrase.endswith("s") else "’s"
    return question[: reference.start()] + phrase + rest
