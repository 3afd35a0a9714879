"""Finds the passages that can answer a query and records how each came to its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Embedder
from rag.retrieval.cutoff import Evidence, weigh
from rag.retrieval.fusion import company, fused_score, ranks
from rag.retrieval.index import CorpusIndex, is_reference_list
from rag.storage.library import Library
from rag.stores.base import Rows
from rag.text.words import content_words, stem, stems
from rag.types import Filters, Hit, Retrieval

ROWS_PER_CANDIDATE = 8
"""Rows asked of the vector store per candidate chunk: a chunk has several windows and sentences."""
NEAR_DUPLICATE = 0.8
"""Share of stems two passages have in common from which the lower one is dropped."""
WEIGHED = 3
"""How many of the best passages are weighed as evidence."""
NEIGHBOURS = 20
"""How many of the nearest vectors tell whether the library treats the subject at all."""
BEHIND = 0.5
"""What a list of references keeps of its score."""
FAR_BEHIND = 0.45
"""A hit below this share of the best score is not used."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What the two lists say: scores by chunk number."""

    dense_listed: frozenset[int]
    cosines: dict[int, float]
    """Of every candidate, also those that the lexical list alone contributed."""
    shares: dict[int, float]
    """Lexical scores above zero, also of those that the dense list alone contributed."""
    lexical_ranks: dict[int, int]
    """Their places among all allowed chunks."""
    alone: dict[str, float]
    """By document, what its chunks lose because the best of them stands alone."""


class Retriever:
    """Dense and lexical search over one index, fused; the index is replaced, never changed."""

    def __init__(
        self,
        embedder: Embedder,
        library: Library,
        build: Callable[[], CorpusIndex],
        *,
        top_k: int,
        candidates: int,
    ) -> None:
        """`build` returns the index of the library's present version."""
        self._embedder = embedder
        self._library = library
        self._build = build
        self._top_k = top_k
        self._candidates = candidates
        self._building = Lock()
        self._index = build()

    @property
    def index(self) -> CorpusIndex:
        """The index in use."""
        return self._index

    def refresh(self) -> CorpusIndex:
        """Return the index of the library's present version, building it if the library changed."""
        if self._library.version() != self._index.version:
            with self._building:
                if self._library.version() != self._index.version:
                    self._index = self._build()
        return self._index

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of one text, shape (dimension,)."""
        vector: NDArray[np.float32] = self._embedder.embed([text])[0]
        return vector

    def retrieve(self, query: str, *, top_k: int | None = None, filters: Filters = Filters()) -> Retrieval:
        """Return the candidates for `query`, best first, at most `top_k` of them kept."""
        started = perf_counter()
        index = self.refresh()
        vector = self.embed(query)
        embedded = perf_counter()
        allowed = index.allowed(filters)
        most = max(self._candidates, top_k or 0)
        among = None if allowed.all() else index.rows_of([int(n) for n in np.flatnonzero(allowed)])
        similar = index.vectors @ vector
        cosines = index.cosines(similar)
        dense = self._dense(index, vector, allowed, among, most)
        searched = perf_counter()
        terms = stems(query)
        shares = np.where(allowed, index.lexical.scores(terms), 0)
        by_words = np.argsort(-shares, kind="stable")
        lexical = [int(number) for number in by_words[:most] if shares[number] > 0]
        worded = perf_counter()
        found = {*dense, *lexical}
        places = np.argsort(by_words)
        candidates = _Candidates(
            frozenset(dense),
            {number: float(cosines[number]) for number in found},
            {number: float(shares[number]) for number in found if shares[number] > 0},
            {number: int(places[number]) + 1 for number in found if shares[number] > 0},
            {
                document_id: company(
                    [
                        _score(index, number, float(cosines[number]), float(shares[number]))
                        for number in index.chunks_in(document_id)
                    ]
                )
                for document_id in {index.chunks[number].document_id for number in found}
            },
        )
        hits = self._hits(index, candidates, terms)
        hits = _cut(hits, self._top_k if top_k is None else top_k)
        evidence = _evidence(index, similar, among, terms, hits)
        verdict = weigh(evidence)
        fused = perf_counter()
        return Retrieval(
            query=query,
            hits=tuple(hits),
            sufficient=verdict.level != "insufficient",
            borderline=verdict.level == "borderline",
            margin=verdict.margin,
            best_cosine=max(evidence.window, evidence.sentence),
            word_cover=_cover(
                index, terms, {term for hit in hits if hit.cut is None for term in hit.matched_terms}
            ),
            missing_terms=_missing(query, hits),
            nearest_topics=_nearest(hits),
            filters=filters,
            timings_ms={
                "embed": (embedded - started) * 1000,
                "dense": (searched - embedded) * 1000,
                "lexical": (worded - searched) * 1000,
                "fuse": (fused - worded) * 1000,
                "total": (fused - started) * 1000,
            },
        )

    def _dense(
        self,
        index: CorpusIndex,
        vector: NDArray[np.float32],
        allowed: NDArray[np.bool_],
        among: Rows | None,
        most: int,
    ) -> list[int]:
        """Return at most `most` chunk numbers by their nearest window or sentence, nearest first."""
        rows, _ = index.store.search(vector, most * ROWS_PER_CANDIDATE, among=among)
        found: dict[int, None] = {}
        for row in rows:
            for number in index.chunks_of(int(row)):
                if allowed[number]:
                    found.setdefault(number)
        return list(found)[:most]

    def _hits(self, index: CorpusIndex, candidates: _Candidates, terms: Sequence[str]) -> list[Hit]:
        scores = {
            number: _score(index, number, cosine, candidates.shares.get(number, 0.0))
            - candidates.alone[index.chunks[number].document_id]
            for number, cosine in candidates.cosines.items()
        }
        dense_ranks = ranks({number: candidates.cosines[number] for number in candidates.dense_listed})
        texts = self._library.chunks_by_id([index.chunks[number].id for number in scores])
        hits = []
        for number, rank in sorted(ranks(scores).items(), key=lambda item: item[1]):
            place = index.chunks[number]
            chunk = texts.get(place.id)
            if chunk is None:  # removed since the index was built
                continue
            hits.append(
                Hit(
                    chunk=chunk,
                    title=place.title,
                    topic=place.topic,
                    rank=rank,
                    score=scores[number],
                    dense_rank=dense_ranks.get(number),
                    dense_score=candidates.cosines[number],
                    lexical_rank=candidates.lexical_ranks.get(number),
                    lexical_score=candidates.shares.get(number),
                    matched_terms=index.lexical.matched(terms, number),
                )
            )
        return hits


def _score(index: CorpusIndex, number: int, cosine: float, share: float) -> float:
    """Return the fused score of a chunk; a list of references stands behind what says something."""
    score = fused_score(cosine, share)
    return score * BEHIND if index.chunks[number].lists_references else score


def _any(rows: slice | Rows) -> bool:
    return rows.stop > rows.start if isinstance(rows, slice) else len(rows) > 0


def _best(similar: NDArray[np.float32], rows: slice | Rows) -> float:
    return float(similar[rows].max())


def _cut(hits: Iterable[Hit], top_k: int) -> list[Hit]:
    """Return the hits with the reason for which each is not used, where it is not."""
    decided: list[Hit] = []
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        reason = None
        if len(kept) >= top_k:
            reason = f"beyond the top {top_k}"
        elif is_reference_list(hit.chunk.heading_path):
            reason = "lists references"
        elif kept and hit.score < FAR_BEHIND * kept[0][0].score:
            reason = "far behind the best passage"
        else:
            words = frozenset(stems(hit.chunk.text))
            twin = next((other for other, own in kept if _alike(hit, words, other, own)), None)
            if twin is None:
                kept.append((hit, words))
            else:
                reason = f"says the same as rank {twin.rank}"
        decided.append(replace(hit, cut=reason))
    return decided


def _alike(hit: Hit, words: frozenset[str], other: Hit, own: frozenset[str]) -> bool:
    """Tell whether two passages are near duplicates (Jaccard similarity of their stems)."""
    union = len(words | own)
    return hit.chunk.id != other.chunk.id and union > 0 and len(words & own) >= NEAR_DUPLICATE * union


def _evidence(
    index: CorpusIndex,
    similar: NDArray[np.float32],
    among: Rows | None,
    terms: Sequence[str],
    hits: Sequence[Hit],
) -> Evidence:
    kept = [hit for hit in hits if hit.cut is None][:WEIGHED]
    places = [place for hit in kept if (place := index.chunk(hit.chunk.id)) is not None]
    asked = [_best(similar, place.questions) for place in places if _any(place.questions)]
    nearest = np.sort(similar if among is None else similar[among])[-NEIGHBOURS:]
    return Evidence(
        question=max(asked, default=None),
        window=max((_best(similar, p.windows) for p in places if _any(p.windows)), default=0.0),
        sentence=max((_best(similar, p.sentence_rows) for p in places if _any(p.sentence_rows)), default=0.0),
        cover=max((_cover(index, terms, hit.matched_terms) for hit in kept), default=0.0),
        neighbourhood=float(nearest.mean()) if len(nearest) else 0.0,
        terms=len(set(terms)),
    )


def _cover(index: CorpusIndex, terms: Sequence[str], matched: Iterable[str]) -> float:
    """Return the share, by idf, of the query's distinct stems that are among the matched ones."""
    weights = {term: index.lexical.idf(term) for term in terms}
    total = sum(weights.values())
    return sum(weights[term] for term in set(matched)) / total if total else 0.0


def _missing(query: str, hits: Sequence[Hit]) -> tuple[str, ...]:
    found = {term for hit in hits if hit.cut is None for term in hit.matched_terms}
    return tuple(word for word in content_words(query) if stem(word.lower()) not in found)


def _nearest(hits: Sequence[Hit], most: int = 3) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.title for hit in hits))[:most]
