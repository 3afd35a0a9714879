"""A model server that drafts real questions of the bank, and judges and solves them as somebody who knows."""

from __future__ import annotations

import json
from collections import deque
from functools import cache
from pathlib import Path
from typing import Any

from rag.ingestion.chunking import chunk
from rag.ingestion.loading import load_file
from rag.prompts import prompt
from rag.quiz.bank import MultipleChoice, OpenQuestion, load_bank
from rag.quiz.generation.forms import Judged, Recalled, Said, Solved
from rag.quiz_types import AskedQuestion, Evidence, Point
from tests.stub_server import Request, StubServer
from tests.voices import Knowing

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
DOCUMENT = "embeddings"
FORMS = {"judge": Judged, "solve_choice": Solved, "solve_closed": Recalled, "solve_open": Said}
NAMES = {prompt(name): name for name in (*FORMS, "draft_choice", "draft_open")}


def sections_with_questions() -> str:
    """Return those sections of the shipped document that the bank has multiple-choice questions on."""
    document = load_file(next(KNOWLEDGE.rglob(f"{DOCUMENT}.md")), KNOWLEDGE)
    asked = [part.text for part in chunk(document) if any(item.quote in part.text for item in bank_on()[0])]
    return "# Embeddings\n\n" + "\n\n".join(asked)


@cache
def bank_on(document_id: str = DOCUMENT) -> tuple[list[MultipleChoice], list[OpenQuestion]]:
    """Return the bank's questions that rest on one document alone."""
    topics = load_bank(KNOWLEDGE / "questions")
    choices = [item for topic in topics for item in topic.multiple_choice if item.document == document_id]
    opens = [
        item for topic in topics for item in topic.open if {p.document for p in item.points} == {document_id}
    ]
    return choices, opens


def draft_of(item: MultipleChoice | OpenQuestion) -> dict[str, Any]:
    """Return a question of the bank as a model would draft it."""
    if isinstance(item, OpenQuestion):
        points = [point.model_dump(exclude={"document"}) for point in item.points]
        first, second = item.follow_ups
        return {
            "question": item.question,
            "points": points,
            "model_answer": item.model_answer,
            "follow_up_1": first,
            "follow_up_2": second,
            "skill": item.skill,
        }
    key = next(option for option in item.options if option.correct)
    wrong = [{"text": one.text, "why": one.why} for one in item.options if not one.correct]
    drafts = {f"wrong_{number}": one for number, one in enumerate(wrong, start=1)}
    return {
        "question": item.question,
        "key": key.text,
        "key_why": key.why,
        **drafts,
        "quote": item.quote,
        "skill": item.skill,
    }


def quoted(item: MultipleChoice | OpenQuestion) -> list[str]:
    """Return what a question of the bank quotes."""
    return [item.quote] if isinstance(item, MultipleChoice) else [point.quote for point in item.points]


def as_known(item: MultipleChoice | OpenQuestion) -> AskedQuestion:
    """Return what a knowing model has to know of a question; its quote has no place in a document."""
    common = {
        "id": item.id,
        "topic": "",
        "level": item.level,
        "skill": item.skill,
        "prompt": item.question,
        "origin": "bank",
        "evidence": Evidence("", "", 0, 0, quoted(item)[0]),
    }
    if isinstance(item, OpenQuestion):
        points = tuple(Point(point.claim, point.must_have, point.weight, None) for point in item.points)
        return AskedQuestion(kind="open", points=points, model_answer=item.model_answer, **common)
    return AskedQuestion(
        kind="mcq",
        options=tuple(option.text for option in item.options),
        answer=next(place for place, option in enumerate(item.options) if option.correct),
        whys=tuple(option.why for option in item.options),
        **common,
    )


class ScriptedModel(StubServer):
    """Drafts the next question of the bank that the passage bears; knows the truth of all of them."""

    def __init__(self) -> None:
        super().__init__()
        choices, opens = bank_on()
        self.voice: Any = Knowing([as_known(item) for item in (*choices, *opens)])
        self.left: dict[str, deque[Any]] = {"draft_choice": deque(choices), "draft_open": deque(opens)}
        self.spoiled: deque[dict[str, Any]] = deque()
        """Changes to the next drafts."""
        self.piece_length = 200

    def text_for(self, request: Request) -> str:
        instructions, given = (message["content"] for message in request.body["messages"])
        name, material = NAMES[instructions], json.loads(given)
        if self.answers:
            return self.answers.popleft()
        if name in FORMS:
            purpose = "judge" if name == "judge" else "solve"
            found = self.voice.ask(purpose, name, material, FORMS[name])
            return "I would rather not say." if found is None else found.model_dump_json()
        fitting = [
            one for one in self.left[name] if all(quote in material["passage"] for quote in quoted(one))
        ]
        if not fitting:
            return "The passage holds no question."
        self.left[name].remove(fitting[0])
        return json.dumps(draft_of(fitting[0]) | (self.spoiled.popleft() if self.spoiled else {}))
