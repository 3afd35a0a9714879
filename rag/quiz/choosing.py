"""Chooses the question for one place of a quiz that is under way, and says what to take first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from rag.embedding.base import Vectors
from rag.quiz.planning import DUE, NEW, WEAK, Needs, due_questions
from rag.quiz_types import AskedQuestion, Kind, QuizRequest, Slot
from rag.types import Level

Embed = Callable[[Sequence[str]], Vectors]
LEVELS: tuple[Level, ...] = ("junior", "mid", "senior")


class Assemble(Protocol):
    """Chooses questions that may stand in one quiz; `rag.quiz.assembling.assemble`."""

    def __call__(
        self,
        pool: Sequence[AskedQuestion],
        embed: Embed,
        *,
        n: int,
        topics: Collection[str] = (),
        level: Level | None = None,
        kind: Kind | None = None,
        seed: int = 0,
        avoid: Collection[str] = (),
        prefer: Mapping[str, str] | None = None,
        asked_before: Sequence[AskedQuestion] = (),
    ) -> list[AskedQuestion]:
        """Return at most `n` questions; none that is the same as one of `asked_before` in other words."""
        ...


def preferred(
    pool: Sequence[AskedQuestion], request: QuizRequest, asked: Collection[str], needs: Needs
) -> dict[str, str]:
    """Return which questions to take first, by id with the reason: due, then weak if wanted, then new."""
    found: dict[str, str] = {}
    if request.target_weak:
        found = {question.id: DUE for question in due_questions(pool, needs)}
        for question in pool:
            if question.topic in needs.weak:
                found.setdefault(question.id, WEAK)
    for question in pool:
        if question.id not in asked:
            found.setdefault(question.id, NEW)
    return found


def choose(
    slot: Slot,
    request: QuizRequest,
    pool: Sequence[AskedQuestion],
    here: Sequence[AskedQuestion],
    before: Collection[str],
    barred: Sequence[AskedQuestion],
    needs: Needs,
    assemble: Assemble,
    embed: Embed,
) -> AskedQuestion | None:
    """Return the question for a slot; None when nothing is left that may be asked.

    When no question is all that the slot says, its level is given up first, then its kind, then its topic; a
    kind that was asked for never is. Of those that fit, due ones are taken first, then those never asked.
    here: asked in this quiz. before: ids of what was asked in earlier ones. barred: what must not be asked in
    other words either.
    """
    known = {question.id for question in here}
    usable = [
        question
        for question in pool
        if question.id not in known
        and request.kind in (None, question.kind)
        and not (request.new_only and question.id in before)
        and (not request.topics or question.topic in request.topics)
    ]
    for fitting in _fitting(slot, usable, here):
        topics = {question.topic for question in fitting}
        found = assemble(
            fitting,
            embed,
            n=1,
            seed=request.seed + len(here),
            prefer=preferred(fitting, request, before, needs),
            asked_before=[question for question in (*here, *barred) if question.topic in topics],
        )
        if found:
            return found[0]
    return None


def _fitting(
    slot: Slot, usable: Sequence[AskedQuestion], here: Sequence[AskedQuestion]
) -> Iterator[list[AskedQuestion]]:
    """Yield the questions that fit a slot, ever less well: the nearest levels first, then other kinds."""
    asked = [question.topic for question in here]
    others = sorted(
        {question.topic for question in usable} - {slot.topic}, key=lambda one: (asked.count(one), one)
    )
    levels = sorted(LEVELS, key=lambda level: abs(LEVELS.index(level) - LEVELS.index(slot.level)))
    for topic in (slot.topic, *others):
        for is_kind in (True, False):
            for level in levels:
                found = [
                    question
                    for question in usable
                    if question.topic == topic
                    and (question.kind == slot.kind) == is_kind
                    and question.level == level
                ]
                if found:
                    yield found


def filled(slot: Slot, question: AskedQuestion, reason: str) -> Slot:
    """Return the slot with what was chosen for it."""
    return replace(
        slot,
        topic=question.topic,
        level=question.level,
        kind=question.kind,
        reason=reason,
        question_id=question.id,
    )
