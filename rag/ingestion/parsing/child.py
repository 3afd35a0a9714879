"""The process that reads one file from its standard input and answers with JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.ingestion.parsing.reasons import Unreadable
from rag.ingestion.parsing.sniffing import format_of

if TYPE_CHECKING:
    from rag.types import Format

_MOST_WRITTEN = 2**20
"""Bytes of a file that this process may write: enough for compiled modules, too few to fill a disk."""
_LONGEST_TITLE = 200
_INVISIBLE = {0xAD: None, 0x200B: None, 0x2060: None, 0xFEFF: None, 0xA0: " "}
"""Signs for the layout of pages and documents, which keep words from being found."""


def main() -> None:
    """Read the file on standard input within the limits that the first argument gives as JSON."""
    asked = json.loads(sys.argv[1])
    _limit(asked["seconds"], asked["memory_bytes"])
    try:
        answer = answer_of(sys.stdin.buffer.read(), asked["suffix"], asked["characters"])
    except Unreadable as error:
        answer = {"error": error.code, "facts": error.facts}
    except MemoryError:
        answer = {"error": "memory"}
    except RecursionError:
        answer = {"error": "too_nested", "facts": {"limit": 100}}
    except Exception:  # what a library did not expect in a file shows that the file is not as it should be
        answer = {"error": "damaged"}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode(errors="replace"))


def answer_of(content: bytes, suffix: str, characters: int) -> Mapping[str, object]:
    """Return format, text, title and page starts of a file; raises Unreadable."""
    kind = format_of(content, suffix)
    text, title, page_starts = _read(content, kind, characters)
    if len(text) > characters:
        raise Unreadable("too_long", limit=characters)
    if not any(map(str.isalnum, text)) or not _is_quotable(text):
        raise Unreadable("no_words")
    title = " ".join("".join(sign for sign in title if sign.isprintable()).split())[:_LONGEST_TITLE]
    return {"format": kind, "text": text, "title": title, "page_starts": page_starts}


def _read(content: bytes, kind: Format, characters: int) -> tuple[str, str, list[int]]:
    # each format's library is imported for its own files only: they take as long as small files
    match kind:
        case "pdf":
            from rag.ingestion.parsing import pdf

            return pdf.read(content)
        case "docx":
            from rag.ingestion.parsing import word

            text, title = word.read(content)
            return text.translate(_INVISIBLE), title, []
        case "html":
            from rag.ingestion.parsing import webpage

            text, title = webpage.read(_decoded(content, is_page=True))
            return text.translate(_INVISIBLE), title, []
        case "csv":
            from rag.ingestion.parsing import rows

            return rows.read(_decoded(content)), "", []
        case _:
            text = _decoded(content)
            if len(text) > characters:
                raise Unreadable("too_long", limit=characters)
            return text, "", []


def _decoded(content: bytes, *, is_page: bool = False) -> str:
    from rag.ingestion.parsing.decoding import declared_encoding, text_of

    text = text_of(content, declared_encoding(content) if is_page else "")
    if text is None:
        raise Unreadable("not_text")
    return text


def _is_quotable(text: str) -> bool:
    """Cut a text as it is cut later, where no time limit ends it, and tell whether anything is found."""
    from rag.text.sentences import sentences

    return bool(sentences(text))


def _limit(seconds: float, memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    most_seconds = math.ceil(seconds)
    for limit, soft, hard in (
        (resource.RLIMIT_CPU, most_seconds, most_seconds + 1),  # the soft one ends it with SIGXCPU
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, _MOST_WRITTEN, _MOST_WRITTEN),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        allowed = resource.getrlimit(limit)[1]
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(limit, (soft, hard))


if __name__ == "__main__":
    main()
