"""Finds the passages that can answer a query and records how each came to its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.embedding.base import Embedder
from rag.errors import InvalidInput
from rag.retrieval.cutoff import Evidence, weigh
from rag.retrieval.cutting import cut_reasons
from rag.retrieval.fusion import ranks
from rag.retrieval.index import CorpusIndex
from rag.retrieval.searching import Lists, all_compared, final_scores, search
from rag.retrieval.whereabouts import Preview, Whereabouts, whereabouts
from rag.storage.library import Library
from rag.stores.base import Rows
from rag.text.words import content_words, stem, stems
from rag.types import Chunk, Filters, Hit, Retrieval, RetrievalConfig

WEIGHED = 3
"""How many of the best passages are weighed as evidence."""
NEIGHBOURS = 20
"""How many of the nearest vectors tell whether the library treats the subject at all."""


class Retriever:
    """Dense and lexical search over one index, fused; the index is replaced, never changed."""

    follows_in_background: bool = False
    """True: a search uses the index that is there, and somebody else calls `refresh` after changes."""

    def __init__(
        self,
        embedder: Embedder,
        library: Library,
        build: Callable[[CorpusIndex | None], CorpusIndex],
        default_config: Callable[[], RetrievalConfig],
        preview: Preview,
    ) -> None:
        """`build` returns the index of the library's present version, given the one before it.

        `default_config` is asked on every search that names none; `preview` says what a prompt has room for.
        """
        self._embedder = embedder
        self._library = library
        self._build = build
        self._default_config = default_config
        self._preview = preview
        self._building = Lock()
        self._index = build(None)

    @property
    def index(self) -> CorpusIndex:
        """The index in use."""
        return self._index

    def refresh(self) -> CorpusIndex:
        """Return the index of the library's present version, building it if the library changed."""
        if self._library.version() != self._index.version:
            with self._building:
                if self._library.version() != self._index.version:
                    self._index = self._build(self._index)
        return self._index

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of one text, shape (dimension,)."""
        vector: NDArray[np.float32] = self._embedder.embed([text])[0]
        return vector

    def retrieve(
        self,
        query: str,
        *,
        top_k: int | None = None,
        filters: Filters = Filters(),
        config: RetrievalConfig | None = None,
    ) -> Retrieval:
        """Return the candidates for `query`, best first, at most `top_k` of them kept.

        None: what the default config says. A passage that changed since the index was built is left out.
        """
        started = perf_counter()
        config = config or self._default_config()
        if top_k is not None:
            config = replace(config, top_k=top_k)
        return self._search(self._present(), query, filters, config, started)[0]

    def whereabouts(
        self,
        query: str,
        chunk_id: str,
        *,
        filters: Filters = Filters(),
        config: RetrievalConfig | None = None,
    ) -> Whereabouts:
        """Return how far a passage comes in the search for `query`, and where it is lost.

        Raises InvalidInput when the library has no such passage, or none that the reader may see.
        """
        started = perf_counter()
        index = self._present()
        place = index.chunk(chunk_id)
        chunk = self._library.chunks_by_id([chunk_id]).get(chunk_id)
        if place is None or chunk is None or place.owner not in ("", filters.reader):
            raise InvalidInput(
                f"The library has no passage {chunk_id!r}.", hint="Choose one of the passages in the list."
            )
        if not place.is_still(chunk):
            raise InvalidInput(
                "This passage has just changed and can't be searched yet.", hint="Try again in a moment."
            )
        config = config or self._default_config()
        retrieval, lists = self._search(index, query, filters, config, started)
        lists = all_compared(index, lists, config)
        return whereabouts(index, chunk, lists, retrieval, self._preview(retrieval))

    def _present(self) -> CorpusIndex:
        return self._index if self.follows_in_background else self.refresh()

    def _search(
        self, index: CorpusIndex, query: str, filters: Filters, config: RetrievalConfig, started: float
    ) -> tuple[Retrieval, Lists]:
        vector = self.embed(query)
        embedded = perf_counter()
        terms = stems(query)
        lists = search(index, vector, terms, filters, config)
        hits = self._hits(index, lists, terms, config)
        evidence = _evidence(index, lists.similar, terms, hits)
        verdict = weigh(evidence)
        timings = {"embed": (embedded - started) * 1000, **lists.timings_ms}
        total = (perf_counter() - started) * 1000
        retrieval = Retrieval(
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
            config=config,
            timings_ms=timings | {"fuse": total - sum(timings.values()), "total": total},
        )
        return retrieval, lists

    def _texts(self, index: CorpusIndex, ids: Sequence[str]) -> Mapping[str, Chunk]:
        """Return the stored chunks; while the library is the indexed one, each is read only once."""
        if self.follows_in_background and self._library.version() != index.version:
            return self._library.chunks_by_id(ids)
        if unread := [chunk_id for chunk_id in ids if chunk_id not in index.texts]:
            index.texts.update(self._library.chunks_by_id(unread))
        return index.texts

    def _hits(
        self, index: CorpusIndex, lists: Lists, terms: Sequence[str], config: RetrievalConfig
    ) -> list[Hit]:
        """Return the candidates in fused order, those that are not used with the reason."""
        listed = lists.listed
        texts = self._texts(index, [index.chunks[number].id for number in listed])
        scores = {
            number: score
            for number, score in final_scores(index, lists, listed).items()
            if (chunk := texts.get(index.chunks[number].id)) and index.chunks[number].is_still(chunk)
        }
        ordered = ranks(scores)
        dense_ranks = ranks({n: float(lists.cosines[n]) for n in lists.dense if n in scores})
        lexical_ranks = {number: rank for rank, number in enumerate(lists.by_words.tolist(), start=1)}
        reasons = cut_reasons(((index.chunks[number], scores[number]) for number in ordered), config.top_k)
        matched = index.lexical.matched_in(terms, list(ordered))
        return [
            Hit(
                chunk=texts[index.chunks[number].id],
                title=index.chunks[number].title,
                topic=index.chunks[number].topic,
                rank=rank,
                score=scores[number],
                dense_rank=dense_ranks.get(number),
                dense_score=float(lists.cosines[number]),
                lexical_rank=(by_words := lexical_ranks.get(number)),
                lexical_score=None if by_words is None else float(lists.shares[number]),
                matched_terms=of_query,
                cut=reason,
            )
            for (number, rank), reason, of_query in zip(ordered.items(), reasons, matched, strict=True)
        ]


def _any(rows: slice | Rows) -> bool:
    return rows.stop > rows.start if isinstance(rows, slice) else len(rows) > 0


def _best(similar: NDArray[np.float32], rows: slice | Rows) -> float:
    return float(similar[rows].max())


def _evidence(
    index: CorpusIndex,
    similar: NDArray[np.float32],
    terms: Sequence[str],
    hits: Sequence[Hit],
) -> Evidence:
    kept = [hit for hit in hits if hit.cut is None][:WEIGHED]
    places = [place for hit in kept if (place := index.chunk(hit.chunk.id)) is not None]
    asked = [_best(similar, place.questions) for place in places if _any(place.questions)]
    nearest = similar[~np.isnan(similar)]  # what the filters leave out is never compared
    nearest = np.sort(
        np.partition(nearest, -NEIGHBOURS)[-NEIGHBOURS:] if len(nearest) > NEIGHBOURS else nearest
    )
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
