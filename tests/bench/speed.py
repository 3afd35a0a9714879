"""Measures what a user waits for: query embedding, warm start, embedded answers, memory.

Run `python3 -m tests.bench.speed`. Peers are measured in the same run: the torch model for embedding, and the
bare interpreter with the same imports for the start. Times are milliseconds, memory is resident MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rag.evaluation.metrics import percentile

ROOT = Path(__file__).parents[2]
QUERIES = (
    "What is the difference between IVF and HNSW?",
    "How do I stop an agent from looping?",
    "why is a long context expensive",
    "Our p95 latency tripled after we added a reranker. What should we look at?",
)
ROUNDS = 50

_ANSWERS = """
import json, resource, sys, time
from rag.services import build_services
from rag.settings import load_settings
from rag.types import Ask
from tests.bench.speed import QUERIES
services = build_services(load_settings(data_dir=sys.argv[1]))
def ask(question):
    started = time.perf_counter()
    list(services.answerer().stream(Ask(question)))
    return (time.perf_counter() - started) * 1000
first = ask(QUERIES[0])
with open("/proc/self/status") as status:
    resident = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
times = [ask(question) for _ in range(50) for question in QUERIES]
print(json.dumps({"first": first, "times": times, "resident": resident, "torch": "torch" in sys.modules}))
"""


def timed(call: Callable[[], object]) -> float:
    """Return how long a call took, in milliseconds."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def embedding(data_dir: Path) -> dict[str, float]:
    """Return the p50 of one query by ONNX and by torch."""
    from rag.embedding.onnx import open_onnx_embedder
    from rag.embedding.sentence_transformers import SentenceTransformerEmbedder

    ours, peer = open_onnx_embedder(data_dir), SentenceTransformerEmbedder("all-MiniLM-L6-v2")
    times: dict[str, list[float]] = {"onnx": [], "torch": []}
    for _ in range(ROUNDS):  # in turn, so that a busy moment hits both
        for query in QUERIES:
            times["onnx"].append(timed(lambda query=query: ours.embed([query])))  # type: ignore[misc]
            times["torch"].append(timed(lambda query=query: peer.embed([query])))  # type: ignore[misc]
    return {name: percentile(values, 0.5) for name, values in times.items()}


def answers(data_dir: Path) -> dict[str, float]:
    """Return first answer, p50, p95 and resident memory of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _ANSWERS, str(data_dir)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert not found["torch"], "the warm path imported torch"
    return {
        "first_ms": found["first"],
        "p50_ms": percentile(found["times"], 0.5),
        "p95_ms": percentile(found["times"], 0.95),
        "resident_mb": found["resident"],
    }


def warm_start(data_dir: Path, runs: int = 5) -> float:
    """Return the median of whole `python3 -m rag ask` processes, in milliseconds."""
    command = [sys.executable, "-m", "rag", "--data-dir", str(data_dir), "ask", QUERIES[0]]
    return percentile(
        [
            timed(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True))
            for _ in range(runs)
        ],
        0.5,
    )


def main() -> None:
    """Print the figures; the first argument names a data folder to use instead of a new one."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        command = [sys.executable, "-m", "rag", "--data-dir", str(data_dir), "documents"]
        first = timed(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True))
        print(f"first start            {first:8.0f} ms")
        print(f"warm `rag ask`         {warm_start(data_dir):8.0f} ms (median of 5 processes)")
        for name, value in answers(data_dir).items():
            print(f"embedded answer        {value:8.1f} {name}")
        pair = embedding(data_dir)
        print(f"query embedding        {pair['onnx']:8.2f} ms p50 by ONNX, {pair['torch']:.2f} by torch")
        print(f"ratio                  {pair['onnx'] / pair['torch']:8.2f}")


if __name__ == "__main__":
    main()
