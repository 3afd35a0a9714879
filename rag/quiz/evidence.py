"""Finds the evidence of questions in the documents as they are now."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from rag.quiz.bank import MultipleChoice, Question
from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.storage.library import Library
from rag.types import Document

OPEN_CHECKS = ("form", "quote")
CHOICE_CHECKS = ("form", "quote", "key_evidence", "options_judged")
"""What every question of the bank has passed (`python -m rag check-items`)."""


class Sources:
    """Finds quotes in the documents that a person may read, each of which is read once. For one thread."""

    def __init__(self, library: Library, owner: str) -> None:
        self._library = library
        self._owner = owner
        self._documents: dict[str, Document | None] = {}
        self._chunks: dict[str, tuple[list[int], list[str]]] = {}

    def find(self, document_id: str, quote: str) -> Evidence | None:
        """Return the first place of a quote below the front matter; None when there is none."""
        document = self._document(document_id)
        start = document.text.find(quote, document.body_start) if document else -1
        if document is None or start < 0:
            return None
        return Evidence(document.id, document.title, start, start + len(quote), quote)

    def find_again(self, evidence: Evidence) -> Evidence | None:
        """Return evidence that is in place, or moved to the only place its quote has by now; else None."""
        document = self._document(evidence.document_id)
        if document is None:
            return None
        if document.text[evidence.start : evidence.end] == evidence.quote:
            return replace(evidence, title=document.title)
        if not evidence.quote or document.text.count(evidence.quote, document.body_start) != 1:
            return None
        return self.find(document.id, evidence.quote)

    def passage(self, evidence: Evidence | None) -> str:
        """Return the id of the chunk in which the evidence starts; empty when there is none."""
        if evidence is None:
            return ""
        if evidence.document_id not in self._chunks:
            chunks = self._library.chunks(evidence.document_id)
            self._chunks[evidence.document_id] = ([one.start for one in chunks], [one.id for one in chunks])
        starts, ids = self._chunks[evidence.document_id]
        place = bisect_right(starts, evidence.start) - 1
        return ids[place] if place >= 0 else ""

    def _document(self, document_id: str) -> Document | None:
        if document_id not in self._documents:
            found = self._library.document(document_id)
            readable = found is not None and found.owner in ("", self._owner)
            self._documents[document_id] = found if readable else None
        return self._documents[document_id]


def asked(topic: str, question: Question, sources: Sources) -> AskedQuestion | None:
    """Return a question of the bank as it is asked; None when one of its quotes is gone."""
    if isinstance(question, MultipleChoice):
        evidence = sources.find(question.document, question.quote)
        if evidence is None:
            return None
        shown = question.shown()
        return AskedQuestion(
            id=question.id,
            kind="mcq",
            topic=topic,
            level=question.level,
            skill=question.skill,
            prompt=question.question,
            origin="bank",
            evidence=evidence,
            checks=CHOICE_CHECKS,
            options=tuple(option.text for option in shown),
            answer=next(place for place, option in enumerate(shown) if option.correct),
            whys=tuple(option.why for option in shown),
            scenario=question.scenario,
            passage=sources.passage(evidence),
        )
    points = []
    for point in question.points:
        evidence = sources.find(point.document, point.quote)
        if evidence is None:
            return None
        points.append(Point(point.claim, point.must_have, point.weight, evidence))
    return AskedQuestion(
        id=question.id,
        kind="open",
        topic=topic,
        level=question.level,
        skill=question.skill,
        prompt=question.question,
        origin="bank",
        evidence=points[0].evidence,
        checks=OPEN_CHECKS,
        points=tuple(points),
        model_answer=question.model_answer,
        follow_ups=question.follow_ups,
        scenario=question.scenario,
        passage=sources.passage(points[0].evidence),
    )


def placed_again(question: AskedQuestion, sources: Sources) -> AskedQuestion | None:
    """Return a question with all its evidence where it stands now; None when some of it is gone."""
    evidence = {
        one: sources.find_again(one)
        for one in (question.evidence, *(point.evidence for point in question.points))
        if one is not None
    }
    if None in evidence.values():
        return None
    own = evidence[question.evidence] if question.evidence else None
    points = tuple(
        replace(point, evidence=evidence[point.evidence]) if point.evidence else point
        for point in question.points
    )
    return replace(question, evidence=own, points=points, passage=sources.passage(own))
