"""What the library holds as it is read back: summaries, windows, sentences, originals, removed documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from rag.types import Format, Level

Origin = Literal["knowledge", "added"]
"""Shipped with the program, or added by the user."""


class StoredWindow(NamedTuple):
    """The characters of a document that one vector stands for, and the chunk they belong to."""

    chunk_id: str
    start: int
    end: int
    vector_key: str


class StoredSentence(NamedTuple):
    """A sentence of a document; `vector_key` is None when it is not embedded."""

    document_id: str
    start: int
    end: int
    kind: str
    list_id: int | None
    vector_key: str | None


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What a list of documents shows."""

    id: str
    title: str
    topic: str
    level: Level | None
    tags: tuple[str, ...]
    chunks: int
    bytes: int
    """Of the text in UTF-8."""
    tokens: int
    """Word pieces of all chunks; what chunks share counts in each of them."""
    path: str
    origin: Origin
    updated_at: datetime
    format: Format = "markdown"
    owner: str = ""
    """Who may read it; empty: everybody."""
    cited: int = 0
    """Citations of it in stored answers."""


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a document's text was extracted from."""

    name: str
    content: bytes
    page_starts: tuple[int, ...] = ()
    """Offset in the document's text of each page's first character; empty for a format without pages."""


@dataclass(frozen=True, slots=True)
class RemovedDocument:
    """A document that was taken out of the library, as a list shows it."""

    id: str
    title: str
    origin: Origin
    owner: str
    removed_at: datetime
    can_restore: bool
    """True: its text is kept, or it is a shipped one, which the knowledge folder should still have."""
