"""Chooses the sentences of the found passages that answer a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.answering.questions import Wanted
from rag.embedding.base import Vectors
from rag.retrieval.index import IndexedChunk, IndexedSentence
from rag.text.words import stems
from rag.types import Hit

PASSAGES = 2
"""Sentences come from this many of the best passages, unless these leave a side of a comparison untold."""
COVER, PASSAGE, NEIGHBOUR = 0.5, 1.2, 0.3
"""Weights of a sentence's word cover, of its passage's score and of the better of its two neighbours' scores,
beside the cosine with weight 1."""
FITTING = 0.1
"""Added to a sentence of the kind the question asks for: a reason, a number, an item of a list."""
DEFINING = 0.4
"""Added to a sentence that defines what the question asks for; it may come from any kept passage."""
SIDE = 0.15
"""Added to a sentence about both sides of a comparison."""
CONTRASTS = 2
"""How many sentences about both sides open the answer to a comparison."""
REPEAT = 0.92
"""Cosine from which a sentence repeats one that was already chosen."""
NARROW = (80, 3)
"""Words and units of an answer to a question for one fact; a list counts as one unit."""
BROAD = (160, 7)
"""The same where one fact is not enough."""
SHORT_LIST_WORDS, SHORT_LIST_ITEMS = 110, 8
WEAK = 0.5
"""A sentence below this share of the best one's score is not quoted."""

_CAUSAL = re.compile(
    r"\b(because|since|so that|therefore|the reason|in order to|so the|which means|matters?|lets?|avoids?"
    r"|prevents?)\b",
    re.IGNORECASE,
)
_HAS_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|billion|half|twice)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"^([^.]{2,80}?)\s(?:is|are|means|refers to|stands for)\s(?:a|an|the)\b", re.IGNORECASE)
_ROOM_FOR_AN_ACRONYM = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that might be quoted."""

    hit: Hit
    sentence: IndexedSentence
    text: str
    score: float
    vector: NDArray[np.float32] | None
    passage: int
    """Place of its passage, 0 is the best."""
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is quoted as one: a sentence, or a list with the line that introduces it."""

    candidates: tuple[Candidate, ...]
    """In reading order."""

    @property
    def words(self) -> int:
        """Its length in words."""
        return sum(len(candidate.text.split()) for candidate in self.candidates)

    @property
    def is_list(self) -> bool:
        """Whether it holds list items."""
        return any(candidate.sentence.kind == "list_item" for candidate in self.candidates)


def candidates(
    passages: Sequence[tuple[Hit, IndexedChunk]],
    query_vector: NDArray[np.float32],
    query_terms: Sequence[str],
    vectors: Vectors,
    idf: Callable[[str], float],
    wants: Wanted,
) -> list[Candidate]:
    """Return every quotable sentence of the passages (best passage first) with its score."""
    weights = {term: idf(term) for term in query_terms}
    total = sum(weights.values()) or 1.0
    found: list[Candidate] = []
    seen: set[tuple[str, int]] = set()
    for place, (hit, chunk) in enumerate(passages):
        own: list[Candidate] = []
        told = {_side(candidate.terms, wants) for candidate in found}
        for sentence in chunk.sentences:
            if sentence.kind == "heading" or (sentence.kind == "code" and not wants.code):
                continue
            if (chunk.document_id, sentence.start) in seen:
                continue
            seen.add((chunk.document_id, sentence.start))
            text = hit.chunk.text[sentence.start - chunk.start : sentence.end - chunk.start]
            terms = frozenset(stems(text))
            if wants.sides and sentence.kind == "table_row" and not any(side & terms for side in wants.sides):
                continue  # a row about a third thing answers no comparison of two
            untold = _side(terms, wants) not in {None, *told}
            if place >= PASSAGES and not untold and not _defines(text, wants):
                continue
            vector = None if sentence.row is None else vectors[sentence.row]
            cosine = 0.4 if vector is None else float(vector @ query_vector)
            cover = sum(weight for term, weight in weights.items() if term in terms) / total
            score = cosine + COVER * cover + PASSAGE * hit.score + _fit(text, terms, weights, wants, sentence)
            own.append(Candidate(hit, sentence, text, score, vector, place, terms))
        found.extend(_with_neighbours(own))
    return sorted(found, key=lambda candidate: -candidate.score)


def select(ranked: Sequence[Candidate], wants: Wanted) -> list[Unit]:
    """Return the units to quote, best first, without repeats, as much as a question of this kind wants."""
    if not ranked:
        return []
    most_words, most_units = BROAD if wants.broad else NARROW
    chosen: list[Unit] = []
    taken: set[int] = set()
    length = 0
    for candidate in _both_sides_first(ranked, wants):
        if len(chosen) >= most_units or candidate.score < WEAK * ranked[0].score:
            break
        if candidate.sentence.start in taken and any(candidate in unit.candidates for unit in chosen):
            continue
        unit = _unit(candidate, ranked)
        if unit is None or any(
            member.sentence.start in taken and _same(member, chosen) for member in unit.candidates
        ):
            continue
        if chosen and length + unit.words > most_words:
            continue
        if _repeats(unit, chosen):
            continue
        chosen.append(unit)
        length += unit.words
        taken.update(member.sentence.start for member in unit.candidates)
    return chosen


def _same(member: Candidate, chosen: Sequence[Unit]) -> bool:
    return any(
        member.sentence == other.sentence and member.hit.chunk.document_id == other.hit.chunk.document_id
        for unit in chosen
        for other in unit.candidates
    )


def _fit(
    text: str,
    terms: frozenset[str],
    weights: dict[str, float],
    wants: Wanted,
    sentence: IndexedSentence,
) -> float:
    bonus = 0.0
    is_item = sentence.list_id is not None
    if wants.number and _HAS_NUMBER.search(text):
        bonus += FITTING
    if wants.several and is_item:
        bonus += FITTING
    if wants.reason and _CAUSAL.search(text):
        bonus += FITTING
    if _defines(text, wants):
        bonus += DEFINING
    if wants.sides is not None and all(side & terms for side in wants.sides):
        bonus += SIDE
    return bonus


def _side(terms: frozenset[str], wants: Wanted) -> int | None:
    """Return which side of a comparison a sentence is about; None when it is about both or neither."""
    about = [bool(side & terms) for side in wants.sides or ()]
    return about.index(True) if about.count(True) == 1 else None


def _defines(text: str, wants: Wanted) -> bool:
    """Tell whether a sentence has the form "SUBJECT is a ..." for what the question wants defined."""
    found = _DEFINES.match(text) if wants.subject else None
    if found is None:
        return False
    named = frozenset(stems(found[1]))
    return wants.subject <= named and len(named) <= len(wants.subject) + _ROOM_FOR_AN_ACRONYM


def _with_neighbours(own: Sequence[Candidate]) -> list[Candidate]:
    """Return the sentences of one passage, each raised by the better of its two neighbours."""
    scores = [candidate.score for candidate in own]
    raised = []
    for place, candidate in enumerate(own):
        beside = [scores[other] for other in (place - 1, place + 1) if 0 <= other < len(own)]
        score = candidate.score + NEIGHBOUR * max(beside, default=0.0)
        raised.append(
            Candidate(
                candidate.hit,
                candidate.sentence,
                candidate.text,
                score,
                candidate.vector,
                candidate.passage,
                candidate.terms,
            )
        )
    return raised


def _both_sides_first(ranked: Sequence[Candidate], wants: Wanted) -> list[Candidate]:
    """Put what contrasts the two sides of a comparison in front, then the best about each side."""
    if wants.sides is None:
        return list(ranked)
    left, right = wants.sides
    both = [c for c in ranked if left & c.terms and right & c.terms]
    only_left = [c for c in ranked if left & c.terms and not right & c.terms]
    only_right = [c for c in ranked if right & c.terms and not left & c.terms]
    first = both[:CONTRASTS] + only_left[:1] + only_right[:1]
    return first + [candidate for candidate in ranked if candidate not in first]


def _unit(candidate: Candidate, ranked: Sequence[Candidate]) -> Unit | None:
    """Return what is quoted with `candidate`; None when it can't be quoted alone."""
    document, list_id = candidate.hit.chunk.document_id, candidate.sentence.list_id
    siblings = sorted(
        (c for c in ranked if c.hit.chunk.id == candidate.hit.chunk.id),
        key=lambda c: c.sentence.start,
    )
    place = siblings.index(candidate)
    if list_id is None and candidate.text.rstrip().endswith(":"):
        following = siblings[place + 1] if place + 1 < len(siblings) else None
        if following is None:
            return None
        if following.sentence.list_id is None:
            return Unit((candidate, following)) if following.sentence.kind == "code" else None
        list_id = following.sentence.list_id
    if list_id is None:
        return Unit((candidate,))
    items = [c for c in siblings if c.sentence.list_id == list_id]
    first = siblings.index(items[0])
    before = siblings[first - 1] if first else None
    intro = (before,) if before is not None and before.text.rstrip().endswith(":") else ()
    whole = Unit((*intro, *items))
    if len(items) <= SHORT_LIST_ITEMS and whole.words <= SHORT_LIST_WORDS:
        return whole
    if candidate.sentence.list_id is None:
        return None
    assert document
    return Unit((*intro, candidate))


def _repeats(unit: Unit, chosen: Sequence[Unit]) -> bool:
    """Tell whether everything a unit says has been chosen already."""
    said = [candidate for earlier in chosen for candidate in earlier.candidates]
    return all(any(_says_what(new, other) for other in said) for new in unit.candidates)


def _says_what(new: Candidate, other: Candidate) -> bool:
    if new.vector is not None and other.vector is not None and float(new.vector @ other.vector) >= REPEAT:
        return True
    return bool(new.terms) and len(new.terms & other.terms) >= 0.8 * len(new.terms | other.terms)
