"""Answers out of the library's own sentences: quotes them, cites each, and never writes a word itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from uuid import uuid4

from rag.answering.composition import Composed, compose
from rag.answering.conversation import small_talk
from rag.answering.questions import wanted
from rag.answering.selection import candidates, select
from rag.answering.sufficiency import missing_part
from rag.retrieval.retriever import Retriever
from rag.text.words import stems
from rag.types import (
    Answer,
    AnswerEvent,
    Ask,
    Citation,
    Claim,
    Completed,
    Retrieval,
    Retrieved,
    SentSpan,
    TextDelta,
    Turn,
)

Check = Callable[[Sequence[Claim], Sequence[Citation]], tuple[Claim, ...]]
NOT_IN_SOURCES = "The sources do not answer this."


class EmbeddedAnswerer:
    """The default answerer: no model, no key, no network, no cost."""

    provider = "embedded"
    model = ""

    def __init__(
        self, retriever: Retriever, check: Check, condense: Callable[[str, Sequence[Turn]], str]
    ) -> None:
        """`condense` makes a follow-up stand alone; `check` gives each claim its support."""
        self._retriever = retriever
        self._check = check
        self._condense = condense

    def stream(self, ask: Ask) -> Iterator[AnswerEvent]:
        """Yield Retrieved (unless nothing is searched), the answer's sentences, and Completed."""
        clock = _Clock()
        trace_id = ask.trace_id or uuid4().hex
        if reply := small_talk(ask.question):
            yield TextDelta(reply)
            yield Completed(
                Answer("answered", reply, "conversation", timings_ms=clock.done(), trace_id=trace_id)
            )
            return
        searched = ask.searched_for or self._condense(ask.question, ask.history)
        clock.lap("condense")
        retrieval = self._retriever.retrieve(searched, filters=ask.filters)
        clock.add(retrieval.timings_ms)
        composed, missing, sent = self._compose(searched, retrieval)
        if composed is None:
            retrieval = replace(retrieval, sufficient=False)
        yield Retrieved(retrieval)
        clock.lap("compose")
        if composed is None:
            yield TextDelta(NOT_IN_SOURCES)
            yield Completed(
                Answer(
                    "not_in_kb",
                    NOT_IN_SOURCES,
                    "quotes",
                    retrieval=retrieval,
                    searched_for=searched,
                    timings_ms=clock.done(),
                    trace_id=trace_id,
                )
            )
            return
        for piece in composed.pieces:
            clock.first_token()
            yield TextDelta(piece)
        clock.lap("stream")
        claims = self._check(composed.claims, composed.citations)
        clock.lap("check")
        yield Completed(
            Answer(
                "partial" if missing else "answered",
                composed.text,
                "quotes",
                claims=claims,
                citations=composed.citations,
                retrieval=retrieval,
                searched_for=searched,
                timings_ms=clock.done(),
                trace_id=trace_id,
                missing=missing,
                sent=sent,
            )
        )

    def _compose(
        self, question: str, retrieval: Retrieval
    ) -> tuple[Composed | None, str, tuple[SentSpan, ...]]:
        """Return the composed answer, what it lacks, and the sentences that stood to choice.

        None when the passages do not answer.
        """
        if not retrieval.sufficient:
            return None, "", ()
        index = self._retriever.index
        passages = [
            (hit, chunk)
            for hit in retrieval.kept
            if (chunk := index.chunk(hit.chunk.id)) is not None and chunk.is_still(hit.chunk)
        ]
        wants = wanted(question)
        ranked = candidates(
            passages,
            self._retriever.embed(question),
            stems(question),
            index.vectors,
            index.lexical.idf,
            wants,
        )
        chosen = select(ranked, wants)
        if not chosen:
            return None, "", ()
        sent = tuple(
            SentSpan(candidate.hit.chunk.document_id, candidate.sentence.start, candidate.sentence.end)
            for candidate in sorted(ranked, key=lambda c: (c.passage, c.sentence.start))
        )
        return compose(chosen, wants), missing_part(question, retrieval, chosen, index.lexical), sent


class _Clock:
    """Measures the steps of one answer in milliseconds."""

    def __init__(self) -> None:
        self._started = self._last = perf_counter()
        self._first: float | None = None
        self._steps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Book the time since the last step under `step`."""
        now = perf_counter()
        self._steps[step] = self._steps.get(step, 0.0) + (now - self._last) * 1000
        self._last = now

    def add(self, timings_ms: object) -> None:
        """Take over steps that were measured elsewhere."""
        if isinstance(timings_ms, dict):
            self._steps.update({k: v for k, v in timings_ms.items() if k != "total"})
        self._last = perf_counter()

    def first_token(self) -> None:
        """Remember when the first piece of text was ready."""
        if self._first is None:
            self._first = (perf_counter() - self._started) * 1000

    def done(self) -> dict[str, float]:
        """Return all steps, then first_token and total, which count from the question."""
        total = (perf_counter() - self._started) * 1000
        return {**self._steps, "first_token": self._first or total, "total": total}
