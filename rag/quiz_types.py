"""The values that flow through a quiz, from the question as it is asked to its grade. All are immutable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter

from rag.types import FREE, Level, Usage

Json = dict[str, Any]
Kind = Literal["mcq", "open"]
Origin = Literal["bank", "own", "generated", "extractive"]
"""The shipped bank; somebody's imported one; written by a model and checked; blanked out of a sentence."""
Mode = Literal["practice", "interview", "review"]
VerdictName = Literal["met", "partial", "missing", "contradicted"]
GradedBy = Literal["key", "llm", "coverage_hint", "self"]
"""A key; a model, point by point; nobody: it is only known which points were not mentioned; the person."""
Outcome = Literal["graded", "not_answered", "off_topic", "ungraded"]
SelfRating = Literal["", "again", "hard", "good", "easy"]
"""How well somebody says they knew it; empty: not said."""
Grading = Literal["none", "waiting", "done", "failed"]
StopReason = Literal["", "done", "ended", "time_limit", "step_limit", "cost_limit", "no_more_questions"]
"""Empty while the quiz runs; `ended`: by the person, before its plan was done."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of a source that a question rests on: `quote == document.text[start:end]` when it was chosen."""

    document_id: str
    title: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that an answer to an open question should say, fixed before any answer is seen."""

    claim: str
    must_have: bool
    weight: int
    """1 to 3."""
    evidence: Evidence | None
    """None: the author of an imported question named no source."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question with all that is needed to show, grade and explain it; frozen when it is chosen."""

    id: str
    kind: Kind
    topic: str
    level: Level
    skill: str
    prompt: str
    origin: Origin
    evidence: Evidence | None
    """What the key rests on; of an open question its first point's."""
    checks: tuple[str, ...] = ()
    """Names of the gates that it passed."""
    options: tuple[str, ...] = ()
    """In the order in which they are shown; empty for an open question."""
    answer: int | None = None
    """Index of the key in `options`; None for an open question."""
    whys: tuple[str, ...] = ()
    """For each option why it is right or wrong."""
    points: tuple[Point, ...] = ()
    model_answer: str = ""
    follow_ups: tuple[str, ...] = ()
    """Questions that an interviewer asks next."""
    scenario: bool = False
    passage: str = ""
    """Id of the chunk in which the evidence starts, as the pool found it; empty: not known."""


@dataclass(frozen=True, slots=True)
class PointVerdict:
    """What a model found of one point, after code has checked it."""

    point: str
    """The claim of the rubric."""
    verdict: VerdictName
    must_have: bool
    weight: int
    answer_quote: str = ""
    """Verbatim from the answer; empty unless something was found."""
    evidence: Evidence | None = None
    why: str = ""
    """One sentence, for the person."""
    denied: str = ""
    """Why code lowered the verdict, e.g. "the quote does not stand in the answer"; empty: it stands."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What became of one answer."""

    graded_by: GradedBy
    outcome: Outcome
    right: bool | None = None
    """Of a multiple-choice answer; None otherwise."""
    verdicts: tuple[PointVerdict, ...] = ()
    """One for each point of the rubric, in its order; only from a model."""
    score: float | None = None
    """0 to 1, computed by code from a model's verdicts; None for anything else."""
    not_mentioned: tuple[str, ...] = ()
    """Claims of the points that the answer does not seem to mention: a hint, not a grade."""
    note: str = ""
    """What else the person should know, e.g. that the model could not be reached."""
    model: str = ""
    usage: Usage = FREE
    ms: float = 0
    """From the answer to its grade; 0: not known."""

    @property
    def met(self) -> int:
        """How many points are met in full."""
        return sum(verdict.verdict == "met" for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Response:
    """What somebody answered."""

    option: int | None = None
    """Index in the options as shown; None for a text and when it was skipped."""
    text: str = ""
    guessed: bool = False
    """True: the person said that they were guessing."""
    skipped: bool = False
    seconds: float = 0.0
    """From the first showing to the answer."""


@dataclass(frozen=True, slots=True)
class QuizRequest:
    """What somebody wants to be asked."""

    n: int = 5
    """Questions, follow-ups not counted."""
    mode: Mode = "practice"
    topics: tuple[str, ...] = ()
    """Empty: all."""
    level: Level | None = None
    """None: all levels; of an interview the one it starts with is then mid."""
    kind: Kind | None = None
    """None: both."""
    target_weak: bool = False
    new_only: bool = False
    minutes: int | None = None
    """Soft limit for the whole; None: no timer."""
    max_cost_usd: Decimal | None = None
    """What the models may cost for this quiz; None: only the budget of the installation limits."""
    follow_ups: bool = True
    seed: int = 0
    question_ids: tuple[str, ...] = ()
    """Exactly these, e.g. the cards that are due; empty: chosen by the rest."""
    max_steps: int | None = None
    """Questions and follow-ups together; None: two for each question."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the plan of a quiz."""

    topic: str
    level: Level
    kind: Kind
    reason: str
    """Why this topic, in words: "due for review", "weak: 1 of 4 points", "not asked yet"."""
    question_id: str = ""
    """Empty while an interview has not chosen it yet."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a quiz will ask, and the limits that end it."""

    slots: tuple[Slot, ...]
    max_steps: int
    """Questions and follow-ups together."""
    minutes: int | None
    max_cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class SessionItem:
    """One question of a quiz with what became of it."""

    position: int
    """0-based."""
    question: AskedQuestion
    follow_up_of: int | None
    """Position of the question it follows; None for a question of the plan."""
    reason: str
    """Why it is asked, in words."""
    shown_at: datetime | None
    hints: int
    """How many were looked at."""
    draft: str
    """What was typed or picked and not submitted."""
    response: Response | None
    """None: not answered yet."""
    answered_at: datetime | None
    grading: Grading
    grading_error: str
    grade: Grade | None
    self_rating: SelfRating
    disagreement: str
    """What the person said against the grade; empty: nothing."""
    report: str
    """What the person said is wrong with the question; empty: nothing."""
    guessing: bool = False
    """Ticked beside the draft: it is a guess."""


@dataclass(frozen=True, slots=True)
class Session:
    """One quiz from its request to its end."""

    id: str
    owner: str
    mode: Mode
    state: Literal["running", "finished"]
    stop_reason: StopReason
    request: QuizRequest
    plan: Plan
    position: int
    """Of the current item."""
    items: tuple[SessionItem, ...]
    """Those that were asked so far, the current one last."""
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @property
    def current(self) -> SessionItem:
        """The item at `position`."""
        return self.items[self.position]


ASKED: TypeAdapter[AskedQuestion] = TypeAdapter(AskedQuestion)
GRADE: TypeAdapter[Grade] = TypeAdapter(Grade)
RESPONSE: TypeAdapter[Response] = TypeAdapter(Response)
REQUEST: TypeAdapter[QuizRequest] = TypeAdapter(QuizRequest)
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
"""Read and write the values as JSON: `dump_python(value, mode="json")`, `validate_python(found)`."""
