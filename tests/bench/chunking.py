"""Compares Viva's chunks with those of LangChain's splitter by the characters that a search brings back.

Run `python3 -m tests.bench.chunking [CORPUS...]` (about 5 minutes for all). The data is taken from the
folder VIVA_EVAL_DIR (default ../shared/eval/dev): five long texts, 472 questions with the spans that answer
them. For each question the five chunks nearest by meaning (all-MiniLM-L6-v2, a chunk's best vector) are kept.
recall: share of the gold characters found; precision: share of the found characters that are gold;
IoU: gold and found over gold or found; each the mean over the questions, overlapping chunks counted once.

RecursiveCharacterTextSplitter gets, for each text, the chunk size at which its chunks have as many tokens on
average as ours, with 15 % overlap. Its chunks are embedded whole, as a plain pipeline does (the model reads
256 word pieces), and once more in our windows, which tells what the cuts do from what the embedding does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.embedding.base import Vectors
from rag.embedding.packaged import model_folder
from rag.evaluation.metrics import mean
from rag.ingestion.chunking import chunk, window_text, windows
from rag.ingestion.loading import load_file
from rag.text import tokens
from rag.types import Chunk, Document

EVAL = Path(os.environ.get("VIVA_EVAL_DIR", Path(__file__).parents[3] / "shared" / "eval" / "dev"))
TOP_K = 5
SPLITTER_OVERLAP = 0.15
Embed = Callable[[Sequence[str]], Vectors]
Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well chunks serve one question, or the mean over several."""

    recall: float
    precision: float
    iou: float


def compare(document: Document, questions: Sequence[dict[str, Any]], embed: Embed) -> dict[str, Any]:
    """Return for each method its chunks' mean tokens and the scores of every question."""
    ours = chunk(document)
    theirs = split(document, mean([part.tokens for part in ours]))
    asked = embed([question["question"] for question in questions])
    gold = [
        [(span["start_index"], span["end_index"]) for span in question["references"]]
        for question in questions
    ]
    methods: dict[str, tuple[list[Chunk], Callable[[Chunk], list[str]]]] = {
        "Viva": (ours, lambda part: in_windows(document, part)),
        "splitter": (theirs, lambda part: [part.text]),
        "splitter, Viva's windows": (theirs, lambda part: in_windows(document, part)),
    }
    return {
        name: {
            "chunks": len(chunks),
            "tokens": mean([part.tokens for part in chunks]),
            "scores": list(map(score, found(chunks, texts, asked, embed), gold)),
        }
        for name, (chunks, texts) in methods.items()
    }


def split(document: Document, tokens_wanted: float) -> list[Chunk]:
    """Return the splitter's chunks, of `tokens_wanted` tokens on average to within a hundredth."""
    size = tokens_wanted * 4
    best: list[Chunk] = []
    for _ in range(12):
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=round(size), chunk_overlap=round(size * SPLITTER_OVERLAP), add_start_index=True
        )
        pieces = splitter.create_documents([document.text])
        places = [(piece.metadata["start_index"], piece.page_content) for piece in pieces]
        chunks = [
            Chunk("", document.id, (), start, start + len(text), text, tokens.count(text))
            for start, text in places
        ]
        if not best or _miss(chunks, tokens_wanted) < _miss(best, tokens_wanted):
            best = chunks
        if _miss(best, tokens_wanted) < 0.01:
            break
        size *= tokens_wanted / mean([part.tokens for part in chunks])
    return best


def _miss(chunks: Sequence[Chunk], tokens_wanted: float) -> float:
    return abs(mean([part.tokens for part in chunks]) / tokens_wanted - 1)


def in_windows(document: Document, part: Chunk) -> list[str]:
    """Return the texts that are embedded for a chunk."""
    return [window_text(document, part, span) for span in windows(document, part)]


def found(
    chunks: Sequence[Chunk], texts_of: Callable[[Chunk], list[str]], asked: Vectors, embed: Embed
) -> list[Ranges]:
    """Return for each question the character ranges of the chunks nearest to it."""
    texts = [texts_of(part) for part in chunks]
    starts = np.cumsum([0, *map(len, texts)])[:-1]
    cosines = embed([text for of_chunk in texts for text in of_chunk]) @ asked.T
    best = np.maximum.reduceat(cosines, starts, axis=0)
    nearest = np.argsort(-best, axis=0, kind="stable")[:TOP_K].T
    return [[(chunks[row].start, chunks[row].end) for row in rows] for rows in nearest]


def score(retrieved: Ranges, gold: Ranges) -> Scores:
    """Return how the characters of two sets of ranges agree."""
    got, wanted = characters(retrieved), characters(gold)
    both = len(got & wanted)
    return Scores(both / len(wanted), both / len(got), both / len(got | wanted))


def characters(ranges: Ranges) -> set[int]:
    """Return the offsets that lie in at least one of the ranges."""
    return {offset for start, end in ranges for offset in range(start, end)}


def packaged_model() -> Embed:
    """Return the plain packaged model; equal texts are embedded once."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder()), device="cpu")
    known: dict[str, Any] = {}

    def embed(texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        vectors = model.encode(new, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
        known.update(zip(new, vectors, strict=True))
        return np.stack([known[text] for text in texts])

    return embed


def main(chosen: Sequence[str]) -> None:
    """Print the scores by text and over all questions."""
    folder = EVAL / "chunking_eval"
    lines = (folder / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    embed = packaged_model()
    overall: dict[str, list[Scores]] = {}
    print(f"{'':26}{'chunks':>8}{'tokens':>8}{'recall':>8}{'precision':>11}{'IoU':>8}")
    for path in sorted((folder / "corpora").iterdir()):
        if chosen and path.stem not in chosen:
            continue
        about = [question for question in questions if question["corpus"] == path.name]
        document = replace(load_file(path, path.parent), title=path.stem)
        print(f"{path.stem}, {len(about)} questions")
        for name, result in compare(document, about, embed).items():
            _print_row(name, f"{result['chunks']:8d}{result['tokens']:8.0f}", result["scores"])
            overall.setdefault(name, []).extend(result["scores"])
    print(f"all, {len(next(iter(overall.values())))} questions")
    for name, scores in overall.items():
        _print_row(name, " " * 16, scores)


def _print_row(name: str, sizes: str, scores: Sequence[Scores]) -> None:
    recall, precision, iou = (
        mean([getattr(one, measure) for one in scores]) for measure in ("recall", "precision", "iou")
    )
    print(f"  {name:24}{sizes}{recall:8.3f}{precision:11.4f}{iou:8.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
