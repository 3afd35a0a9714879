"""Measures search and embedded answers on questions with known passages, beside plain peers.

Run `python3 -m tests.bench.retrieval [QUESTIONS]` (default 400, 0 for all). The data is taken from the folder
VIVA_EVAL_DIR (default ../shared/eval/dev). Peers: BM25 and vectors alone, their reciprocal rank fusion, and a
plain pipeline (one MiniLM vector a passage in FAISS, cut at 256 word pieces).
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.evaluation.metrics import averaged, mean, percentile, ranking, without_markers
from rag.retrieval.fusion import reciprocal_rank
from rag.services import Services, build_services
from rag.settings import load_settings
from rag.stores.faiss import FaissStore
from rag.types import Ask, Completed, Hit

EVAL = Path(os.environ.get("VIVA_EVAL_DIR", Path(__file__).parents[3] / "shared" / "eval" / "dev"))
QUESTIONS = 400
_NOT_WORDS = re.compile(r"\W+")


def load(folder: Path, most: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, str]]:
    """Return passages, the first `most` questions (0: all) and the gold passage of each question."""
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    rows = [line.split("\t") for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]]
    return corpus, queries[: most or None], {row[0]: row[1] for row in rows}


def build(corpus: Sequence[dict[str, Any]], data_dir: Path) -> Services:
    """Return services over a library with one document a passage."""
    sources = data_dir / "sources"
    sources.mkdir(parents=True)
    for passage in corpus:
        text = f"# {passage['title']}\n\n{passage['text']}\n"
        (sources / f"{passage['id']}.md").write_text(text, encoding="utf-8")
    services = build_services(load_settings(data_dir=data_dir, load_knowledge=False))
    services.ingest([sources])
    return services


def measure(services: Services, queries: Sequence[dict[str, Any]], gold: dict[str, str]) -> dict[str, Any]:
    """Return the ranking measures by method, and how the embedded answers did."""
    lists: dict[str, list[dict[str, float]]] = {}
    for query in queries:
        hits = services.retriever.retrieve(query["text"], top_k=10).hits
        relevant = {gold[query["id"]]: 1.0}
        for name, ordered in _orders(hits).items():
            found = list(dict.fromkeys(hit.chunk.document_id for hit in ordered))
            lists.setdefault(name, []).append(ranking(found, relevant))
    return {name: averaged(rows) for name, rows in lists.items()} | {"answers": _answers(services, queries)}


def plain_pipeline(
    services: Services,
    corpus: Sequence[dict[str, Any]],
    queries: Sequence[dict[str, Any]],
    gold: dict[str, str],
) -> dict[str, float]:
    """Return the measures of one vector a passage in FAISS, the usual starting point."""
    store = FaissStore(services.embedder.embed([p["title"] + "\n" + p["text"] for p in corpus]))
    rows = []
    for query in queries:
        places, _ = store.search(services.embedder.embed([query["text"]])[0], 10)
        rows.append(ranking([corpus[int(p)]["id"] for p in places], {gold[query["id"]]: 1.0}))
    return averaged(rows)


def _orders(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    def by(key: Callable[[Hit], int | None]) -> list[Hit]:
        return sorted((hit for hit in hits if key(hit) is not None), key=lambda hit: key(hit) or 0)

    return {
        "fused": list(hits),
        "dense": by(lambda hit: hit.dense_rank),
        "BM25": by(lambda hit: hit.lexical_rank),
        "reciprocal rank fusion": sorted(
            hits, key=lambda hit: -reciprocal_rank(hit.dense_rank, hit.lexical_rank)
        ),
    }


def _answers(services: Services, queries: Sequence[dict[str, Any]]) -> dict[str, float]:
    held, lengths, milliseconds, refused = [], [], [], 0
    for query in queries:
        for event in services.answerer().stream(Ask(query["text"])):
            if isinstance(event, Completed):
                answer = event.answer
        text = without_markers(answer.text)
        held.append(float(any(_plain(gold) in _plain(text) for gold in query["answers"])))
        lengths.append(float(len(text.split())))
        milliseconds.append(answer.timings_ms["total"])
        refused += answer.outcome == "not_in_kb"
    return {
        "contain the gold answer": mean(held),
        "words": mean(lengths),
        "refused": refused / len(queries),
        "p50 ms": percentile(milliseconds, 0.5),
        "p95 ms": percentile(milliseconds, 0.95),
    }


def _plain(text: str) -> str:
    return _NOT_WORDS.sub(" ", text.lower()).strip()


def main() -> None:
    """Print the table."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    corpus, queries, gold = load(EVAL / "retrieval_xquad_en", most)
    with tempfile.TemporaryDirectory() as folder:
        services = build(corpus, Path(folder) / "data")
        report = measure(services, queries, gold)
        report["plain pipeline"] = plain_pipeline(services, corpus, queries, gold)
        services.close()
    answers = report.pop("answers")
    print(f"{len(queries)} questions, {len(corpus)} passages")
    for name, figures in report.items():
        print(f"{name:<24}" + "  ".join(f"{key} {value:.4f}" for key, value in figures.items()))
    print("embedded answers        " + "  ".join(f"{key} {value:.3f}" for key, value in answers.items()))


if __name__ == "__main__":
    main()
