"""Makes multiple-choice questions without a model: a term is blanked out of the sentence that defines it.

The key is right by construction: it stood there. The distractors are other terms that the library defines,
which the sentence does not hold and whose own definitions mean something else. Of the gates of form all apply
but two: the question is a copy of its source on purpose ("verbatim"), and its quote is the sentence itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rag.quiz.bank import shown_order
from rag.quiz.definitions import LONGEST_TEXT, Definition, definitions, same_term, shown
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
MOST_TEXT = 3_000_000
"""Characters that are looked at in one go: the documents to ask about first, then the others."""
MOST_TERMS = 200
"""Definitions that are tried in one go, and as many again beside them: each is compared with all."""
_REUSED, _SAME_FIELD = 0.03, 0.15
"""In cosine: what every earlier use of a distractor costs it, and what the key's own topic is worth."""


@dataclass(frozen=True, slots=True)
class Made:
    """The questions on some documents, and what became of their other definitions."""

    questions: tuple[AskedQuestion, ...]
    dropped: dict[str, int]
    """known (the term is asked for already), later (beyond MOST_TERMS), distractors (fewer than three fit),
    or the gate of form that no choice of distractors passes."""
    read_all: bool = True
    """False: the documents are longer than what is looked at."""


def extractive_items(
    documents: Sequence[Document],
    others: Iterable[Document],
    embed: Embed,
    *,
    owner: str = "",
    asked: Collection[str] = (),
    find: Callable[[Document], Sequence[Definition]] = definitions,
) -> Made:
    """Return one question for each term that `documents` define, in reading order.

    Distractors come from `documents` and `others`; `asked` are terms that need no question. The ids hold for
    one owner: the same sentences give the same questions again. `find` returns what `definitions` does.
    """
    terms: dict[str, Definition] = {}
    room = _add_terms(terms, documents, find, MOST_TEXT)
    wanted = [*terms]
    read_all = room is not None and all(len(document.text) <= LONGEST_TEXT for document in documents)
    if not wanted:
        return Made((), {}, read_all)
    _add_terms(terms, others, find, room or 0)
    done = set(map(same_term, asked))
    last = max((place for place, term in enumerate(wanted) if term in done), default=-1)
    turned = (*wanted[last + 1 :], *wanted[: last + 1])  # those before the last were tried in an earlier go
    new = [term for term in turned if term not in done]
    dropped = Counter(known=len(wanted) - len(new), later=len(new[MOST_TERMS:]))
    keys = set(new[:MOST_TERMS])
    part = keys.union([term for term in terms if term not in keys][:MOST_TERMS])
    known = [one for term, one in terms.items() if term in part]
    vectors = embed([text for one in known for text in (one.blanked, one.term)])
    sentences, names = vectors[0::2], vectors[1::2]
    found: list[AskedQuestion] = []
    used: Counter[str] = Counter()
    for key, meaning in zip(known, sentences, strict=True):
        if same_term(key.term) not in keys:
            continue
        three, gate = _chosen(key, _candidates(key, known, sentences @ meaning, names @ meaning, used))
        if gate:
            dropped[gate] += 1
            continue
        used.update(one.term for one in three)
        found.append(_question(key, three, owner))
    return Made(tuple(found), dict(+dropped), read_all)


def _add_terms(
    terms: dict[str, Definition],
    documents: Iterable[Document],
    find: Callable[[Document], Sequence[Definition]],
    room: int,
) -> int | None:
    """Add what documents define, by term, and return for how many characters there is room after them.

    None: there was not enough for all of them.
    """
    for document in documents:
        if room <= 0:
            return None
        for definition in find(document):
            terms.setdefault(same_term(definition.term), definition)
        room -= min(len(document.text), LONGEST_TEXT)
    return room


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
    own, its = _stems(key.term), _stems(other.term)
    return (
        other.plural == key.plural
        and (key.grammar == ":" or other.grammar == key.grammar)
        and _shape(other.term) == _shape(key.term)
        and abs(len(other.term.split()) - len(key.term.split())) <= 1
        and not (own <= its or its <= own)
        and not its <= _stems(key.quote)
        and not own <= _stems(other.quote)
        and key.term.lower() not in other.term.lower()
        and other.term.lower() not in key.term.lower()
        and _initials(other.term) != key.term.lower()
        and _initials(key.term) != other.term.lower()
    )


@lru_cache(maxsize=4 * MOST_TERMS)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text))


@lru_cache(maxsize=2 * MOST_TERMS)
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
