"""Says in words what a search did: how passages moved, what it was set to, how good its evidence is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pages.shared import wording
from rag.types import Chunk, Filters, Hit, IndexKind, Retrieval, RetrievalConfig

INDEXES: Mapping[IndexKind, str] = {"flat": "Exact (Flat)", "ivf": "Cells (IVF)", "hnsw": "Graph (HNSW)"}
FIRST_WORDS = 80
"""Characters of a passage that tell it from its neighbours."""


def passage(title: str, heading_path: Iterable[str]) -> str:
    """Return e.g. "Caching › When not to cache", the title of the document first."""
    return " › ".join(dict.fromkeys(name for name in (title, *heading_path) if name))


def first_words(chunk: Chunk) -> str:
    """Return how a passage begins, without its own heading line."""
    lines = [line for line in chunk.text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    words = " ".join(" ".join(lines).split())
    return words if len(words) <= FIRST_WORDS else words[:FIRST_WORDS].rsplit(" ", 1)[0] + " …"


def moved(hit: Hit) -> str:
    """Return how the fusion moved a passage, e.g. "▲ 3 → 1 (3 by meaning, 1 by words)"."""
    if hit.dense_rank is None:
        return f"{hit.lexical_rank} by words alone" if hit.lexical_rank else ""
    by_words = f"{hit.lexical_rank} by words" if hit.lexical_rank else "no shared words"
    places = f"{hit.dense_rank} by meaning, {by_words}"
    if hit.dense_rank == hit.rank:
        return f"stays {hit.rank} ({places})"
    return f"{'▲' if hit.rank < hit.dense_rank else '▼'} {hit.dense_rank} → {hit.rank} ({places})"


def change(a: int | None, b: int | None) -> str:
    """Return how a passage's place differs between two searches; None: it was not found."""
    if a is None:
        return f"only in B, place {b}"
    if b is None:
        return f"only in A, place {a}"
    if a == b:
        return f"both {a}"
    return f"{'▲' if b < a else '▼'} A {a}, B {b}"


def setting(config: RetrievalConfig) -> str:
    """Return what a search was set to, as one sentence."""
    effort = f", effort {config.effort}" if config.effort else ""
    return (
        f"Used are the best {config.top_k} of up to {config.candidates} by meaning and {config.candidates} "
        f"by words; words count {config.words_weight:.0%} of the merged score; index "
        f"{INDEXES[config.index]}{effort}."
    )


def changes(before: RetrievalConfig, after: RetrievalConfig) -> str:
    """Return what differs between two settings, e.g. "passages used 6 → 8"; empty when nothing does."""
    pairs = (
        ("passages used", str(before.top_k), str(after.top_k)),
        ("candidates a list", str(before.candidates), str(after.candidates)),
        ("weight of words", f"{before.words_weight:.0%}", f"{after.words_weight:.0%}"),
        ("index", INDEXES[before.index], INDEXES[after.index]),
        ("effort", str(before.effort or "default"), str(after.effort or "default")),
    )
    return ", ".join(f"{name} {old} → {new}" for name, old, new in pairs if old != new)


def restricted(filters: Filters, titles: Mapping[str, str]) -> str:
    """Return what a search was restricted to; `titles` are those of documents by id."""
    parts = [f"topic {wording.topic(topic)}" for topic in sorted(filters.topics)]
    parts += [f"document {titles.get(document, document)}" for document in sorted(filters.document_ids)]
    return ", ".join(parts) or "no filter"


def verdict(retrieval: Retrieval) -> str:
    """Return in one sentence what the passages are good for."""
    if not retrieval.hits:
        return "Nothing was found: no passage may be searched, or the library is empty."
    if not retrieval.sufficient:
        return "Not good enough to answer from: Viva says so instead of guessing."
    if retrieval.borderline:
        return "Good enough for a part of an answer, which will say what it lacks."
    return "Good enough to answer from."


def weighed(retrieval: Retrieval) -> str:
    """Return how the verdict came about, with its log-odds explained."""
    told = [
        f"The best three passages were weighed: the closest window or sentence is at cosine "
        f"{retrieval.best_cosine:.2f} of 1, and the passages have {retrieval.word_cover:.0%} of the query’s "
        "words by weight (rare words weigh more).",
        f"That makes {retrieval.margin:+.1f} on the scale of the cut-off (log-odds; 0 is an even chance): of "
        f"100 searches with such evidence, {_of_100(retrieval.margin)} can be answered.",
    ]
    if retrieval.hits and not retrieval.sufficient and retrieval.margin >= 0:
        told.append("The passages came near enough, but none of their sentences answers the question.")
    return " ".join(told)


def _of_100(margin: float) -> str:
    share = 100 / (1 + math.exp(-max(-50.0, min(50.0, margin))))
    if share < 1:
        return "fewer than one"
    return "more than 99" if share > 99 else f"about {share:.0f}"
