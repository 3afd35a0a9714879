"""Lets a model draft a question on a passage, and freezes the draft with its quotes at their exact places."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rag.prompts import prompt
from rag.quiz.bank import shown_order
from rag.quiz.generation.forms import DraftedChoice, DraftedOpen, Json, Voice
from rag.quiz.generation.passages import Passage, Wanted
from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.text import tokens
from rag.text.quoting import locate

SHORTEST_QUOTE, LONGEST_QUOTE = 25, 500
"""Characters of evidence: a few words prove nothing, half a page hides what proves it."""
_INSTRUCTIONS = {"mcq": "draft_choice", "open": "draft_open"}


def material(passage: Passage, wanted: Wanted, already_asked: Sequence[str]) -> Json:
    """Return what the model is given."""
    return {
        "level": wanted.level,
        "already_asked": list(already_asked),
        "passage_from": passage.label,
        "passage": passage.chunk.text,
    }


def fits(passage: Passage, wanted: Wanted, already_asked: Sequence[str], budget: int) -> bool:
    """Tell whether the prompt for a draft has at most `budget` tokens."""
    given = material(passage, wanted, already_asked)
    return tokens.count(prompt(_INSTRUCTIONS[wanted.kind])) + tokens.count(str(given)) <= budget


def drafted(
    voice: Voice, passage: Passage, wanted: Wanted, already_asked: Sequence[str]
) -> DraftedChoice | DraftedOpen | None:
    """Return what the model writes; None when it does not have the form."""
    given = material(passage, wanted, already_asked)
    if wanted.kind == "mcq":
        return voice.ask("draft", _INSTRUCTIONS["mcq"], given, DraftedChoice)
    return voice.ask("draft", _INSTRUCTIONS["open"], given, DraftedOpen)


def frozen(draft: DraftedChoice | DraftedOpen, passage: Passage, wanted: Wanted) -> AskedQuestion | None:
    """Return a draft as a question that could be asked; None when a quote of it is not in the passage."""
    if isinstance(draft, DraftedChoice):
        return _choice(draft, passage, wanted)
    return _open(draft, passage, wanted)


def evidence(quote: str, passage: Passage) -> Evidence | None:
    """Return the words of the document that a quote repeats; None when the passage does not have them."""
    text, document = passage.chunk.text, passage.document
    place = locate(quote, text)
    if place is None or not SHORTEST_QUOTE <= place[1] - place[0] <= LONGEST_QUOTE:
        return None
    start, end = place
    end += text[end : end + 1] in (".", "!", "?") and quote.rstrip(" \"'”’")[-1:] in (".", "!", "?")
    start, end = passage.chunk.start + start, passage.chunk.start + end
    return Evidence(document.id, document.title, start, end, document.text[start:end])


def _choice(draft: DraftedChoice, passage: Passage, wanted: Wanted) -> AskedQuestion | None:
    proof = evidence(draft.quote, passage)
    if proof is None:
        return None
    wrong = (draft.wrong_1, draft.wrong_2, draft.wrong_3)
    options = [draft.key, *(one.text for one in wrong)]
    whys = [draft.key_why, *(one.why for one in wrong)]
    name = _id(passage, draft.question, *options)
    order = shown_order(name, options)
    return AskedQuestion(
        id=name,
        kind="mcq",
        topic=passage.document.topic,
        level=wanted.level,
        skill=draft.skill,
        prompt=draft.question,
        origin="generated",
        evidence=proof,
        options=tuple(options[place] for place in order),
        answer=order.index(0),
        whys=tuple(whys[place] for place in order),
        passage=passage.chunk.id,
    )


def _open(draft: DraftedOpen, passage: Passage, wanted: Wanted) -> AskedQuestion | None:
    points = []
    for point in draft.points:
        proof = evidence(point.quote, passage)
        if proof is None:
            return None
        points.append(Point(point.claim, point.must_have, point.weight, proof))
    return AskedQuestion(
        id=_id(passage, draft.question),
        kind="open",
        topic=passage.document.topic,
        level=wanted.level,
        skill=draft.skill,
        prompt=draft.question,
        origin="generated",
        evidence=points[0].evidence if points else None,
        points=tuple(points),
        model_answer=draft.model_answer,
        follow_ups=(draft.follow_up_1, draft.follow_up_2),
        passage=passage.chunk.id,
    )


def _id(passage: Passage, *texts: str) -> str:
    return f"gen-{hashlib.sha256(chr(0).join((passage.document.id, *texts)).encode()).hexdigest()[:16]}"
