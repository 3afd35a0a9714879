"""Shows what a prompt would hold of the passages that a search kept, before any model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answering.passages import estimate, pack
from rag.errors import ProviderRejected
from rag.prompts import prompt
from rag.retrieval.whereabouts import InPrompt
from rag.text.sentences import Sentence, sentences
from rag.types import Hit, Retrieval


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A kept passage with what it takes."""

    hit: Hit
    tokens: int
    """Estimated, of the passage as it is sent; where it is dropped, of its whole text."""
    fits: bool
    shortened: bool = False
    """Only its beginning fits."""


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """The prompt that a question without history would lead to."""

    parts: tuple[PromptPart, ...]
    """In rank order; those that don't fit are the last."""
    passages: str
    """The text of the passages as it is sent, every sentence with its id."""
    tokens: int
    """Estimated tokens of the whole prompt: instructions, passages and question; 0 when nothing fits."""
    budget: int


def what_is_sent(
    retrieval: Retrieval, budget: int, *, split: Callable[[str], Sequence[Sentence]] = sentences
) -> PromptPreview:
    """Return what of `retrieval` fits into a prompt of `budget` tokens."""
    try:
        packed = pack(
            retrieval.query, (), retrieval, instructions=prompt("answer"), budget=budget, split=split
        )
    except ProviderRejected:  # not even the best passage has room
        parts = tuple(PromptPart(hit, estimate(hit.chunk.text), False) for hit in retrieval.kept)
        return PromptPreview(parts, "", 0, budget)
    parts = tuple(
        PromptPart(
            hit,
            tokens=packed.sizes.get(hit.chunk.id, estimate(hit.chunk.text)),
            fits=hit.chunk.id in packed.sizes,
            shortened=packed.shortened and place == 0,
        )
        for place, hit in enumerate(retrieval.kept)
    )
    return PromptPreview(parts, packed.passages, packed.tokens, budget)


def room_in_prompt(retrieval: Retrieval, budget: int) -> dict[str, InPrompt]:
    """Return by chunk id what each kept passage takes of a prompt of `budget` tokens."""
    return {
        part.hit.chunk.id: InPrompt(part.tokens, part.fits, budget)
        for part in what_is_sent(retrieval, budget).parts
    }
