"""Files of any format become text: what a file really is, and its words, read in a child process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.types import Format


@dataclass(frozen=True, slots=True)
class Parsed:
    """The text of a file: Markdown, unless it was plain text."""

    text: str
    format: Format
    title: str = ""
    """What the file itself gives as its title; empty when it gives none."""
    page_starts: tuple[int, ...] = ()
    """Offset in `text` of each page's first character; empty for formats without pages. A page without
    text starts where the next one does."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost; more ends it with an error."""

    seconds: float = 10
    """Processor time. It may take 1.4 times as long by the clock, as other work may share the processors."""
    memory_bytes: int = 512 * 2**20
    """Address space of the child process; Windows knows no such limit."""
    characters: int = 4_000_000
    """Length of the text."""
    bytes: int = 20 * 2**20
    """Size of the file."""


DEFAULT_LIMITS = Limits()


def parse(content: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """Return the text of the file with the bytes `content`.

    The bytes tell what the file is; its `name` tells only kinds of text apart (.md, .txt, .csv, .html)
    and stands in messages. Raises KnowledgeError when the file has no words, is in no supported format,
    is damaged, or needs more than `limits`.
    """
    # imported here because the child process imports this package too, and starts faster without it
    from rag.ingestion.parsing.reading import read

    return read(content, name, limits)
