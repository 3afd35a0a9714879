"""Turns files and uploads into documents."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rag.errors import KnowledgeError
from rag.ingestion.front_matter import FrontMatter, front_matter
from rag.ingestion.parsing import Parsed, parse
from rag.ingestion.parsing.decoding import text_of
from rag.ingestion.parsing.names import file_name, last_part, printable
from rag.ingestion.parsing.reasons import FORMATS
from rag.text.markdown import blocks
from rag.types import Document, Format

_TEXT_SUFFIXES: dict[str, Format] = {".md": "markdown", ".markdown": "markdown", ".txt": "text"}
SUFFIXES = (*_TEXT_SUFFIXES, ".html", ".htm", ".pdf", ".docx", ".csv")
UPLOADS = "uploads"
"""What the ids of uploaded documents begin with, and their topic unless they name another."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}")
_LONGEST_SLUG = 100
_TITLE_SEARCH = 20_000
"""Characters in which a title is looked for."""
_LONGEST_UPLOAD_SLUG = 80
_LONGEST_LABEL = 200
"""Characters of a title, topic or tag that an upload gives itself."""
_OWN_ENDINGS = tuple(suffix for suffix in SUFFIXES if suffix != ".markdown")
"""Endings that alone stand for what they become in an id; `.markdown` becomes nothing, as `.md` does."""
_LIKE_AN_ENDING = re.compile(rf".*-(?:{'|'.join(suffix[1:] for suffix in _OWN_ENDINGS)})", re.IGNORECASE)
"""A stem that looks as a name with its format does in an id, e.g. report-txt."""
_DIGEST = re.compile(r"-[0-9a-f]{8}$")


def documents_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files to load: those named, and those in a supported format of the folders, sorted.

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

    Raises KnowledgeError for a format that is not supported, content that can't be read or has no words,
    and front matter that is not valid.
    """
    return load_with_file(path, root)[0]


def load_with_file(path: Path, root: Path) -> tuple[Document, bytes, tuple[int, ...]]:
    """Return what `load_file` returns, the bytes of the file, and where its pages start (empty: it has none).

    Raises KnowledgeError as `load_file` does.
    """
    name = os.fsencode(_relative(path, root).as_posix()).decode("utf-8", "replace")
    if path.suffix.lower() not in SUFFIXES:
        raise KnowledgeError(
            f"{name} is not in a supported format.",
            path=path,
            hint=f"Supported formats: {FORMATS} ({', '.join(SUFFIXES)}).",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KnowledgeError(
            f"{name} can't be read: {error.strerror or 'unknown reason'}.",
            path=path,
            hint="Check that the file exists and that you may read it.",
        ) from None
    page_starts: tuple[int, ...] = ()
    if path.suffix.lower() in _TEXT_SUFFIXES:
        document = load_text(decode(content, name), name)
    else:
        parsed = parse(content, name)
        document, page_starts = _document_of(parsed, name)[0], parsed.page_starts
    return replace(document, file_hash=hashlib.sha256(content).hexdigest()), content, page_starts


def load_upload(content: bytes, name: str, *, owner: str = "") -> tuple[Document, tuple[int, ...]]:
    """Return the document of an uploaded file, and where its pages start (empty: it has none).

    Nothing in `name` is trusted but its words: the id is "uploads.<slug>", or "uploads.<6 hex>.<slug>" for a
    document that belongs to `owner`; the slug holds no dot, and a digest where it alone could be that of
    another name too (the case of a letter apart). Front matter may set the slug (`id`), title, topic, level
    and tags.
    Raises KnowledgeError when the file can't be read or its front matter is not valid.
    """
    shown = file_name(name)
    parsed = parse(content, shown)
    document, meta = _document_of(parsed, shown)
    space = f"{UPLOADS}.{hashlib.sha256(owner.encode()).hexdigest()[:6]}" if owner else UPLOADS
    document = replace(
        document,
        id=f"{space}.{_upload_slug(meta, name, parsed.format)}",
        title=_label(document.title) or shown,
        topic=_label(meta.topic or "") or UPLOADS,
        tags=tuple(tag for tag in map(_label, document.tags) if tag),
        owner=owner,
        file_hash=hashlib.sha256(content).hexdigest(),
    )
    return document, parsed.page_starts


def former_id(document: Document) -> str:
    """Return the id that an upload with a digest in its id may be stored under: without; empty: none.

    Uploads once had a digest only where nothing readable was left of their name.
    """
    bare = _DIGEST.sub("", document.id)
    return bare if bare != document.id and document.id.startswith(f"{UPLOADS}.") else ""


def load_text(text: str, name: str) -> Document:
    """Return the document of a decoded `text`; `name` is its path relative to the folder it is in.

    Raises KnowledgeError when it has no words or its front matter is not valid.
    """
    meta, body_start = front_matter(text, name)
    if not any(map(str.isalnum, text[body_start:])):
        raise KnowledgeError(f"{name} has no text.", path=name, hint="Add text to the file or leave it out.")
    path = Path(name)
    return Document(
        id=_document_id(meta.id or path.with_suffix("").as_posix()),
        title=meta.title or _title(text, body_start) or _spoken(path.stem),
        topic=meta.topic or _topic(path),
        text=text,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        path=name,
        tags=tuple(tag for tag in meta.tags if tag),
        level=meta.level,
        body_start=body_start,
        format=_TEXT_SUFFIXES.get(path.suffix.lower(), "markdown"),
    )


def decode(content: bytes, name: str = "The file") -> str:
    """Return `content` as text with \\n line ends and no byte order mark.

    Raises KnowledgeError when it is not text; `name` is what the message calls it.
    """
    text = text_of(content)
    if text is None:
        raise KnowledgeError(
            f"{name} is not a text file.",
            path=name,
            hint="Save it as Markdown or plain text in UTF-8.",
        )
    return text


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


def _document_of(parsed: Parsed, name: str) -> tuple[Document, FrontMatter]:
    """Return the document of a file with what it says about itself; only texts have front matter."""
    if parsed.format in _TEXT_SUFFIXES.values():
        document = replace(load_text(parsed.text, name), format=parsed.format)
        return document, front_matter(parsed.text, name)[0]
    path = Path(name)
    document = Document(
        id=_document_id(path.as_posix()),  # with its ending: guide.pdf may stand beside guide.md
        title=parsed.title or _title(parsed.text, 0) or _spoken(path.stem),
        topic=_topic(path),
        text=parsed.text,
        content_hash=hashlib.sha256(parsed.text.encode()).hexdigest(),
        path=name,
        format=parsed.format,
    )
    return document, FrontMatter()


def _label(text: str) -> str:
    return printable(text)[:_LONGEST_LABEL]


def _topic(path: Path) -> str:
    return re.sub(r"^\d+[-_. ]+", "", path.parent.name) or "general"


def _document_id(wanted: str) -> str:
    """Return `wanted` when it is a valid id, else a readable one; equal inputs give equal ids."""
    if _ID.fullmatch(wanted):
        return wanted
    slug = _slug(wanted, "._")
    is_enough = slug and len(slug) <= _LONGEST_SLUG and _unaccented(wanted).isascii()
    return slug if is_enough else _with_digest(slug, wanted, _LONGEST_SLUG)


def _upload_slug(meta: FrontMatter, name: str, kind: Format) -> str:
    """Return what names an upload: its own id, or its name, with the format unless that is Markdown."""
    if meta.id:
        wanted = exact = meta.id.removeprefix(f"{UPLOADS}.")
    else:
        last, path = last_part(name), Path(file_name(name))
        ending = "" if kind == "markdown" else f"-{path.suffix[1:] or kind}"
        wanted = f"{path.stem}{ending}"
        is_like_another = not ending and _LIKE_AN_ENDING.fullmatch(path.stem)
        is_clear = path.name == last and path.suffix.lower() in _OWN_ENDINGS and not is_like_another
        exact = wanted if is_clear else last
    slug = _slug(wanted, "_")
    is_enough = slug and len(slug) <= _LONGEST_UPLOAD_SLUG and slug == exact.lower()
    if is_enough:
        return slug
    composed = unicodedata.normalize("NFC", exact)  # some systems write a letter and its accent apart
    return _with_digest(slug, composed, _LONGEST_UPLOAD_SLUG)


def _slug(wanted: str, kept: str) -> str:
    """Return letters, digits and `kept` of `wanted`, in lower case with hyphens for the rest."""
    return re.sub(rf"[^a-z0-9{kept}]+", "-", _unaccented(wanted)).strip("-._")


def _unaccented(wanted: str) -> str:
    plain = unicodedata.normalize("NFKD", wanted.replace("/", ".").lower())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _with_digest(slug: str, wanted: str, longest: int) -> str:
    digest = hashlib.sha256(wanted.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{slug[:longest].strip('-._') or 'document'}-{digest}"


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
