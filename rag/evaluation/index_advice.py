"""Says which kind of index to use, given what each was measured to find and how fast it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evaluation.index_bench import IndexFigures

ENOUGH = 0.95
"""Recall@10 below which an index loses more than the fusion with the search by words makes good."""
UNNOTICED_MS = 20.0
"""What exact search may take: nobody notices it, and the rest of a search takes longer."""
WORTH_IT = 2.0
"""How many times faster an index must be to be worth what it misses."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to use and why."""

    text: str
    best: IndexFigures


def advise(figures: Sequence[IndexFigures], vectors: int) -> Advice:
    """Return the advice for an index of so many vectors; `figures` include those of the exact one."""
    exact = next(figure for figure in figures if figure.kind == "flat")
    good = [figure for figure in figures if figure.kind != "flat" and figure.recall_at_10 >= ENOUGH]
    fastest = min(good, key=lambda figure: figure.p50_ms, default=None)
    told = f"With {vectors:,} vectors exact search takes {_ms(exact)}"
    if fastest is None:
        return Advice(f"{told}, and nothing faster finds {ENOUGH:.0%} of the nearest: keep it.", exact)
    other = (
        f"{fastest.kind.upper()} with effort {fastest.effort} takes {_ms(fastest)} and finds "
        f"{fastest.recall_at_10:.1%} of the nearest"
    )
    if exact.p50_ms <= UNNOTICED_MS:
        return Advice(f"{told} and misses nothing: keep it. {other}.", exact)
    if exact.p50_ms < WORTH_IT * fastest.p50_ms:
        return Advice(f"{told} and misses nothing: keep it, for {other}.", exact)
    return Advice(f"{told}; {other}: use it.", fastest)


def _ms(figure: IndexFigures) -> str:
    return f"{figure.p50_ms:.0f} ms" if figure.p50_ms >= 10 else f"{figure.p50_ms:.2g} ms"
