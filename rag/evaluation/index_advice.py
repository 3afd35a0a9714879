"""Says which kind of index to use, given what each finds and how long a whole search with it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evaluation.index_bench import IndexFigures

ENOUGH = 0.95
"""Recall@10 below which an index loses more than the fusion with the search by words makes good."""
NOTICED_MS, NOTICED_SHARE = 50.0, 0.2
"""What a search must become shorter by, and by which share of it, before anybody notices."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to use and why."""

    text: str
    best: IndexFigures


def advise(figures: Sequence[IndexFigures], vectors: int) -> Advice:
    """Return the advice for an index of so many vectors; `figures` include those of the exact one.

    What counts is the whole search: an index that is faster alone may make little difference to it.
    """
    exact = next(figure for figure in figures if figure.kind == "flat")
    good = [figure for figure in figures if figure.kind != "flat" and figure.recall_at_10 >= ENOUGH]
    fastest = min(good, key=lambda figure: figure.search_p50_ms, default=None)
    told = f"With {vectors:,} vectors a whole search takes {_ms(exact.search_p50_ms)} with the exact index"
    if fastest is None:
        return Advice(f"{told}, and no other finds {ENOUGH:.0%} of the nearest: keep it.", exact)
    other = (
        f"{_ms(fastest.search_p50_ms)} with {fastest.kind.upper()} (effort {fastest.effort}), "
        f"which finds {fastest.recall_at_10:.1%} of the nearest"
    )
    saved = exact.search_p50_ms - fastest.search_p50_ms
    if saved < max(NOTICED_MS, NOTICED_SHARE * exact.search_p50_ms):
        return Advice(
            f"{told} and {other}. At this size another index makes no answer noticeably faster: "
            "keep the exact one, which misses nothing.",
            exact,
        )
    return Advice(f"{told} and {other}: use {fastest.kind.upper()}.", fastest)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"
