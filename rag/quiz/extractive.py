"""Makes multiple-choice questions without a model: a term is blanked out of the sentence that defines it.

The key is right by construction: it stood there. The distractors are other terms that the library defines,
which the sentence does not hold and whose own definitions mean something else. Of the gates of form all apply
but two: the question is a copy of its source on purpose ("verbatim"), and its quote is the sentence itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rag.quiz.bank import shown_order
from rag.quiz.definitions import Definition, definitions, same_term, shown
from rag.quiz.form_gates import Item, failures
from rag.quiz.validation import Embed
from rag.quiz_types import AskedQuestion, Evidence
from rag.text.words import stems
from rag.types import Document

CHECKS = ("by_construction", "form", "quote")
SAME_MEANING = 0.6
"""Cosine of two definitions from which one may fit the other's term as well."""
NAMED_MEANING = 0.5
"""The same for a definition and a term alone: the sentence may well be about that, too."""
CANDIDATES = 9
"""Distractors that are tried in threes, nearest in meaning first, until the form gives nothing away."""
_REUSED, _SAME_FIELD = 0.03, 0.15
"""In cosine: what every earlier use of a distractor costs it, and what the key's own topic is worth."""


@dataclass(frozen=True, slots=True)
class Made:
    """The questions on some documents, and what became of their other definitions."""

    questions: tuple[AskedQuestion, ...]
    dropped: dict[str, int]
    """known (the term is asked for already), distractors (fewer than three fit), or the gate of form that no
    choice of distractors passes."""


def extractive_items(
    documents: Sequence[Document],
    others: Sequence[Document],
    embed: Embed,
    *,
    owner: str = "",
    asked: Collection[str] = (),
) -> Made:
    """Return one question for each term that `documents` define, in reading order.

    Distractors come from `documents` and `others`; `asked` are terms that need no question. The ids hold for
    one owner: the same sentences give the same questions again.
    """
    terms: dict[str, Definition] = {}
    for document in documents:
        for definition in definitions(document):
            terms.setdefault(same_term(definition.term), definition)
    wanted = len(terms)
    for document in others:
        for definition in definitions(document):
            terms.setdefault(same_term(definition.term), definition)
    known = list(terms.values())
    if not wanted:
        return Made((), {})
    vectors = embed([text for one in known for text in (one.blanked, one.term)])
    sentences, names = vectors[0::2], vectors[1::2]
    done = set(map(same_term, asked))
    found: list[AskedQuestion] = []
    dropped: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for key, meaning in zip(known[:wanted], sentences, strict=False):
        if same_term(key.term) in done:
            dropped["known"] += 1
            continue
        three, gate = _chosen(key, _candidates(key, known, sentences @ meaning, names @ meaning, used))
        if gate:
            dropped[gate] += 1
            continue
        used.update(one.term for one in three)
        found.append(_question(key, three, owner))
    return Made(tuple(found), dict(dropped))


def terms_asked_for(questions: Sequence[AskedQuestion]) -> list[str]:
    """Return the keys of such questions: their terms."""
    return [one.options[one.answer] for one in questions if one.answer is not None]


def _candidates(
    key: Definition,
    known: Sequence[Definition],
    meaning: NDArray[np.float32],
    naming: NDArray[np.float32],
    used: Counter[str],
) -> list[Definition]:
    """Return the terms that may stand beside the key, nearest in meaning first.

    meaning, naming: cosines, shape (len(known),), of the key's sentence with each definition and each term.
    """
    fitting = [
        (
            float(meaning[place])
            - _REUSED * used[other.term]
            + _SAME_FIELD * (other.document.topic == key.document.topic),
            place,
        )
        for place, other in enumerate(known)
        if meaning[place] < SAME_MEANING and naming[place] < NAMED_MEANING and _goes_with(other, key)
    ]
    return [known[place] for _, place in sorted(fitting, reverse=True)][:CANDIDATES]


def _goes_with(other: Definition, key: Definition) -> bool:
    """Tell whether a term has the key's form and is certainly something that the sentence does not name."""
    own, its = set(stems(key.term)), set(stems(other.term))
    return (
        other.plural == key.plural
        and (key.grammar == ":" or other.grammar == key.grammar)
        and _shape(other.term) == _shape(key.term)
        and abs(len(other.term.split()) - len(key.term.split())) <= 1
        and not (own <= its or its <= own)
        and not its <= set(stems(key.quote))
        and not own <= set(stems(other.quote))
        and key.term.lower() not in other.term.lower()
        and other.term.lower() not in key.term.lower()
        and _initials(other.term) != key.term.lower()
        and _initials(key.term) != other.term.lower()
    )


def _shape(term: str) -> str:
    """Return what a reader sees of a term's form: abbreviation, code, name or common noun."""
    if re.fullmatch(r"[A-Z0-9/&-]{2,8}s?", term):
        return "abbreviation"
    if re.search(r"[._#/+\d]|[a-z][A-Z]", term):
        return "code"
    return "name" if all(word[0].isupper() for word in term.split()) else "noun"


def _initials(term: str) -> str:
    return "".join(word[0] for word in re.split(r"[\s-]+", term) if word).lower()


def _chosen(key: Definition, distractors: Sequence[Definition]) -> tuple[tuple[Definition, ...], str]:
    """Return the nearest three distractors that give nothing away, or the reason why there are none."""
    gate = "distractors"
    repeated = set(stems(key.term)) & set(stems(key.blanked))
    for three in combinations(distractors, 3):
        if repeated - {stem for one in three for stem in stems(one.term)}:
            gate = "repeated_word"
        elif faults := failures(_item(key, three)):
            gate = faults[0].gate
        else:
            return three, ""
    return (), gate


def _item(key: Definition, three: Sequence[Definition]) -> Item:
    texts, whys = [key.term, *(one.term for one in three)], list(_whys(key, three))
    order = shown_order(_hash(key), texts)
    return Item(
        id=_hash(key),
        question=f"Which term does this define? “{key.blanked}”",
        options=tuple(texts[place] for place in order),
        correct=order.index(0),
        whys=tuple(whys[place] for place in order),
    )


def _whys(key: Definition, three: Sequence[Definition]) -> Iterator[str]:
    yield f"The source says: “{shown(key.quote)}”"
    for one in three:
        yield f"That is something else: “{shown(one.quote)}” ({one.document.title})"


def _question(key: Definition, three: Sequence[Definition], owner: str) -> AskedQuestion:
    document, item = key.document, _item(key, three)
    return AskedQuestion(
        id=f"blank-{_hash(key, owner)}",
        kind="mcq",
        topic=document.topic,
        level=document.level or "junior",
        skill="recall",
        prompt=item.question,
        origin="extractive",
        evidence=Evidence(document.id, document.title, key.start, key.end, key.quote),
        checks=CHECKS,
        options=item.options,
        answer=item.correct,
        whys=item.whys,
    )


def _hash(key: Definition, owner: str = "") -> str:
    return hashlib.sha256("\0".join((owner, key.document.id, key.term, key.quote)).encode()).hexdigest()[:16]
