"""Tells what an answer made of each passage that its search found."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types import Answer, Chunk


@dataclass(frozen=True, slots=True)
class Used:
    """What became of one passage."""

    sentences: int | None
    """How many of its sentences were given to the model, or stood to choice for quoting; None: the answer
    was stored before this was recorded."""
    markers: tuple[int, ...]
    """The citations that quote it, ascending."""


def used(answer: Answer) -> dict[str, Used]:
    """Return by chunk id what became of every passage of the answer's search.

    Passages can overlap: a sentence counts for each that holds it.
    """
    hits = answer.retrieval.hits if answer.retrieval else ()
    return {
        hit.chunk.id: Used(
            sum(_holds(hit.chunk, span.document_id, span.start, span.end) for span in answer.sent)
            if answer.sent
            else None,
            tuple(
                sorted(
                    cited.marker
                    for cited in answer.citations
                    if _holds(hit.chunk, cited.document_id, cited.start, cited.end)
                )
            ),
        )
        for hit in hits
    }


def _holds(chunk: Chunk, document_id: str, start: int, end: int) -> bool:
    return chunk.document_id == document_id and chunk.start <= start and end <= chunk.end
