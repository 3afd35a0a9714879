"""Decides whether questions may be asked: each alone by form and evidence, then all together.

Form is checked by code, because rules find more flaws than a model that is asked for its opinion. What code
can't see is whether a key is true: the shipped bank carries the verdicts of an independent pass for that.
Sources of the gates: the checks of Moore et al. (arXiv 2307.08161) and the item-writing guide of the NBME.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from rag.embedding.base import Vectors
from rag.quiz.bank import MultipleChoice, OpenQuestion, TopicBank, leading_numbers
from rag.quiz.form_gates import Failure, Item, failures, is_quoted, share_in, stem_faults
from rag.quiz.set_gates import DUPLICATE, SetGate, set_gates
from rag.text.markdown import blocks
from rag.types import Document

Embed = Callable[[Sequence[str]], Vectors]
EVIDENCE_ROOM = 0.45
"""By how much a distractor may be closer to the quote than the key: distractors borrow its words."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One question with the gates it failed; none means it may be asked."""

    id: str
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        """No gate failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a set of questions."""

    items: tuple[Checked, ...]
    gates: tuple[SetGate, ...]
    """Over the items that are well formed; empty when none is."""

    @property
    def passed(self) -> bool:
        """Every item and every gate of the set passed."""
        return all(item.passed for item in self.items) and all(gate.passed for gate in self.gates)


class LooseItem(BaseModel):
    """A question as scripts give it, one JSON object a line; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    id: str | int | None = None
    question: str = Field(min_length=1)
    options: tuple[str, ...] = Field(min_length=3, max_length=5)
    correct: StrictInt = Field(ge=0)
    passage: str = ""
    quote: str = ""
    explanation: str = ""
    topic: str = ""
    level: str = ""

    @model_validator(mode="after")
    def _key_exists(self) -> LooseItem:
        if self.correct >= len(self.options):
            raise ValueError("`correct` is no index of `options`")
        if not all(self.options):
            raise ValueError("an option is empty")
        return self


def check_values(values: Iterable[tuple[int, object]], embed: Embed) -> Report:
    """Check questions given as JSON values `{question, options, correct, passage?}`, each with its number.

    The number names an item that has no id. An item of another form fails the gate "schema" and takes no part
    in the figures of the set.
    """
    read = [_read(value, number) for number, value in values]
    items = [item for item in read if isinstance(item, Item)]
    judged = iter(check_all(items, embed))
    return _report([next(judged) if isinstance(one, Item) else one for one in read], items, embed)


def check_all(items: Sequence[Item], embed: Embed) -> list[Checked]:
    """Return for every item the gates it fails: those of form, and whether its quote speaks for its key."""
    evidence = _evidence_failures(items, embed)
    return [Checked(item.id, (*failures(item), *evidence.get(place, ()))) for place, item in enumerate(items)]


def _evidence_failures(items: Sequence[Item], embed: Embed) -> dict[int, list[Failure]]:
    """Return, by their place, the items whose quote is much closer to a distractor than to the key.

    Closeness is the cosine plus the share of the option's words that the quote has. That proves no key:
    swapped ones are caught more often than not (tests/bench/item_gates.py), a flipped negation is not.
    Numbers are left out, because the right one is often computed and stands nowhere.
    """
    quoted = [n for n, item in enumerate(items) if item.quote and not leading_numbers(item.options)]
    if not quoted:
        return {}
    vectors = iter(embed([text for n in quoted for text in (items[n].quote, *items[n].options)]))
    found: dict[int, list[Failure]] = {}
    for number in quoted:
        item, quote = items[number], next(vectors)
        closeness = [float(quote @ next(vectors)) + share_in(option, item.quote) for option in item.options]
        nearest = max(range(len(closeness)), key=lambda place: closeness[place])
        if closeness[nearest] > closeness[item.correct] + EVIDENCE_ROOM:
            reason = f"the quote speaks of {item.options[nearest]!r} rather than of the key"
            found[number] = [Failure("key_evidence", reason)]
    return found


def _read(value: object, number: int) -> Item | Checked:
    """Return the item that a JSON value holds, or that it has not the form of one."""
    name = value.get("id") if isinstance(value, dict) else None
    item_id = str(number if name is None else name)
    if not isinstance(value, dict):
        return Checked(item_id, (Failure("schema", "it is not a JSON object"),))
    try:
        loose = LooseItem.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "item"
        return Checked(item_id, (Failure("schema", f"{place}: {first['msg']}"),))
    return Item(id=item_id, **loose.model_dump(exclude={"id"}))


def check_bank(topics: Sequence[TopicBank], documents: Mapping[str, Document], embed: Embed) -> Report:
    """Check a question bank against the documents it quotes, by id."""
    items = [item_of(item, topic.topic, documents) for topic in topics for item in topic.multiple_choice]
    checked = check_all(items, embed)
    questions = [question for topic in topics for question in topic.open]
    checked += [Checked(question.id, tuple(open_failures(question, documents))) for question in questions]
    asked = [(question.id, question.question) for question in questions]
    return _report(checked, items, embed, repeated(asked, embed))


def item_of(item: MultipleChoice, topic: str, documents: Mapping[str, Document]) -> Item:
    """Return a question of the bank as it is shown, with the section of the document that it rests on."""
    shown = item.shown()
    document = documents.get(item.document)
    passage = section_with(document, item.quote) if document else ""
    return Item(
        id=item.id,
        question=item.question,
        options=tuple(option.text for option in shown),
        correct=next(place for place, option in enumerate(shown) if option.correct),
        passage=passage or (document.text if document else ""),
        quote=item.quote,
        whys=tuple(option.why for option in shown),
        topic=topic,
        level=item.level,
        source=f"{item.document}: {passage.split(chr(10), 1)[0].lstrip('# ')}",
    )


def section_with(document: Document, quote: str) -> str:
    """Return the section of the document, from heading to heading, that holds the quote; empty: none does."""
    headings = [
        block.start for block in blocks(document.text, document.body_start) if block.kind == "heading"
    ]
    starts = [document.body_start, *headings]
    for start, end in zip(starts, [*headings, len(document.text)], strict=True):
        if is_quoted(quote, section := document.text[start:end]):
            return section
    return ""


def repeated(texts: Sequence[tuple[str, str]], embed: Embed) -> list[tuple[str, str, float]]:
    """Return the ids and the cosine of texts, given with their ids, that are too close, closest first."""
    if len(texts) < 2:
        return []
    vectors = embed([text for _, text in texts])
    cosines = np.triu(vectors @ vectors.T, k=1)
    pairs = [
        (texts[one][0], texts[other][0], float(cosines[one, other]))
        for one, other in zip(*np.nonzero(cosines >= DUPLICATE), strict=True)
    ]
    return sorted(pairs, key=lambda pair: -pair[2])


def _report(
    checked: Sequence[Checked],
    items: Sequence[Item],
    embed: Embed,
    others: Sequence[tuple[str, str, float]] = (),
) -> Report:
    if not items:
        return Report(tuple(checked), ())
    duplicates = repeated([(item.id, f"{item.question} {item.key}") for item in items], embed)
    return Report(tuple(checked), tuple(set_gates(items, [*duplicates, *others])))


SHORTEST_ANSWER, LONGEST_ANSWER = 40, 170
"""Words of a model answer: what is said aloud in about a minute."""


def open_failures(question: OpenQuestion, documents: Mapping[str, Document]) -> list[Failure]:
    """Return the gates that an open question fails; `documents`: those that it quotes, by id."""
    found = [Failure("self_contained", reason) for reason in stem_faults(question.question)]
    for point in question.points:
        document = documents.get(point.document)
        if document is None or not is_quoted(point.quote, document.text[document.body_start :]):
            found.append(Failure("quote", f"{point.document} does not say {point.quote[:60]!r}"))
    if not SHORTEST_ANSWER <= len(question.model_answer.split()) <= LONGEST_ANSWER:
        found.append(Failure("model_answer", f"it has {len(question.model_answer.split())} words"))
    if len({point.claim.lower() for point in question.points}) < len(question.points):
        found.append(Failure("points", "two rubric points say the same"))
    return found
