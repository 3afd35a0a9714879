"""Arranges chosen sentences into a readable answer in which every quotation carries its citation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.answering.questions import Wanted
from rag.answering.selection import Candidate, Unit
from rag.types import Citation, Claim

_PARTS = (
    re.compile(r"what .*\b(is|are)\b|definition|overview|introduction", re.IGNORECASE),
    re.compile(r"\bwhy\b|matters|purpose", re.IGNORECASE),
    re.compile(r"\bhow\b|works|pattern|step|pipeline|architecture", re.IGNORECASE),
    re.compile(r"trade-?offs?|compar|versus|\bvs\b|choos|when (not )?to", re.IGNORECASE),
    re.compile(r"fail|mistake|limit|risk|attack|break|wrong", re.IGNORECASE),
    re.compile(r"\bcosts?\b|latency|price|memory|speed", re.IGNORECASE),
)
"""What the heading over a sentence says it is about, in the order of an answer."""
_UNKNOWN_PART = 2
_BRACKETED_NUMBER = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))|(?<!\\)\[(?P<number>\d+)\]"
)
"""A number in brackets, or inline code, in which one is left alone."""
_ITEM_NUMBER = re.compile(r"(\d{1,9})[.)][ \t]+$")
_LINE_BREAK = re.compile(r"\s*\n[ \t>]*")


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer's text in pieces, ready to stream, with what it cites and claims."""

    pieces: tuple[str, ...]
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)


def compose(chosen: Sequence[Unit], wants: Wanted) -> Composed:
    """Return the answer made of `chosen` (best first); each sentence is quoted word for word."""
    ordered = _ordered(chosen, wants)
    pieces: list[str] = []
    citations: list[Citation] = []
    claims: list[Claim] = []
    previous: Candidate | None = None
    for unit in ordered:
        for candidate in unit.candidates:
            citation = _citation(candidate, len(citations) + 1)
            citations.append(citation)
            claims.append(Claim(_one_line(candidate.text), (citation.marker,), "unchecked"))
            pieces.append(_between(previous, candidate) + _shown(candidate, citation.marker, previous))
            previous = candidate
    return Composed(tuple(pieces), tuple(citations), tuple(claims))


def _ordered(chosen: Sequence[Unit], wants: Wanted) -> list[Unit]:
    """Put the units in the order of an answer.

    A number is given first, and so is what contrasts both sides of a comparison; otherwise definition,
    reason, how, trade-offs, failure modes and cost follow each other, within a part as the sources have them.
    """

    def place(unit: Unit) -> tuple[int, int, int]:
        first = unit.candidates[0]
        return _part(first), first.passage, first.sentence.start

    first = list(chosen[:1]) if wants.number else []
    if wants.sides is not None:
        left, right = wants.sides
        terms = [(unit, unit.candidates[0].terms) for unit in chosen]
        first = [unit for unit, own in terms if left & own and right & own]
    return first + sorted((unit for unit in chosen if unit not in first), key=place)


def _part(candidate: Candidate) -> int:
    heading = candidate.hit.chunk.heading_path[-1] if candidate.hit.chunk.heading_path else ""
    return next((n for n, part in enumerate(_PARTS) if part.search(heading)), _UNKNOWN_PART)


def _citation(candidate: Candidate, marker: int) -> Citation:
    chunk, sentence = candidate.hit.chunk, candidate.sentence
    return Citation(
        marker, chunk.id, chunk.document_id, candidate.hit.title, sentence.start, sentence.end, candidate.text
    )


def _between(previous: Candidate | None, candidate: Candidate) -> str:
    if previous is None:
        return ""
    if _goes_on(previous, candidate):
        return " "
    kinds = {previous.sentence.kind, candidate.sentence.kind}
    if kinds == {"list_item"}:
        return "\n" if previous.sentence.list_id == candidate.sentence.list_id else "\n\n"
    if kinds == {"table_row"} and _header(previous) == _header(candidate):
        return "\n"
    if kinds == {"prose"} and previous.hit.chunk.id == candidate.hit.chunk.id:
        return " "
    return "\n\n"


def _goes_on(previous: Candidate, candidate: Candidate) -> bool:
    """Tell whether both are sentences of one list item: no bullet stands between them."""
    if previous.sentence.kind != "list_item" or previous.sentence.list_id != candidate.sentence.list_id:
        return False
    chunk = candidate.hit.chunk
    first, last = previous.sentence.end - chunk.start, candidate.sentence.start - chunk.start
    return previous.hit.chunk.id == chunk.id and first <= last and not chunk.text[first:last].strip()


def _shown(candidate: Candidate, marker: int, previous: Candidate | None) -> str:
    text, kind = candidate.text, candidate.sentence.kind
    if kind == "code":
        return f"{text}\n\n[{marker}]"
    text = _BRACKETED_NUMBER.sub(_escaped, _one_line(text))
    if kind == "list_item" and not (previous and _goes_on(previous, candidate)):
        return f"{_bullet(candidate)} {text} [{marker}]"
    if kind == "table_row":
        row = f"| {text.strip('| ')} [{marker}] |"
        header = _header(candidate)
        if previous is not None and previous.sentence.kind == kind and _header(previous) == header:
            return row
        columns = header.count("|") + 1
        return f"| {header.strip('| ')} |\n|{' --- |' * columns}\n{row}" if header else f"{text} [{marker}]"
    return f"{text} [{marker}]"


def _escaped(found: re.Match[str]) -> str:
    return found["code"] or f"\\[{found['number']}]"


def _bullet(candidate: Candidate) -> str:
    """Return the item's number as the source has it, or a dash."""
    chunk = candidate.hit.chunk
    numbered = _ITEM_NUMBER.search(chunk.text[: candidate.sentence.start - chunk.start])
    return f"{numbered[1]}." if numbered else "-"


def _header(candidate: Candidate) -> str:
    """Return the head row of the table a row stands in; empty when the passage does not have it."""
    chunk = candidate.hit.chunk
    start = candidate.sentence.start - chunk.start
    lines = chunk.text[:start].splitlines()
    for upper, lower in pairwise(reversed(["", *lines])):
        if re.fullmatch(r"[|\s:>-]*-[|\s:>-]*", upper) and "|" in upper:
            return lower.strip().strip("|").strip()
    return ""


def _one_line(text: str) -> str:
    return _LINE_BREAK.sub(" ", text)
