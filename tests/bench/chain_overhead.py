"""The chain's own share of the time before the first token: the model is a stub that needs a fixed time.

`python tests/bench/chain_overhead.py [--runs 40]` prints milliseconds; exit 1: the median exceeds its bound.
Retrieval is left out (it has a benchmark of its own); the prompt has six passages, as in production.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from rag.answering.chain import ChainAnswerer
from rag.providers.choice import ModelChoice
from rag.settings import ChatSettings
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from rag.types import Ask, Chunk, Filters, Hit, Retrieval, TextDelta
from tests.stub_server import StubServer

BOUND_MS = 60
STUB_S = 0.3
SENTENCE = "A graph index answers queries fast, but it needs more memory than the vectors alone. "


class Found:
    """Six passages of about 400 tokens each."""

    def retrieve(self, query: str, *, top_k: int | None = None, filters: Filters = Filters()) -> Retrieval:
        hits = []
        for rank in range(1, 7):
            text = SENTENCE.replace("A graph", f"Graph {rank}") * 22
            chunk = Chunk(f"c{rank}", f"d{rank}", ("Indexes",), 0, len(text), text, 400)
            hits.append(Hit(chunk, "Indexes", "rag", rank, 1.0 / rank))
        return Retrieval(query, tuple(hits), sufficient=True)


def first_token_ms(answerer: ChainAnswerer) -> float:
    """Return the milliseconds from the question to the first visible text, without the stub's own time."""
    started = time.perf_counter()
    stream = answerer.stream(Ask("How much memory does a graph index need?"))
    for event in stream:
        if isinstance(event, TextDelta) and event.text:
            elapsed = time.perf_counter() - started
            break
    for _ in stream:
        pass
    return (elapsed - STUB_S) * 1000


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, StubServer(delay_s=STUB_S) as stub:
        database = Database(f"sqlite:///{folder}/viva.db")
        ledger = Ledger(database, lambda: datetime.now(UTC))
        choice = ModelChoice("openai_compatible", "ok", stub.url)
        answerer = ChainAnswerer(Found(), choice, ledger, lambda claims, _: tuple(claims), ChatSettings())
        cold = first_token_ms(answerer)
        times = sorted(first_token_ms(answerer) for _ in range(runs))
        database.close()
    median, p95 = statistics.median(times), times[int(len(times) * 0.95) - 1]
    print(
        f"chain before the first token: p50 {median:.1f} ms, p95 {p95:.1f} ms, first question {cold:.0f} ms"
    )
    print(f"bound on the median: {BOUND_MS} ms; stub's own {STUB_S * 1000:.0f} ms taken off; {runs} runs")
    return int(median > BOUND_MS)


if __name__ == "__main__":
    sys.exit(main())
