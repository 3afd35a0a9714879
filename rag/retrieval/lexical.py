"""Searches passages by their words: BM25 over stems, built once per version of the library."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

from rag.text.words import distinct, stems

logging.getLogger("bm25s").setLevel(logging.WARNING)  # on import it switches its debug messages on

K1, B = 0.9, 0.6
"""BM25's saturation and length normalisation. A low k1 suits passages, in which a second occurrence of a word
says little; flat around these values on encyclopedia passages and on documentation sections."""


class LexicalIndex:
    """BM25 scores, term statistics and matched terms of a fixed list of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._index([stems(text) for text in texts])

    @classmethod
    def of_stems(cls, stems_of_texts: Sequence[Sequence[str]]) -> LexicalIndex:
        """Return the index of texts whose stems are known, with repeats; their order does not count."""
        index = cls.__new__(cls)
        index._index([list(found) for found in stems_of_texts])
        return index

    def _index(self, tokens: list[list[str]]) -> None:
        self.size = len(tokens)
        self._bm25: bm25s.BM25 | None = None
        if any(tokens):
            self._bm25 = bm25s.BM25(k1=K1, b=B)
            self._bm25.index(tokens, show_progress=False)

    def scores(self, query_stems: Sequence[str]) -> NDArray[np.float32]:
        """Return one BM25 score per text, shape (size,), as a share of the highest a text could reach.

        The bound is the sum of the query terms' idf, so 1 means every term, often; terms that occur in
        no text count in the bound too. The share makes scores comparable between queries.
        """
        known = [term for term in query_stems if self.frequency(term)]
        if self._bm25 is None or not known:
            return np.zeros(self.size, np.float32)
        bound = sum(self.idf(term) for term in query_stems)
        return np.asarray(self._bm25.get_scores(known) / bound, np.float32)

    def frequency(self, term: str) -> int:
        """Return in how many texts the stem `term` occurs."""
        return len(self._texts_with(term))

    def idf(self, term: str) -> float:
        """Return ln(1 + (N - n + 0.5) / (n + 0.5)), n of N texts having the stem; highest for n = 0."""
        found = self.frequency(term)
        return math.log(1 + (self.size - found + 0.5) / (found + 0.5))

    def matched(self, query_stems: Sequence[str], row: int) -> tuple[str, ...]:
        """Return the distinct stems of the query that occur in text number `row`."""
        return self.matched_in(query_stems, [row])[0]

    def matched_in(self, query_stems: Sequence[str], rows: Sequence[int]) -> list[tuple[str, ...]]:
        """Return for each of the texts `rows` the distinct stems of the query that occur in it."""
        terms = distinct(query_stems)
        found = [np.isin(rows, self._texts_with(term)) for term in terms]
        return [
            tuple(term for term, has in zip(terms, found, strict=True) if has[place])
            for place in range(len(rows))
        ]

    def _texts_with(self, term: str) -> NDArray[np.int32]:
        number = self._bm25.vocab_dict.get(term) if self._bm25 is not None else None
        if number is None or self._bm25 is None:
            return np.empty(0, np.int32)
        start, end = self._bm25.scores["indptr"][number : number + 2]
        return np.asarray(self._bm25.scores["indices"][start:end])
