"""Finds the questions of the bank that rest on a document, with the place of their evidence in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rag.quiz.bank import MultipleChoice, Question, TopicBank, load_bank
from rag.quiz_types import Kind
from rag.types import Document, Level


@dataclass(frozen=True, slots=True)
class RestingItem:
    """A question with one of the quotes it rests on: `quote == document.text[start:end]`."""

    id: str
    kind: Kind
    topic: str
    level: Level
    prompt: str
    start: int
    end: int
    quote: str


def items_resting_on(topics: Sequence[TopicBank], document: Document) -> list[RestingItem]:
    """Return the questions that quote the document, by place; one with several quotes once for each.

    A quote that no longer stands in the document is left out.
    """
    found: list[RestingItem] = []
    for topic in topics:
        questions: list[Question] = [*topic.open, *topic.multiple_choice]
        found.extend(item for question in questions for item in _resting(topic.topic, question, document))
    return sorted(found, key=lambda item: (item.start, item.end, item.id))


def topics_naming(folder: Path, document_id: str) -> list[TopicBank]:
    """Return those topics of a question bank whose file names the document: reading all takes a second.

    Empty when there is no bank. Raises KnowledgeError for a file that is not valid.
    """
    naming = [file for file in sorted(folder.glob("*.y*ml")) if document_id.encode() in file.read_bytes()]
    return [topic for file in naming for topic in _topics(file, file.stat().st_mtime_ns)]


@lru_cache(maxsize=64)
def _topics(file: Path, changed_ns: int) -> list[TopicBank]:
    return load_bank(file)


def _resting(topic: str, question: Question, document: Document) -> list[RestingItem]:
    if isinstance(question, MultipleChoice):
        kind: Kind = "mcq"
        quotes = [question.quote] if question.document == document.id else []
    else:
        kind = "open"
        quotes = [point.quote for point in question.points if point.document == document.id]
    places = [(document.text.find(quote, document.body_start), quote) for quote in dict.fromkeys(quotes)]
    return [
        RestingItem(
            question.id, kind, topic, question.level, question.question, start, start + len(quote), quote
        )
        for start, quote in places
        if start >= 0
    ]
