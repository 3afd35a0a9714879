"""Turns Markdown and plain text files into documents."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from rag.errors import KnowledgeError
from rag.ingestion.front_matter import front_matter
from rag.text.markdown import blocks
from rag.types import Document

SUFFIXES = (".md", ".markdown", ".txt")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}")
_LONGEST_SLUG = 100
_TITLE_SEARCH = 20_000
"""Characters in which a title is looked for."""
_BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENOUGH_TO_GUESS = 30
"""Bytes beyond ASCII below which a guess at the encoding is worse than assuming Windows-1252."""
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def documents_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files to load: those named, and the Markdown and text files of the folders, sorted.

    Within a folder, hidden files, other formats, links that lead out of it, its own README.md and
    a `questions` folder that holds YAML (the question bank) are left out.
    Raises KnowledgeError for a path that does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path, path.resolve(), top=True)
        elif path.exists():
            yield path
        else:
            raise KnowledgeError(f"{path} does not exist.", path=path, hint="Check the spelling of the path.")


def load_folder(folder: Path) -> dict[str, Document]:
    """Return the documents of a folder by id, without indexing them.

    Raises KnowledgeError for the first one that can't be read.
    """
    return {
        document.id: document for path in documents_in([folder]) for document in [load_file(path, folder)]
    }


def load_file(path: Path, root: Path) -> Document:
    """Return the document in the file `path`; its id, topic and path are relative to `root`.

    Raises KnowledgeError for a format other than Markdown or plain text, content that is no text or
    has no words, and front matter that is not valid.
    """
    name = os.fsencode(_relative(path, root).as_posix()).decode("utf-8", "replace")
    if path.suffix.lower() not in SUFFIXES:
        raise KnowledgeError(
            f"{name} is not in a supported format.",
            path=path,
            hint=f"Supported formats: Markdown and plain text ({', '.join(SUFFIXES)}).",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KnowledgeError(
            f"{name} can't be read: {error.strerror or 'unknown reason'}.",
            path=path,
            hint="Check that the file exists and that you may read it.",
        ) from None
    return load_text(decode(content, name), name)


def load_text(text: str, name: str) -> Document:
    """Return the document of a decoded `text`; `name` is its path relative to the folder it is in.

    Raises KnowledgeError when it has no words or its front matter is not valid.
    """
    meta, body_start = front_matter(text, name)
    if not any(map(str.isalnum, text[body_start:])):
        raise KnowledgeError(f"{name} has no text.", path=name, hint="Add text to the file or leave it out.")
    path = Path(name)
    folder = re.sub(r"^\d+[-_. ]+", "", path.parent.name)
    return Document(
        id=_document_id(meta.id or path.with_suffix("").as_posix()),
        title=meta.title or _title(text, body_start) or _spoken(path.stem),
        topic=meta.topic or folder or "general",
        text=text,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        path=name,
        tags=tuple(tag for tag in meta.tags if tag),
        level=meta.level,
        body_start=body_start,
    )


def decode(content: bytes, name: str = "The file") -> str:
    """Return `content` as text with \\n line ends and no byte order mark.

    Raises KnowledgeError when it is not text; `name` is what the message calls it.
    """
    text = _decoded(content)
    if text is None or "\0" in text or len(_CONTROL.findall(text)) * 100 > len(text):
        raise KnowledgeError(
            f"{name} is not a text file.",
            path=name,
            hint="Save it as Markdown or plain text in UTF-8.",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str | None:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        pass
    if b"\0" in content or content.startswith(b"%PDF-"):
        return None
    non_ascii = len(content) - len(content.decode("ascii", "ignore"))
    if non_ascii < _ENOUGH_TO_GUESS and non_ascii * 2 < len(content):
        return content.decode("cp1252", "replace")
    best = from_bytes(content).best()
    return str(best) if best else None


def _walk(folder: Path, root: Path, *, top: bool = False) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not (top and entry.name == "questions" and any(path.glob("*.y*ml"))):
                yield from _walk(path, root)
        elif path.suffix.lower() not in SUFFIXES or (top and entry.name.lower() == "readme.md"):
            continue
        elif entry.is_file() and (not entry.is_symlink() or path.resolve().is_relative_to(root)):
            yield path


def _relative(path: Path, root: Path) -> Path:
    try:
        return path.relative_to(root)
    except ValueError:
        return Path(path.name)


def _document_id(wanted: str) -> str:
    """Return `wanted` when it is a valid id, else a readable one; equal inputs give equal ids."""
    if _ID.fullmatch(wanted):
        return wanted
    plain = unicodedata.normalize("NFKD", wanted.replace("/", ".").lower())
    ascii_only = "".join(sign for sign in plain if not unicodedata.combining(sign))
    slug = re.sub(r"[^a-z0-9._]+", "-", ascii_only).strip("-._")
    if ascii_only.isascii() and slug and len(slug) <= _LONGEST_SLUG:
        return slug
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]  # tells apart what the slug cannot
    return f"{slug[:_LONGEST_SLUG].strip('-._') or 'document'}-{digest}"


def _title(text: str, body_start: int) -> str:
    """Return the only heading of level 1 or, without any, the heading on top, else nothing."""
    top = blocks(text[: body_start + _TITLE_SEARCH], body_start)
    highest = [block.title for block in top if block.kind == "heading" and block.level == 1]
    if len(highest) == 1:
        return highest[0]
    return top[0].title if top and not highest else ""


def _spoken(stem: str) -> str:
    words = re.sub(r"[-_\s]+", " ", stem).strip()
    return words[:1].upper() + words[1:]
