"""Takes somebody's own questions: each passes the gates of the bank, or is refused with reasons.

What code can check is checked: form and tells, quotes against the documents that they name, the length of
model answers. Whether a key is true stays with its author. An item without a source may be asked; that it
has none is shown with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.quiz.bank import shown_order
from rag.quiz.form_gates import Failure, Item, stem_faults
from rag.quiz.own_files import read_drafts
from rag.quiz.own_items import Draft, OwnChoice, OwnOpen
from rag.quiz.own_sources import OwnSources
from rag.quiz.set_gates import SetGate, set_gates
from rag.quiz.validation import LONGEST_ANSWER, SHORTEST_ANSWER, Embed, check_all, repeated
from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.storage.library import Library
from rag.storage.questions import Questions

PREFIX = "own-"
NO_TOPIC = "own-questions"
State = Literal["added", "updated", "known", "refused"]
"""New; in place of an earlier version; already there as it is; not taken."""
ADVICE: Mapping[str, str] = {
    "document": "Name it by its id or title as the library lists it, or leave document and quote empty.",
    "quote": "Copy it from the document word for word, or leave document and quote empty.",
    "distinct_options": "Let each option say something else.",
    "length": "Make the options about equally long.",
    "repeated_word": "Use the word in another option as well, or in none.",
    "absolutes": "Leave words like “always” and “never” out, or use them in the key as well.",
    "odd_form": "Write all options in the same form.",
    "all_of_them": "Replace it by an option of its own.",
    "number_order": "List numbers from small to large.",
    "self_contained": "Write it so that it can be understood without the source.",
    "negation": "Ask for what is right, or write NOT in capitals.",
    "verbatim": "Say it in other words than the source.",
    "explanation": "Say why the key is right, in its words, and why each other option is wrong.",
    "key_evidence": "Check which option is marked as correct, or quote a sentence that speaks of it.",
    "model_answer": f"Write {SHORTEST_ANSWER} to {LONGEST_ANSWER} words: what is said in a minute.",
    "points": "Let each point say something else.",
    "repeated": "Remove one of the two.",
}
"""What to do, by the gate that an item failed."""


@dataclass(frozen=True, slots=True)
class ImportedItem:
    """What became of one item of a file."""

    id: str
    """Empty for one that could not be read."""
    place: str
    """Where it stands, e.g. "line 12" or "row 3"."""
    words: str
    """What it asks, as far as that could be read."""
    state: State
    reasons: tuple[str, ...] = ()
    """Why it was refused and what to do; empty for one that passed."""

    @property
    def passed(self) -> bool:
        """It may be asked."""
        return self.state != "refused"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file."""

    added: int
    updated: int
    items: tuple[ImportedItem, ...]
    """In the order of the file."""
    gates: tuple[SetGate, ...] = ()
    """Figures of the multiple-choice items together, e.g. what their form gives away; they refuse nothing."""


@dataclass(frozen=True, slots=True)
class _Judged:
    draft: Draft
    question: AskedQuestion | None
    failures: tuple[Failure, ...] = ()


def import_bank(
    content: bytes, name: str, owner: str, library: Library, questions: Questions, embed: Embed
) -> ImportReport:
    """Store what passes as questions of `owner`, and return what became of each item.

    An item that is there already is left as it is; one with its id, or with its question, is replaced.
    Raises InvalidInput with the line when the file can't be read at all.
    """
    drafts = read_drafts(content, name)
    judged = _judged(drafts, OwnSources(library, owner), embed)
    stored = {question.id: question for question in questions.list(owner, "own")}
    states: list[State] = []
    for one in judged:
        if one.question is None or one.failures:
            states.append("refused")
        elif (before := stored.get(one.question.id)) is None:
            states.append("added")
        else:
            states.append("known" if before == one.question else "updated")
    new = [
        one.question
        for one, state in zip(judged, states, strict=True)
        if one.question and state in ("added", "updated")
    ]
    questions.put(owner, new, f"import-{hashlib.sha256(content).hexdigest()[:16]}")
    items = tuple(
        ImportedItem(
            one.question.id if one.question else "",
            one.draft.place,
            one.draft.words,
            state,
            (*map(_sentence, one.draft.problems), *map(_reason, one.failures)),
        )
        for one, state in zip(judged, states, strict=True)
    )
    return ImportReport(states.count("added"), states.count("updated"), items, tuple(_gates(judged, embed)))


def _judged(drafts: Sequence[Draft], sources: OwnSources, embed: Embed) -> list[_Judged]:
    found: list[_Judged] = []
    items: dict[int, Item] = {}
    places: dict[str, str] = {}
    for number, draft in enumerate(drafts):
        match draft.question:
            case None:
                found.append(_Judged(draft, None))
                continue
            case OwnChoice() as own:
                question, failures, passage = _choice(own, sources)
                items[number] = _item(question, own, passage)
            case OwnOpen() as own:
                question, failures = _open(own, sources)
        if question.id in places:
            failures = [*failures, Failure("repeated", f"{places[question.id]} has the same question")]
        places.setdefault(question.id, draft.place)
        found.append(_Judged(draft, question, tuple(failures)))
    for number, checked in zip(items, check_all([*items.values()], embed), strict=True):
        found[number] = replace(found[number], failures=(*found[number].failures, *checked.failures))
    return found


def _choice(own: OwnChoice, sources: OwnSources) -> tuple[AskedQuestion, list[Failure], str]:
    """Return the question as it is asked, what is wrong with its source, and the section with its quote."""
    source = sources.find(own.document, own.quote)
    failures = [source] if isinstance(source, Failure) else []
    evidence = None if isinstance(source, Failure) else source
    question_id = _id(own, "mcq")
    order = shown_order(question_id, [option.text for option in own.options])
    shown = [own.options[place] for place in order]
    whys = tuple(option.why or (own.explanation if option.correct else "") for option in shown)
    question = AskedQuestion(
        id=question_id,
        kind="mcq",
        topic=_topic(own, evidence, sources),
        level=own.level,
        skill=own.skill,
        prompt=own.question,
        origin="own",
        evidence=evidence,
        checks=("form", "quote", "key_evidence") if evidence else ("form",),
        options=tuple(option.text for option in shown),
        answer=next(place for place, option in enumerate(shown) if option.correct),
        whys=whys if any(whys) else (),
        scenario=own.scenario,
    )
    return question, failures, sources.section(evidence)


def _item(question: AskedQuestion, own: OwnChoice, passage: str) -> Item:
    explained = any(option.why for option in own.options)
    return Item(
        id=question.id,
        question=question.prompt,
        options=question.options,
        correct=question.answer or 0,
        passage=passage,
        quote=question.evidence.quote if question.evidence else "",
        whys=question.whys if explained else (),
        explanation=own.explanation,
        topic=question.topic,
        level=question.level,
    )


def _open(own: OwnOpen, sources: OwnSources) -> tuple[AskedQuestion, list[Failure]]:
    failures = [Failure("self_contained", reason) for reason in stem_faults(own.question)]
    points = []
    for point in own.points:
        source = sources.find(point.document, point.quote)
        if isinstance(source, Failure):
            failures.append(source)
            source = None
        points.append(Point(point.claim, point.must_have, point.weight, source))
    if not SHORTEST_ANSWER <= (words := len(own.model_answer.split())) <= LONGEST_ANSWER:
        failures.append(Failure("model_answer", f"the model answer has {words} words"))
    if len({point.claim.casefold() for point in own.points}) < len(own.points):
        failures.append(Failure("points", "two points say the same"))
    first = next((point.evidence for point in points if point.evidence), None)
    question = AskedQuestion(
        id=_id(own, "open"),
        kind="open",
        topic=_topic(own, first, sources),
        level=own.level,
        skill=own.skill,
        prompt=own.question,
        origin="own",
        evidence=first,
        checks=("form", "quote") if first else ("form",),
        points=tuple(points),
        model_answer=own.model_answer,
        follow_ups=own.follow_ups,
        scenario=own.scenario,
    )
    return question, failures


def _id(own: OwnChoice | OwnOpen, kind: str) -> str:
    """Return the id that its author gave, else one made of the question, so that a correction keeps it."""
    asked = " ".join(own.question.casefold().split())
    return PREFIX + (own.id or hashlib.sha256(f"{kind}\0{asked}".encode()).hexdigest()[:12])


def _topic(own: OwnChoice | OwnOpen, evidence: Evidence | None, sources: OwnSources) -> str:
    """Return the topic as ids of topics are written; without one that of the source."""
    if named := "-".join(re.findall(r"\w+", own.topic.casefold())):
        return named
    document = sources.named(evidence.document_id) if evidence else None
    return document.topic if document else NO_TOPIC


def _gates(judged: Sequence[_Judged], embed: Embed) -> list[SetGate]:
    """Return the figures of the multiple-choice questions that passed; none without such."""
    passed = [one.question for one in judged if one.question and not one.failures]
    items = [
        Item(question.id, question.prompt, question.options, question.answer)
        for question in passed
        if question.answer is not None
    ]
    if not items:
        return []
    return set_gates(items, repeated([(item.id, f"{item.question} {item.key}") for item in items], embed))


def _reason(failure: Failure) -> str:
    return f"{_sentence(failure.reason)} {ADVICE.get(failure.gate, '')}".strip()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
