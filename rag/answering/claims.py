"""Divides a finished answer into claims, each with the markers that stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.text.sentences import Sentence
from rag.types import Claim


def claims_of(
    text: str,
    places: Sequence[tuple[int, int]],
    split: Callable[[str], Sequence[Sentence]],
) -> tuple[Claim, ...]:
    """Return the statements of an answer, without markers in their text but with the numbers behind them.

    `places` are offset and number of every marker in `text`. Headings, code, questions and the lead-in of a
    list ("...:") are no claims unless they carry a marker.
    """
    plain, positions = _without_markers(text, places)
    found = split(plain)
    markers: list[list[int]] = [[] for _ in found]
    for position, number in positions:
        index = _sentence_of(position, plain, found)
        if index is not None and number not in markers[index]:
            markers[index].append(number)
    return tuple(
        Claim(plain[sentence.start : sentence.end], tuple(numbers))
        for sentence, numbers in zip(found, markers, strict=True)
        if numbers or _states_something(plain[sentence.start : sentence.end], sentence.kind)
    )


def _without_markers(text: str, places: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    kept: list[str] = []
    positions: list[tuple[int, int]] = []
    length = end = 0
    for offset, number in places:
        before = text[end:offset].rstrip(" \t")
        kept.append(before)
        length += len(before)
        positions.append((length, number))
        end = offset + len(f"[{number}]")
    return "".join([*kept, text[end:]]), positions


def _sentence_of(position: int, plain: str, found: Sequence[Sentence]) -> int | None:
    """Return the sentence that a marker belongs to: the one it stands in or directly behind."""
    before = [index for index, sentence in enumerate(found) if sentence.start < position]
    if before and "\n" not in plain[found[before[-1]].end : position]:
        return before[-1]
    if len(before) < len(found):
        return len(before)
    return before[-1] if before else None


def _states_something(text: str, kind: str) -> bool:
    return kind in ("prose", "list_item", "table_row") and text.rstrip("*_ ")[-1:] not in (":", "?")
