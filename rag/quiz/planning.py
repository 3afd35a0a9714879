"""Plans a quiz: which topics in which order, at which level, why, and within which limits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from rag.errors import InvalidInput
from rag.quiz_types import AskedQuestion, Kind, Mode, Plan, QuizRequest, Slot
from rag.types import Level

MOST_QUESTIONS, MOST_MINUTES = 100, 24 * 60
STEPS_A_QUESTION = 2
"""A question and its follow-up."""
CHOICE_EVERY = 4
"""Of the questions of an interview one in four offers options; the others are answered in own words."""
FIRST_LEVEL: Level = "mid"
DUE, WEAK, NEW, AGAIN = "due for review", "weak topic", "not asked yet", "asked before"


@dataclass(frozen=True, slots=True)
class Needs:
    """What somebody should be asked before anything else, with the reason in words."""

    due: Mapping[str, str] = field(default_factory=dict)
    """By id of the question, the most urgent first."""
    weak: Mapping[str, str] = field(default_factory=dict)
    """By topic, the weakest first."""


NO_NEEDS = Needs()


def checked(request: QuizRequest) -> QuizRequest:
    """Return the request; raise InvalidInput naming the first value that can't be used."""
    if not request.question_ids and not 1 <= request.n <= MOST_QUESTIONS:
        raise _wrong("questions", request.n, f"from 1 to {MOST_QUESTIONS}")
    if request.minutes is not None and not 1 <= request.minutes <= MOST_MINUTES:
        raise _wrong("minutes", request.minutes, f"from 1 to {MOST_MINUTES}")
    cost = request.max_cost_usd
    if cost is not None and not (cost.is_finite() and cost >= 0):
        raise _wrong("USD", cost, "zero or more")
    if request.max_steps is not None and request.max_steps < 1:
        raise _wrong("steps", request.max_steps, "one or more")
    for value, known in ((request.mode, Mode), (request.level, Level), (request.kind, Kind)):
        if value is not None and value not in get_args(known):
            raise InvalidInput(f"There is no {value!r}.", hint=f"Choose from: {', '.join(get_args(known))}.")
    if request.mode == "review" and not request.question_ids:
        raise InvalidInput("There is nothing to review.", hint="Take a quiz; its questions come again.")
    return request


def check_topics(pool: Sequence[AskedQuestion], request: QuizRequest) -> None:
    """Raise InvalidInput for a topic without any question."""
    topics = sorted({question.topic for question in pool})
    if strange := [topic for topic in request.topics if topic not in topics]:
        raise InvalidInput(
            f"There are no questions on {strange[0]!r}.", hint=f"Topics: {', '.join(topics) or 'none'}."
        )


def fixed_plan(request: QuizRequest, chosen: Sequence[AskedQuestion], reasons: Sequence[str]) -> Plan:
    """Return the plan of a quiz whose questions are all chosen now."""
    slots = [
        Slot(question.topic, question.level, question.kind, reason, question.id)
        for question, reason in zip(chosen, reasons, strict=True)
    ]
    return _limited(request, slots)


def interview_plan(
    request: QuizRequest, pool: Sequence[AskedQuestion], asked: Collection[str], needs: Needs
) -> Plan:
    """Return the plan of an interview: its topics in their order; each question is chosen when it is due.

    Weak and due topics come first when they are wanted. Every topic comes once before any comes again.
    asked: ids of what was asked in earlier quizzes.
    """
    usable = [question for question in pool if request.kind in (None, question.kind)]
    topics = _in_turn(request, usable, needs)
    room = Counter(question.topic for question in usable)
    turns = [topic for turn in range(request.n) for topic in topics if room[topic] > turn]
    level = request.level or FIRST_LEVEL
    return _limited(
        request,
        [
            Slot(
                topic, level, _kind(usable, topic, place), _topic_reason(topic, request, usable, asked, needs)
            )
            for place, topic in enumerate(turns[: request.n])
        ],
    )


def reason_for(question: AskedQuestion, request: QuizRequest, asked: Collection[str], needs: Needs) -> str:
    """Return in words why a question is asked."""
    if question.id in needs.due and (request.target_weak or request.mode == "review"):
        return needs.due[question.id]
    if request.target_weak and question.topic in needs.weak:
        return needs.weak[question.topic]
    return AGAIN if question.id in asked else NEW


def nothing_fits() -> InvalidInput:
    """Return the error for a wish that no question fulfils."""
    return InvalidInput(
        "No question fits this choice.",
        hint="Choose more topics, another level or kind, or allow questions that were asked before.",
    )


def with_slot(plan: Plan, place: int, slot: Slot) -> Plan:
    """Return the plan with another slot at this place."""
    return replace(plan, slots=(*plan.slots[:place], slot, *plan.slots[place + 1 :]))


def without_slot(plan: Plan, place: int) -> Plan:
    """Return the plan without the slot at this place."""
    return replace(plan, slots=(*plan.slots[:place], *plan.slots[place + 1 :]))


def _limited(request: QuizRequest, slots: Sequence[Slot]) -> Plan:
    if not slots:
        raise nothing_fits()
    steps = request.max_steps or STEPS_A_QUESTION * len(slots)
    return Plan(tuple(slots), steps, request.minutes, request.max_cost_usd)


def _in_turn(request: QuizRequest, usable: Sequence[AskedQuestion], needs: Needs) -> list[str]:
    """Return the topics in the order in which they take turns: by chance, but needed ones first."""
    found = {question.topic for question in usable}
    topics = sorted(found & set(request.topics) if request.topics else found)
    random.Random(request.seed).shuffle(topics)  # noqa: S311  # nothing secret depends on it
    if not request.target_weak:
        return topics
    needed = [*needs.weak, *(question.topic for question in due_questions(usable, needs))]
    return [topic for topic in dict.fromkeys([*needed, *topics]) if topic in topics]


def _kind(usable: Sequence[AskedQuestion], topic: str, place: int) -> Kind:
    kinds: set[Kind] = {question.kind for question in usable if question.topic == topic}
    wanted: Kind = "mcq" if place % CHOICE_EVERY == CHOICE_EVERY - 1 else "open"
    return wanted if wanted in kinds else kinds.pop()


def _topic_reason(
    topic: str,
    request: QuizRequest,
    usable: Sequence[AskedQuestion],
    asked: Collection[str],
    needs: Needs,
) -> str:
    if request.target_weak and topic in needs.weak:
        return needs.weak[topic]
    if request.target_weak and any(question.topic == topic for question in due_questions(usable, needs)):
        return DUE
    return AGAIN if any(question.topic == topic and question.id in asked for question in usable) else NEW


def due_questions(pool: Sequence[AskedQuestion], needs: Needs) -> list[AskedQuestion]:
    """Return the questions of the pool that are due, the most urgent first."""
    by_id = {question.id: question for question in pool}
    return [by_id[question_id] for question_id in needs.due if question_id in by_id]


def _wrong(what: str, value: object, allowed: str) -> InvalidInput:
    return InvalidInput(f"{value} {what} can't be asked for.", hint=f"Choose {allowed}.")
