"""Finds the documents that have some words in their text, and the place where the words stand."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import ColumnElement, func, or_, select

from rag.storage.engine import Database
from rag.storage.tables import documents
from rag.types import Document, Span

SHORTEST = 3
"""Characters a search in the texts needs; shorter ones occur everywhere."""
_MOST_WORDS = 12


def documents_with(database: Database, query: str, owners: Collection[str]) -> list[str]:
    """Return the ids of these owners' documents whose text has every word of `query`, by title.

    Parts of words count, their case does not. Empty when the query is shorter than SHORTEST.
    """
    if len(query.strip()) < SHORTEST:
        return []
    body = func.substr(documents.c.text, documents.c.body_start + 1)
    found = (
        select(documents.c.id)
        .where(documents.c.owner.in_(owners), *(_has(body, word) for word in query.split()[:_MOST_WORDS]))
        .order_by(documents.c.title, documents.c.id)
    )
    with database.read() as connection:
        return list(connection.scalars(found))


def first_place(document: Document, query: str) -> Span | None:
    """Return where the words of `query` first stand in a row in the document, else the first of them.

    None when none of them is there.
    """
    words = [re.escape(word) for word in query.split()]
    for pattern in (r"\s+".join(words), "|".join(words)):
        place = re.compile(pattern, re.IGNORECASE).search(document.text, document.body_start)
        if place and place.group():
            return Span(place.start(), place.end())
    return None


def _has(body: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Tell whether a text has a word; SQLite ignores the case of ASCII letters only."""
    forms = {word, word.lower(), word.upper(), word.capitalize()}
    if word.isascii():
        forms = {word}
    return or_(*(body.icontains(form, autoescape=True) for form in sorted(forms)))
