"""Follows one passage through a search and says in words how far it came and where it was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rag.retrieval.index import CorpusIndex
from rag.retrieval.searching import Lists, final_scores, list_length
from rag.text.words import stems
from rag.types import Chunk, Hit, Retrieval

StageName = Literal["filters", "meaning", "words", "fusion", "cut-off", "prompt"]
NOT_REACHED = "Not reached."


@dataclass(frozen=True, slots=True)
class InPrompt:
    """What a passage takes in a prompt, and whether there is room for it."""

    tokens: int
    fits: bool
    budget: int
    """Tokens of the whole prompt."""


Preview = Callable[[Retrieval], Mapping[str, InPrompt]]
"""Says by chunk id what the passages that are kept take in the prompt that would be sent."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the search as one passage went through it."""

    name: StageName
    place: int | None
    """1-based; None where the passage has no place or the step gives none."""
    of: int
    """How many have a place."""
    passed: bool
    """For the two lists: it is on the list; one of them is enough to go on."""
    told: str
    """What happened, for people."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """How far a passage came in one search."""

    chunk: Chunk
    stages: tuple[Stage, ...]
    """filters, meaning, words, fusion, cut-off, prompt."""
    lost_at: StageName | Literal[""]
    """The step that lost it; empty: it is used."""


def whereabouts(
    index: CorpusIndex,
    chunk: Chunk,
    lists: Lists,
    retrieval: Retrieval,
    in_prompt: Mapping[str, InPrompt],
) -> Whereabouts:
    """Return where `chunk`, which the index holds, came in the search that gave `lists` and `retrieval`."""
    number = index.number(chunk.id)
    if number is None:
        raise ValueError(chunk.id)
    stages = [_filters(number, lists)]
    if stages[0].passed:
        hit = next((hit for hit in retrieval.hits if hit.chunk.id == chunk.id), None)
        stages += (
            _meaning(number, lists, retrieval),
            _words(index, number, lists, retrieval),
            _fusion(index, number, lists, retrieval, hit),
            _cut_off(retrieval, hit),
            _prompt(hit, retrieval, in_prompt),
        )
    else:
        unreached: tuple[StageName, ...] = ("meaning", "words", "fusion", "cut-off", "prompt")
        stages += (Stage(name, None, 0, False, NOT_REACHED) for name in unreached)
    gates = [stage for stage in stages if stage.name not in ("meaning", "words")]
    lost_at: StageName | Literal[""] = next((stage.name for stage in gates if not stage.passed), "")
    return Whereabouts(chunk, tuple(stages), lost_at)


def _filters(number: int, lists: Lists) -> Stage:
    searched, passages = int(lists.allowed.sum()), len(lists.allowed)
    if not lists.allowed[number]:
        return Stage("filters", None, searched, False, "Left out: the filters admit other documents only.")
    if lists.among is None:
        return Stage("filters", None, searched, True, f"All {passages:,} passages are searched.")
    return Stage("filters", None, searched, True, f"One of {searched:,} passages that are searched.")


def _meaning(number: int, lists: Lists, retrieval: Retrieval) -> Stage:
    nearer = lists.allowed & (lists.cosines > lists.cosines[number])
    place, of = int(nearer.sum()) + 1, int(lists.allowed.sum())
    takes = list_length(retrieval.config)
    told = f"Rank {place:,} of {of:,} by meaning; the list takes {takes:,}."
    if number in lists.dense:
        return Stage("meaning", place, of, True, told)
    if place <= takes:
        told += " Not on it: no single window, sentence or question of this passage is near enough"
        told += "." if retrieval.config.index == "flat" else ", or the index did not look where it lies."
    return Stage("meaning", place, of, False, told)


def _words(index: CorpusIndex, number: int, lists: Lists, retrieval: Retrieval) -> Stage:
    sharing = len(lists.by_words)
    matched = index.lexical.matched(stems(retrieval.query), number)
    if not matched:
        return Stage("words", None, sharing, False, "Shares no word with the question.")
    place = int(np.flatnonzero(lists.by_words == number)[0]) + 1
    takes = list_length(retrieval.config)
    told = f"Rank {place:,} of {sharing:,} by words ({', '.join(matched)}); the list takes {takes:,}."
    return Stage("words", place, sharing, number in lists.lexical, told)


def _fusion(index: CorpusIndex, number: int, lists: Lists, retrieval: Retrieval, hit: Hit | None) -> Stage:
    of = len(retrieval.hits)
    if hit is not None:
        return Stage("fusion", hit.rank, of, True, f"Rank {hit.rank:,} of {of:,} once both lists are fused.")
    score = final_scores(index, lists, [number])[number]
    place = sum(other.score > score for other in retrieval.hits) + 1
    return Stage(
        "fusion",
        place,
        of,
        False,
        f"On neither list, so it is no candidate; listed, it would be at rank {place:,} of {of + 1:,}.",
    )


def _cut_off(retrieval: Retrieval, hit: Hit | None) -> Stage:
    kept = len(retrieval.kept)
    if hit is None:
        return Stage("cut-off", None, kept, False, NOT_REACHED)
    if hit.cut is not None:
        return Stage("cut-off", None, kept, False, f"Cut: {hit.cut}.")
    place = sum(other.cut is None and other.rank <= hit.rank for other in retrieval.hits)
    told = f"Kept as number {place:,} of {kept:,}"
    if not retrieval.sufficient:
        told += ", but all that was found is too far from the question to answer from it."
    elif retrieval.borderline:
        told += "; what was found is good for an answer in part only."
    else:
        told += "; what was found is good enough to answer from."
    return Stage("cut-off", place, kept, retrieval.sufficient, told)


def _prompt(hit: Hit | None, retrieval: Retrieval, in_prompt: Mapping[str, InPrompt]) -> Stage:
    sent = sum(part.fits for part in in_prompt.values())
    part = None if hit is None else in_prompt.get(hit.chunk.id)
    if part is None or not retrieval.sufficient:
        return Stage("prompt", None, sent, False, NOT_REACHED)
    size = f"{part.tokens:,} tokens of a prompt of at most {part.budget:,}"
    told = f"Takes {size}." if part.fits else f"Dropped: its {size} are more than the better passages leave."
    return Stage("prompt", None, sent, part.fits, told)
