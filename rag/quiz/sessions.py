"""Quizzes as they are taken: started, answered, graded, led from question to question, ended.

Everything is stored before a method returns, so that a refresh, a restart or a second tab finds the same
question with its options in the same order. What comes first counts: a second answer to a question is
ignored, and whoever asks for the next question gets the one that is already there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from rag.errors import BudgetExceeded, InvalidInput, RagError
from rag.quiz.grading import OpenGrader, grade_choice
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz.grading.limits import LONGEST_ANSWER
from rag.quiz.hints import hints_of
from rag.quiz.interviewing import Choice, Interviewer, limit_reached
from rag.quiz.planning import NO_NEEDS, Needs, checked
from rag.quiz.pool import Pool
from rag.quiz.turns import Turns
from rag.quiz_types import (
    AskedQuestion,
    Grade,
    GradedBy,
    Grading,
    QuizRequest,
    Response,
    SelfRating,
    Session,
    SessionItem,
    StopReason,
)
from rag.storage.ledger import Ledger
from rag.storage.questions import Questions
from rag.storage.quizzes import Quizzes
from rag.types import Usage

LONGEST_REMARK = 2_000
"""Characters."""
NOT_COVERED = (
    "This question goes a step beyond the points that were fixed for grading, so it has no grade. Compare "
    "your answer with the source and rate it yourself."
)
INTERVIEWS_KEPT = 64
"""The newest, whose needs are kept in memory; for another one they are found again."""
_Sessions = list[Session]


class Sessions:
    """The quizzes of every person. Safe to share between threads.

    Methods that need a quiz raise InvalidInput when `owner` has none with this id or it has no such
    question. Changes that come too late (an answer was there first, the quiz is over) are ignored.
    """

    def __init__(
        self,
        quizzes: Quizzes,
        pool: Pool,
        questions: Questions,
        ledger: Ledger,
        interviewer: Interviewer,
        clock: Callable[[], datetime],
        needs: Callable[[str], Needs] = lambda owner: NO_NEEDS,
        on_result: Callable[[Session, SessionItem], None] = lambda session, item: None,
    ) -> None:
        """needs: of a person. on_result: called after every answer, grade and self-rating, or more often."""
        self._quizzes = quizzes
        self._pool = pool
        self._questions = questions
        self._ledger = ledger
        self._interviewer = interviewer
        self._clock = clock
        self._needs = needs
        self._on_result = on_result
        self._grading = Turns()
        self._needs_of: dict[str, Needs] = {}
        """By id of the interview, as they were at its start: finding them reads all earlier quizzes."""

    def start(self, request: QuizRequest, owner: str) -> str:
        """Plan a quiz, freeze its first question, and return its id.

        Raises InvalidInput for a value out of its range and when no question fits.
        """
        needed = checked(request).target_weak or request.mode == "review"
        needs = self._needs(owner) if needed else NO_NEEDS
        step = self._interviewer.first(request, self._choice(owner, request, needs))
        quiz_id = self._quizzes.create(owner, request, step.plan, step.question, step.reason)
        if needed and request.mode == "interview":
            self._keep(quiz_id, needs)
        return quiz_id

    def get(self, quiz_id: str, owner: str) -> Session | None:
        """Return a quiz; None when `owner` has none with this id."""
        found = self._quizzes.get(quiz_id, owner)
        return None if found is None else self._as_reported([found], owner)[0]

    def unfinished(self, owner: str) -> Session | None:
        """Return the running quiz that was used last; None when there is none."""
        found = self._quizzes.unfinished(owner)
        return None if found is None else self._as_reported([found], owner)[0]

    def list(self, owner: str, limit: int = 50) -> _Sessions:
        """Return the quizzes of `owner`, newest first."""
        return self._as_reported(self._quizzes.list(owner, limit), owner)

    def asked_ids(self, owner: str) -> set[str]:
        """Return the ids of all questions that `owner` was asked, follow-ups not counted."""
        return self._quizzes.asked_ids(owner)

    def last_asked(self, owner: str, question_ids: Collection[str]) -> dict[str, AskedQuestion]:
        """Return those of these questions and follow-ups that `owner` was asked, by id as asked last."""
        return self._quizzes.last_asked(owner, question_ids)

    def shown(self, quiz_id: str, owner: str) -> None:
        """Note that the current question is shown now, the first time."""
        self._quizzes.show(quiz_id, owner, self._found(quiz_id, owner).position)

    def save_draft(self, quiz_id: str, owner: str, position: int, text: str, guessing: bool = False) -> None:
        """Keep what was typed so far, cut to LONGEST_ANSWER, and whether it is said to be a guess."""
        self._quizzes.save_draft(quiz_id, owner, position, text[:LONGEST_ANSWER], guessing)

    @staticmethod
    def hints_of(question: AskedQuestion) -> tuple[str, ...]:
        """Return the hints to a question in the order in which they are given; may be empty."""
        return hints_of(question)

    def hint(self, quiz_id: str, owner: str, position: int) -> int:
        """Give one more hint, if there is one and no answer yet; return how many were given."""
        _, item = self._item(quiz_id, owner, position)
        self._quizzes.add_hint(quiz_id, owner, position, len(hints_of(item.question)))
        return self._item(quiz_id, owner, position)[1].hints

    def submit(self, quiz_id: str, owner: str, position: int, response: Response) -> None:
        """Store an answer. A chosen option is graded at once; a text waits for `grade`.

        Raises InvalidInput for an option that is not there and for a text that is too long.
        """
        session, item = self._item(quiz_id, owner, position)
        question = item.question
        if not response.seconds and item.shown_at:
            response = replace(response, seconds=(self._clock() - item.shown_at).total_seconds())
        if response.skipped:
            response = replace(response, option=None, text="", guessed=False)
            by: GradedBy = "key" if question.kind == "mcq" else "self"
            self._answer(session, position, response, Grade(by, "not_answered"))
        elif question.kind == "mcq":
            if response.option is None:
                raise InvalidInput("No option is chosen.", hint="Choose one of them, or skip the question.")
            grade = grade_choice(question, response.option)
            self._answer(session, position, replace(response, text=""), grade)
        elif len(response.text) > LONGEST_ANSWER:
            raise InvalidInput(
                f"The answer has {len(response.text):,} characters.",
                hint=f"Shorten it to {LONGEST_ANSWER:,}.",
            )
        else:
            text = response.text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
            self._answer(session, position, replace(response, option=None, text=text), None)

    def skip(self, quiz_id: str, owner: str, position: int) -> None:
        """Go without an answer to a question: not answered, which is not wrong."""
        self.submit(quiz_id, owner, position, Response(skipped=True))

    def grade(self, quiz_id: str, owner: str, position: int, grader: OpenGrader) -> Grade:
        """Grade an open answer and return the stored grade; one that has a grade keeps it.

        Two tabs that grade the same answer share one grading. When it fails, the reason is stored, the
        grade returned is "ungraded", and it may be tried again, also after the end of the quiz. A model
        is not asked once it has cost what this quiz may cost; an interview then ends with `next`.
        Raises InvalidInput when there is no answer.
        """
        before = self._item(quiz_id, owner, position)[1].grading
        with self._grading.take(quiz_id, position):
            session, item = self._item(quiz_id, owner, position)
            if item.response is None:
                raise InvalidInput("There is no answer to grade.", hint="Answer the question first.")
            if item.grade is not None:
                return item.grade
            if item.grading == "failed" != before:
                return _ungraded(item.grading_error)
            try:
                grade = self._graded(session, item, item.response.text, grader)
            except RagError as error:
                return self._failed(session, position, f"{error} {error.hint}".strip())
            except Exception:
                self._failed(session, position, "Something went wrong inside Viva.")
                raise
            self._quizzes.grade(quiz_id, owner, position, grade)
        session, item = self._item(quiz_id, owner, position)
        self._tell(session, item)
        return item.grade or grade

    def self_rate(self, quiz_id: str, owner: str, position: int, rating: SelfRating) -> None:
        """Store how well the person says they knew it; the last word counts."""
        self._item(quiz_id, owner, position)
        if self._quizzes.rate(quiz_id, owner, position, rating):
            self._tell(*self._item(quiz_id, owner, position))

    def disagree(self, quiz_id: str, owner: str, position: int, text: str) -> None:
        """Store what the person says against a grade; empty takes it back."""
        self._item(quiz_id, owner, position)
        self._quizzes.disagree(quiz_id, owner, position, text.strip()[:LONGEST_REMARK])

    def report(self, quiz_id: str, owner: str, position: int, text: str) -> None:
        """Store what is wrong with a question, which is then not asked again; empty takes it back."""
        _, item = self._item(quiz_id, owner, position)
        reason = text.strip()[:LONGEST_REMARK]
        self._quizzes.report(quiz_id, owner, position, reason)
        if reason:
            self._questions.report(owner, item.question.id, reason)
        else:
            self._questions.unreport(owner, item.question.id)

    def next(self, quiz_id: str, owner: str) -> Session:
        """Go on to the next question, a follow-up, or the end, and return the quiz as it is then.

        Nothing happens before the current question is answered. An answer that is not graded yet leads to
        a follow-up by what it does not mention, and leaves the level as it is.
        """
        session = self._found(quiz_id, owner)
        if session.state == "finished" or session.current.response is None:
            return session
        self._tell(session, session.current)
        step = self._interviewer.after(session, self._choice(owner, session.request, self._needs_in(session)))
        if step is None:
            planned = sum(item.follow_up_of is None for item in session.items)
            reason: StopReason = "done" if planned == len(session.plan.slots) else "no_more_questions"
            self._quizzes.finish(quiz_id, owner, reason, at=session.position)
        elif limit := self._limit(session):
            self._quizzes.finish(quiz_id, owner, limit, at=session.position)
        else:
            self._quizzes.advance(session, step.plan, step.question, step.follow_up_of, step.reason)
        return self._found(quiz_id, owner)

    def end(self, quiz_id: str, owner: str) -> None:
        """End a running quiz before its plan is done; what was answered stays and may still be graded."""
        self._found(quiz_id, owner)
        self._quizzes.finish(quiz_id, owner, "ended")

    def spent(self, quiz_id: str) -> Usage:
        """Return what the models used for this quiz, from the ledger."""
        return self._ledger.spent_on(quiz_id)

    def _choice(self, owner: str, request: QuizRequest, needs: Needs) -> Choice:
        return Choice(
            self._pool.questions(owner),
            self._quizzes.asked_ids(owner),
            needs,
            self._questions.reported(owner),
            list(self._quizzes.asked(owner).values()) if request.new_only else [],
        )

    def _needs_in(self, session: Session) -> Needs:
        """Return what an interview asks first; other quizzes chose all their questions at the start."""
        if session.mode != "interview" or not session.request.target_weak:
            return NO_NEEDS
        kept = self._needs_of.get(session.id)
        return self._keep(session.id, self._needs(session.owner)) if kept is None else kept

    def _keep(self, quiz_id: str, needs: Needs) -> Needs:
        newest = list(self._needs_of.items())[1 - INTERVIEWS_KEPT :]
        self._needs_of = {**dict(newest), quiz_id: needs}
        return needs

    def _as_reported(self, found: _Sessions, owner: str) -> _Sessions:
        """Return quizzes without the reports that were taken back since; the reasons are those given last."""
        if not any(item.report for session in found for item in session.items):
            return found
        reasons = self._questions.reported(owner)
        return [
            replace(
                session,
                items=tuple(
                    replace(item, report=reasons.get(item.question.id, "")) if item.report else item
                    for item in session.items
                ),
            )
            for session in found
        ]

    def _limit(self, session: Session) -> StopReason:
        spent = self.spent(session.id).cost_usd if session.mode == "interview" else None
        return limit_reached(session.plan, len(session.items), session.started_at, self._clock(), spent)

    def _graded(self, session: Session, item: SessionItem, text: str, grader: OpenGrader) -> Grade:
        """Return the grade of an answer. Raises RagError when there can be none."""
        if item.follow_up_of is not None and not item.question.points:
            return _ungraded(NOT_COVERED)
        limit, spent = session.plan.max_cost_usd, self.spent(session.id).cost_usd
        if (
            limit is not None
            and spent is not None
            and spent >= limit
            and not isinstance(grader, CoverageHint)
        ):
            raise BudgetExceeded(
                f"The models have cost the ${limit} that this quiz may cost.",
                limit=limit,
                spent=spent,
                hint="Rate the answer yourself.",
            )
        began = self._clock()
        grade = grader.grade(item.question, text, trace_id=session.id)
        return replace(grade, ms=(self._clock() - began).total_seconds() * 1000)

    def _answer(self, session: Session, position: int, response: Response, grade: Grade | None) -> None:
        grading: Grading = "waiting" if grade is None else "done"
        if self._quizzes.answer(session.id, session.owner, position, response, grading, grade):
            self._tell(*self._item(session.id, session.owner, position))

    def _failed(self, session: Session, position: int, error: str) -> Grade:
        self._quizzes.fail_grading(session.id, session.owner, position, error)
        return _ungraded(error)

    def _tell(self, session: Session, item: SessionItem) -> None:
        if item.follow_up_of is None:
            self._on_result(session, item)

    def _found(self, quiz_id: str, owner: str) -> Session:
        session = self._quizzes.get(quiz_id, owner)
        if session is None:
            raise InvalidInput("This quiz is not here any more.", hint="Start a new one.")
        return session

    def _item(self, quiz_id: str, owner: str, position: int) -> tuple[Session, SessionItem]:
        session = self._found(quiz_id, owner)
        if not 0 <= position < len(session.items):
            raise InvalidInput(f"This quiz has no question {position + 1} yet.", hint="Load the page again.")
        return session, session.items[position]


def _ungraded(note: str) -> Grade:
    return Grade("self", "ungraded", note=note)
