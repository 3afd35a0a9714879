"""Packs passages into a token budget: every sentence with an id, the lowest ranks left out first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from rag.answering.citations import SentenceId
from rag.errors import ProviderRejected
from rag.text import tokens
from rag.text.sentences import Sentence
from rag.types import Citation, Hit, Retrieval, Turn

CUT = "did not fit into the token budget"

_MESSAGE_TOKENS = 4
"""What a chat format adds to each message."""
_TURNS = 3
_TURN_LENGTH = 400
"""Characters of an earlier question or answer that are repeated to the model."""
_HISTORY_SHARE = 0.2
_LABEL_LENGTH = 120
_BRACKETED_NUMBER = re.compile(r"[\[【［]+([\d.,;\s–—-]*\d[\d.,;\s–—-]*)[\]】］]+")
_TAG = re.compile(r"<(?=/?(?:passages?|question|conversation)\b)", re.IGNORECASE)
_UNBROKEN = re.compile(r"\S{40,}")


@dataclass(frozen=True, slots=True)
class Packed:
    """What fits into one prompt."""

    passages: str
    citable: Mapping[SentenceId, Citation]
    """Every sentence that is sent, by its id; markers are 0."""
    history: tuple[Turn, ...]
    retrieval: Retrieval
    """The hits that did not fit are cut in it."""
    dropped: int
    """How many hits did not fit."""
    tokens: int
    """Estimated tokens of the whole prompt."""
    sizes: Mapping[str, int]
    """Estimated tokens of each passage that is sent, by chunk id; 0 when better ones hold all it says."""
    shortened: bool
    """Of the best passage only the beginning is sent."""


def pack(
    question: str,
    history: Sequence[Turn],
    retrieval: Retrieval,
    *,
    instructions: str,
    budget: int,
    split: Callable[[str], Sequence[Sentence]],
) -> Packed:
    """Return the prompt's parts within `budget` tokens, the passages in rank order.

    The best passage may be cut short; each other one is sent whole or not at all. Raises ProviderRejected
    when the question leaves no room for a single sentence.
    """
    used = estimate(instructions) + estimate(question) + 8 * _MESSAGE_TOKENS
    turns = recent(history, int(min(budget * _HISTORY_SHARE, (budget - used) / 2)))
    used += sum(_turn_tokens(turn) for turn in turns)
    citable: dict[SentenceId, Citation] = {}
    texts: list[str] = []
    unsent: set[str] = set()
    sent_sizes: dict[str, int] = {}
    shortened = False
    for number, hit in enumerate(retrieval.kept, start=1):
        lines = list(_lines(number, hit, split(hit.chunk.text), citable.values()))
        opening, closing = _opening(number, hit), "</passage>"
        sizes = [estimate(opening) + estimate(closing), *(estimate(line) for line, _ in lines)]
        fitting = sum(used + size <= budget for size in accumulate(sizes)) - 1
        if fitting < len(lines) and (texts or fitting <= 0):
            unsent = {left.chunk.id for left in retrieval.kept[number - 1 :]}
            break
        sent_sizes[hit.chunk.id] = sum(sizes[: fitting + 1]) if lines else 0
        used += sent_sizes[hit.chunk.id]
        if lines:
            shortened |= fitting < len(lines)
            citable |= {(number, place): cited for place, (_, cited) in enumerate(lines[:fitting], 1)}
            texts.append("\n".join([opening, *(line for line, _ in lines[:fitting]), closing]))
    if unsent and not texts:
        raise too_long(question, budget)
    hits = tuple(
        replace(hit, cut=CUT) if hit.cut is None and hit.chunk.id in unsent else hit for hit in retrieval.hits
    )
    return Packed(
        passages="\n".join(texts),
        citable=citable,
        history=turns,
        retrieval=replace(retrieval, hits=hits),
        dropped=len(unsent),
        tokens=used,
        sizes=sent_sizes,
        shortened=shortened,
    )


def estimate(text: str) -> int:
    """Return about how many tokens a chat model sees in `text`.

    Word pieces, plus one token for two characters of unbroken runs (base64, addresses), which the
    tokenizer would count as a single unknown piece.
    """
    return tokens.count(text) + sum(len(run) // 2 for run in _UNBROKEN.findall(text))


def recent(history: Sequence[Turn], budget: int) -> tuple[Turn, ...]:
    """Return the last few turns that fit into `budget` tokens, oldest first, shortened, without markers."""
    turns: list[Turn] = []
    for turn in reversed(history[-_TURNS:]):
        answer = re.sub(r"\s*(?<!\\)\[\d+\]", "", turn.answer)
        short = Turn(_shortened(turn.question, _TURN_LENGTH), _shortened(answer, _TURN_LENGTH))
        budget -= _turn_tokens(short)
        if budget < 0:
            break
        turns.insert(0, short)
    return tuple(turns)


def too_long(question: str, budget: int) -> ProviderRejected:
    """Return the error for a question that leaves no room for an answer's sources."""
    return ProviderRejected(
        f"The question is about {estimate(question)} tokens long, too long for a prompt of {budget}.",
        hint="Shorten the question, or raise VIVA_CHAT__CONTEXT_TOKENS.",
    )


def _lines(
    passage: int, hit: Hit, found: Sequence[Sentence], sent: Iterable[Citation]
) -> Iterator[tuple[str, Citation]]:
    """Yield the sentences that no earlier passage holds, each as its line in the prompt and as a citation."""
    chunk = hit.chunk
    known = {(cited.document_id, cited.start, cited.end) for cited in sent}
    number = 0
    for sentence in found:
        start, end = chunk.start + sentence.start, chunk.start + sentence.end
        if sentence.kind == "heading" or (chunk.document_id, start, end) in known:
            continue
        number += 1
        quote = chunk.text[sentence.start : sentence.end]
        shown = quote if sentence.kind == "code" else " ".join(quote.split())
        cited = Citation(0, chunk.id, chunk.document_id, hit.title, start, end, quote)
        yield f"[{passage}.{number}] {_harmless(shown)}", cited


def _opening(number: int, hit: Hit) -> str:
    label = " / ".join(dict.fromkeys((hit.title, *hit.chunk.heading_path)))
    label = _shortened(re.sub(r"[<>\"\[\]]", "", label), _LABEL_LENGTH)
    return f'<passage number="{number}" from="{label}">'


def _harmless(text: str) -> str:
    """Return `text` without what could pass for an id or for the end of the passages."""
    return _TAG.sub("‹", _BRACKETED_NUMBER.sub(r"(\1)", text))


def _shortened(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"


def _turn_tokens(turn: Turn) -> int:
    return estimate(turn.question) + estimate(turn.answer) + 2 * _MESSAGE_TOKENS
