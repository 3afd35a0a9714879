"""Leads a quiz: a loop that decides after each answer what comes next, and when it is over.

An interview's plan says which topics it will ask about; each question is chosen when its turn comes, at a
level that follows the answers. Limits on steps, minutes and money end it between two questions. Practice
follows the questions that were chosen at its start. Nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from rag.quiz.choosing import LEVELS, Assemble, Embed, choose, filled, preferred
from rag.quiz.follow_ups import FollowUp, Headings, follow_up, follow_up_id
from rag.quiz.grading import OpenGrader
from rag.quiz.planning import (
    FIRST_LEVEL,
    Needs,
    check_topics,
    fixed_plan,
    interview_plan,
    nothing_fits,
    reason_for,
    with_slot,
    without_slot,
)
from rag.quiz_types import AskedQuestion, Plan, QuizRequest, Session, SessionItem, Slot, StopReason
from rag.types import Level

WELL, POORLY = 0.75, 0.4
"""A score from which an answer counts as good, and one up to which it counts as poor, for the level alone."""
IN_A_ROW = 2
"""So many good answers raise the level, so many poor ones lower it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked next."""

    plan: Plan
    """As it is from now on."""
    question: AskedQuestion
    reason: str
    follow_up_of: int | None = None
    """Position of the question it follows; None for a question of the plan."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be asked: everything that a person may be asked, what they were asked, and what they need."""

    pool: Sequence[AskedQuestion]
    before: Collection[str]
    """Ids of what was asked in any quiz so far."""
    needs: Needs
    reported: Collection[str]
    """Ids of questions, also of follow-ups, that the person does not want."""
    barred: Sequence[AskedQuestion]
    """What must not be asked again in other words either."""


class Interviewer:
    """Decides what comes next. It keeps nothing: what it decides depends on the stored quiz alone."""

    def __init__(
        self, assemble: Assemble, embed: Embed, headings: Headings, hint: OpenGrader | None = None
    ) -> None:
        """hint: finds what an answer without a grade did not mention, for free; None: no follow-up then."""
        self._assemble = assemble
        self._embed = embed
        self._headings = headings
        self._hint = hint

    def first(self, request: QuizRequest, choice: Choice) -> Step:
        """Return the plan and the first question; raise InvalidInput when nothing fits the request."""
        check_topics(choice.pool, request)
        if request.question_ids:
            by_id = {question.id: question for question in choice.pool}
            chosen = [by_id[one] for one in dict.fromkeys(request.question_ids) if one in by_id]
        elif request.mode == "interview":
            usable = [one for one in choice.pool if not (request.new_only and one.id in choice.before)]
            plan = interview_plan(request, usable, choice.before, choice.needs)
            question = self._chosen(request, plan, plan.slots[0], (), choice)
            if question is None:
                raise nothing_fits()
            return self._step(request, plan, 0, question, choice)
        else:
            chosen = self._assemble(
                choice.pool,
                self._embed,
                n=request.n,
                topics=request.topics,
                level=request.level,
                kind=request.kind,
                seed=request.seed,
                avoid=choice.before if request.new_only else (),
                prefer=preferred(choice.pool, request, choice.before, choice.needs),
                asked_before=choice.barred,
            )
        if not chosen:
            raise nothing_fits()
        reasons = [reason_for(one, request, choice.before, choice.needs) for one in chosen]
        return Step(fixed_plan(request, chosen, reasons), chosen[0], reasons[0])

    def after(self, session: Session, choice: Choice) -> Step | None:
        """Return what comes after the current question, which is answered; None when nothing is left."""
        if found := self._follow_up(session, choice):
            return Step(session.plan, found.question, found.reason, session.position)
        plan, place = session.plan, sum(item.follow_up_of is None for item in session.items)
        here = [item.question for item in session.items]
        while place < len(plan.slots):
            slot = plan.slots[place]
            if session.mode == "interview":
                slot = replace(slot, level=level_after(session.request, session.items))
            if question := self._chosen(session.request, plan, slot, here, choice):
                return self._step(session.request, plan, place, question, choice)
            plan = without_slot(plan, place)
        return None

    def _chosen(
        self,
        request: QuizRequest,
        plan: Plan,
        slot: Slot,
        here: Sequence[AskedQuestion],
        choice: Choice,
    ) -> AskedQuestion | None:
        """Return the question that the plan names; when it is gone another, unless exactly it was wanted."""
        planned = {one.question_id for one in plan.slots}
        named = [question for question in choice.pool if question.id in planned]
        if found := next((question for question in named if question.id == slot.question_id), None):
            return found
        if request.question_ids:
            return None
        taken = list({question.id: question for question in (*here, *named)}.values())
        return choose(
            slot,
            request,
            choice.pool,
            taken,
            choice.before,
            choice.barred,
            choice.needs,
            self._assemble,
            self._embed,
        )

    def _step(
        self, request: QuizRequest, plan: Plan, place: int, question: AskedQuestion, choice: Choice
    ) -> Step:
        slot = plan.slots[place]
        if question.id == slot.question_id:
            return Step(plan, question, slot.reason)
        reason = reason_for(question, request, choice.before, choice.needs)
        if question.topic != slot.topic:
            reason = f"no question left on {slot.topic}"
        return Step(with_slot(plan, place, filled(slot, question, reason)), question, reason)

    def _follow_up(self, session: Session, choice: Choice) -> FollowUp | None:
        item, request = session.current, session.request
        if not request.follow_ups or request.mode == "review" or item.follow_up_of is not None:
            return None
        if item.response is None or item.response.skipped or not item.question.points:
            return None
        if follow_up_id(item.question.id) in choice.reported:
            return None
        grade = item.grade
        if grade is None and self._hint is not None:
            grade = self._hint.grade(item.question, item.response.text, trace_id=session.id)
        if grade is None:
            return None
        asked = [one.question.prompt for one in session.items]
        return follow_up(item.question, grade, self._embed, self._headings, asked)


def limit_reached(
    plan: Plan, steps: int, started_at: datetime, now: datetime, spent_usd: Decimal | None
) -> StopReason:
    """Return which limit of a plan is reached; empty: none.

    steps: questions and follow-ups so far. Time is that of the clock, also while the page is closed, as in
    an interview. spent_usd: None when the price is unknown, which no limit can hold.
    """
    if plan.minutes is not None and now - started_at >= timedelta(minutes=plan.minutes):
        return "time_limit"
    if plan.max_cost_usd is not None and spent_usd is not None and 0 < spent_usd >= plan.max_cost_usd:
        return "cost_limit"
    return "step_limit" if steps >= plan.max_steps else ""


def level_after(request: QuizRequest, items: Sequence[SessionItem]) -> Level:
    """Return the level of the next question: two good answers in a row raise it, two poor ones lower it.

    Keys and models' scores count, and so does a question that was skipped. Coverage hints, follow-ups and
    right guesses say nothing.
    """
    level = LEVELS.index(request.level or FIRST_LEVEL)
    run: list[str] = []
    for item in items:
        judged = _judged(item)
        if not judged:
            continue
        run = [*run, judged] if run and run[-1] == judged else [judged]
        if len(run) == IN_A_ROW and judged != "middling":
            level = min(max(level + (1 if judged == "good" else -1), 0), len(LEVELS) - 1)
            run = []
    return LEVELS[level]


def _judged(item: SessionItem) -> Literal["good", "middling", "poor", ""]:
    grade, response = item.grade, item.response
    if item.follow_up_of is not None or response is None:
        return ""
    if response.skipped:
        return "poor"
    if grade is None or grade.graded_by in ("coverage_hint", "self"):
        return ""
    if grade.graded_by == "key":
        return "poor" if not grade.right else "" if response.guessed else "good"
    if grade.outcome in ("off_topic", "not_answered"):
        return "poor"
    if grade.score is None:
        return ""
    return "good" if grade.score >= WELL else "poor" if grade.score <= POORLY else "middling"
