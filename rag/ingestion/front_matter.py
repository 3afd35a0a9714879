"""Reads the YAML between `---` lines at the very start of a text into validated metadata."""

from __future__ import annotations

import datetime
import re
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from rag.errors import KnowledgeError
from rag.types import Level

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.{0,65536}?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_FIRST_KEY = re.compile(r"(?:\s*#[^\n]*\n)*\s*[\w\"'][^\n:]{0,80}:(?:\s|$)")
_UNREADABLE = (  # what PyYAML's safe loader raises on bad input, e.g. `!!timestamp x`
    yaml.YAMLError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    RecursionError,
)
_MOST_MERGED = 1000
"""Keys that merging (`<<`) may add up to; each merge can multiply those of the one before."""
_HINT = "Correct the lines between the two --- at the top, or remove them."


class _Loader(yaml.SafeLoader):
    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merges = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        super().flatten_mapping(node)
        if merges and len(node.value) > _MOST_MERGED:
            raise yaml.constructor.ConstructorError(None, None, "it merges too much", node.start_mark)


def _as_text(value: object) -> object:
    """Let `id: 42`, `title: 2024-01-31` and `title: yes` be texts, as their authors meant them."""
    return str(value) if isinstance(value, bool | int | float | datetime.date) else value


def _as_tags(value: object) -> object:
    if value is None:
        return ()
    return [tag.strip() for tag in value.split(",")] if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _as_questions(value: object) -> object:
    """Keep what has the form heading -> questions; the key is common, so other forms are no mistake.

    Aliases can make a short text a list of billions, so nothing but plain values is turned into text.
    """
    if not isinstance(value, dict):
        return {}
    return {
        heading: tuple(text for question in asked if isinstance(text := _as_text(question), str))
        for key, asked in value.items()
        if isinstance(asked, list) and isinstance(heading := _as_text(key), str)
    }


Text = Annotated[str, BeforeValidator(_as_text)]


class FrontMatter(BaseModel):
    """What a document says about itself; keys that Viva does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    id: Text | None = None
    title: Text | None = None
    topic: Text | None = None
    level: Annotated[Level | None, BeforeValidator(_lower)] = None
    tags: Annotated[tuple[Text, ...], BeforeValidator(_as_tags)] = ()
    prerequisites: Annotated[tuple[Text, ...], BeforeValidator(_as_tags)] = ()
    """Ids of the documents to read first."""
    updated: datetime.date | None = None
    """When its author last checked it; None: the document does not say."""
    questions: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_as_questions)] = {}
    """By heading, in the words of people who ask: questions that the section under it answers."""


def front_matter(text: str, path: str) -> tuple[FrontMatter, int]:
    """Return the metadata of `text` and the offset of the first character after it.

    Without front matter that is (FrontMatter(), 0); a thematic break at the top is no front matter.
    Raises KnowledgeError with `path` and the line of the mistake.
    """
    match = _FRONT_MATTER.match(text)
    if not match:
        return FrontMatter(), 0
    source = match.group(1)
    if source.strip() and not _FIRST_KEY.match(source):
        return FrontMatter(), 0
    try:
        values = yaml.load(source, Loader=_Loader)  # noqa: S506 - a safe loader with one more limit
    except _UNREADABLE as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 2
        problem = getattr(error, "problem", None) or "a value has the wrong form"
        raise KnowledgeError(
            f"{path}, line {line}: the front matter is not valid YAML: {problem}.",
            path=path,
            line=line,
            hint=_HINT + " A value with a colon or a quotation mark needs quotes around it.",
        ) from None
    if values is None:
        return FrontMatter(), match.end()
    if not isinstance(values, dict):
        return FrontMatter(), 0
    known = {key: values[key] for key in FrontMatter.model_fields if key in values}
    try:
        return FrontMatter.model_validate(known), match.end()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = str(first["loc"][0])
        line = _line_of(key, source)
        raise KnowledgeError(
            f"{path}, line {line}: `{key}` in the front matter is not valid: {first['msg']}.",
            path=path,
            line=line,
            hint=_HINT,
        ) from None


def _line_of(key: str, source: str) -> int:
    """Return the 1-based line of the document that sets `key`."""
    found = re.search(rf"^[\"']?{re.escape(key)}[\"']?\s*:", source, re.MULTILINE)
    return source.count("\n", 0, found.start()) + 2 if found else 2
