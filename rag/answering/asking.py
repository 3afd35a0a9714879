"""Checks a question at the border and turns what scripts send into an Ask."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import InvalidInput
from rag.types import Ask, Filters, Turn

LONGEST_QUESTION = 4000
"""Characters; a longer text is a document, not a question."""


class _Turn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    question: str
    answer: str = ""


class AskInput(BaseModel):
    """A question as a script gives it."""

    model_config = ConfigDict(extra="ignore")

    question: str
    history: list[_Turn] = Field(default_factory=list)
    topic: str | list[str] | None = None
    document: str | list[str] | None = None

    def ask(self, topics: Collection[str], documents: Collection[str]) -> Ask:
        """Return the Ask; raises InvalidInput for a question or a filter that can't be used."""
        return Ask(
            question=checked_question(self.question),
            history=tuple(Turn(_whole(turn.question), _whole(turn.answer)) for turn in self.history),
            filters=checked_filters(_listed(self.topic), _listed(self.document), topics, documents),
        )


def parse_ask(values: Mapping[str, Any]) -> AskInput:
    """Return the validated input; raises InvalidInput naming the first bad field."""
    try:
        return AskInput.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"`{name}` is not valid: {first['msg']}.",
            hint='Give {"question": text, "history": [{"question": text, "answer": text}]}.',
        ) from None


def checked_question(question: str) -> str:
    """Return the question without surrounding space; raises InvalidInput when empty or too long."""
    question = _whole(question).replace("\0", "").strip()
    if not question:
        raise InvalidInput("The question is empty.", hint="Type a question.")
    if len(question) > LONGEST_QUESTION:
        raise InvalidInput(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} can be asked.",
            hint="Ask in a few sentences, and add long texts to the library as documents.",
        )
    return question


def checked_filters(
    wanted_topics: Sequence[str],
    wanted_documents: Sequence[str],
    topics: Collection[str],
    documents: Collection[str],
) -> Filters:
    """Return the filters; raises InvalidInput for a name the library does not have."""
    for kind, wanted, known in (
        ("topic", wanted_topics, topics),
        ("document", wanted_documents, documents),
    ):
        for name in wanted:
            if name not in known:
                nearest = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
                raise InvalidInput(
                    f"The library has no {kind} {name!r}.",
                    hint=f"Did you mean {', '.join(nearest)}?"
                    if nearest
                    else "`python -m rag documents` lists what there is.",
                )
    return Filters(frozenset(wanted_topics), frozenset(wanted_documents))


def _whole(text: str) -> str:
    """Return `text` with U+FFFD for the lone halves of surrogate pairs, which JSON can smuggle in."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _listed(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
