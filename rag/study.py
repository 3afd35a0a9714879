"""Wires what quizzes need: where questions come from, who grades them, when they come again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, tzinfo

from rag.embedding.base import Embedder
from rag.providers.choice import ModelChoice
from rag.quiz.assembling import assemble
from rag.quiz.definitions import Definitions
from rag.quiz.extractive import extractive_items, terms_asked_for
from rag.quiz.follow_ups import headings_in
from rag.quiz.generation.generator import Generator
from rag.quiz.grading import OpenGrader, open_grader
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz.grading.interchange import RubricOrigin
from rag.quiz.grading.reference import points_of_sentences, question_of
from rag.quiz.importing import ImportReport, import_bank
from rag.quiz.interviewing import Interviewer
from rag.quiz.planning import DUE, WEAK, Needs
from rag.quiz.pool import Pool
from rag.quiz.progress import Progress, seen_from, timeless
from rag.quiz.scheduling import Scheduling
from rag.quiz.sessions import Sessions
from rag.quiz_types import AskedQuestion
from rag.settings import Settings
from rag.storage.engine import Database
from rag.storage.generations import Generations
from rag.storage.ledger import Ledger
from rag.storage.library import Library
from rag.storage.preferences import Preferences
from rag.storage.questions import Questions
from rag.storage.quizzes import Quizzes
from rag.storage.reviews import Reviews
from rag.types import FREE, Usage

MOST_QUIZZES = 2_000
"""The newest of one person that figures look at."""
PROGRESS_KEPT = 32
"""People whose figures are kept in memory until they change."""


class Study:
    """Everything about quizzes that the pages and the command line work with."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        library: Library,
        embedder: Embedder,
        ledger: Ledger,
        check_budget: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`check_budget` raises BudgetExceeded when no model call may be made."""
        self._settings = settings
        self._database = database
        self._library = library
        self._embedder = embedder
        self._ledger = ledger
        self._check_budget = check_budget
        self._clock = clock
        self.questions = Questions(database, clock)
        self.pool = Pool(library, self.questions, settings.knowledge_dir / "questions", embedder)
        self.scheduling = Scheduling(
            Reviews(database),
            Preferences(database, clock),
            clock,
            lambda owner: {question.id for question in self.pool.questions(owner)},
            lambda owner: self._timeless(owner).weak,
        )
        self._quizzes = Quizzes(database, clock)
        self.generations = Generations(database, clock)
        self._definitions = Definitions()
        self._progress: dict[str, tuple[object, Progress]] = {}
        self.sessions = Sessions(
            self._quizzes,
            self.pool,
            self.questions,
            ledger,
            Interviewer(assemble, self.pool.embed, headings_in(library), CoverageHint(embedder.embed)),
            clock,
            needs=self._needs,
            on_result=self.scheduling.review,
        )

    def grader(self, choice: ModelChoice | None = None) -> OpenGrader:
        """Return who grades open answers: the given model, or the configured one; none: the coverage hint.

        Raises ConfigurationError when the choice lacks something, such as a key.
        """
        chat = self._settings.chat
        chosen = choice or ModelChoice(chat.provider, chat.model, chat.base_url, self._settings.api_key)
        return open_grader(chosen, chat, self._ledger, self._embedder.embed, self._check_budget)

    def reference_question(
        self, question: str, reference: str, *, trace_id: str
    ) -> tuple[AskedQuestion, RubricOrigin, Usage]:
        """Return a question whose points come from a reference answer, who wrote them, and what that used.

        The configured model writes them, or without one they are the sentences of the reference. Raises
        ConfigurationError, ProviderError and BudgetExceeded.
        """
        chat = self._settings.chat
        if chat.provider == "embedded":
            return question_of(question, reference, points_of_sentences(reference)), "sentences", FREE
        from rag.quiz.grading.rubric import open_rubrics  # LangChain costs a second of start-up

        choice = ModelChoice(chat.provider, chat.model, chat.base_url, self._settings.api_key)
        folder = self._settings.data_dir / "rubrics"
        rubrics = open_rubrics(choice, chat, self._ledger, folder, self._check_budget)
        points, usage = rubrics.points(question, reference, trace_id=trace_id)
        origin: RubricOrigin = "sentences" if points == points_of_sentences(reference) else "model"
        return question_of(question, reference, points), origin, usage

    def generator(self, choice: ModelChoice | None = None) -> Generator:
        """Return who writes questions with the given model, or the configured one.

        Raises InvalidInput without a model and ConfigurationError when the choice lacks something.
        """
        chat = self._settings.chat
        return Generator(
            choice or ModelChoice(chat.provider, chat.model, chat.base_url, self._settings.api_key),
            chat,
            self._ledger,
            self._library,
            self.questions,
            self.generations,
            self.pool.embed,
            self._known,
            check_budget=self._check_budget,
        )

    def extractive(self, document_ids: Sequence[str], owner: str) -> tuple[int, dict[str, int]]:
        """Make questions out of the definitions in documents; return how many are new, and the yield.

        Earlier ones on these documents whose sentence is gone are dropped; quizzes have copies of theirs.
        The yield: drafted (definitions found), kept, known (their terms have questions), later (more than are
        tried in one go), for each gate how many it dropped, and unread: 1 when the documents are longer than
        what is looked at. No model is asked.
        """
        readable = [summary.id for summary in self._library.summaries() if summary.owner in ("", owner)]
        chosen = [name for name in dict.fromkeys(document_ids) if name in readable]
        others = [name for name in readable if name not in chosen]
        in_place = [question for question in self.pool.own(owner) if question.origin == "extractive"]
        self._drop_dead(owner, chosen, {question.id for question in in_place})
        made = extractive_items(
            [*filter(None, map(self._library.document, chosen))],
            filter(None, map(self._library.document, others)),
            self.pool.embed,
            owner=owner,
            asked=terms_asked_for(in_place),
            find=self._definitions.of,
        )
        added = self.questions.add(owner, made.questions, uuid.uuid4().hex)
        drafted = len(made.questions) + sum(made.dropped.values())
        unread = {} if made.read_all else {"unread": 1}
        return added, {"drafted": drafted, "kept": added, **unread, **made.dropped}

    def _drop_dead(self, owner: str, document_ids: Collection[str], in_place: Collection[str]) -> None:
        for question in self.questions.list(owner, "extractive"):
            evidence = question.evidence
            if question.id not in in_place and evidence is not None and evidence.document_id in document_ids:
                self.questions.remove(owner, question.id)

    def import_bank(self, content: bytes, name: str, owner: str) -> ImportReport:
        """Store what passes of somebody's own questions in YAML or CSV; `name`: of the file, with its ending.

        Raises InvalidInput, with the line, when the file can't be read.
        """
        return import_bank(content, name, owner, self._library, self.questions, self.pool.embed)

    def progress(self, owner: str, zone: tzinfo = UTC) -> Progress:
        """Return what the quizzes of one person say; days and weeks are those of `zone`."""
        return seen_from(self._timeless(owner), self._clock(), zone)

    def _timeless(self, owner: str) -> Progress:
        stamp = (self._quizzes.stamp(owner), self.questions.reported(owner))
        kept = self._progress.get(owner)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        found = timeless(self.sessions.list(owner, MOST_QUIZZES))
        if len(self._progress) >= PROGRESS_KEPT:
            self._progress = {}
        self._progress[owner] = (stamp, found)
        return found

    def _known(self, owner: str) -> list[AskedQuestion]:
        """Return every question that a person was asked, oldest first, then all that they may be asked."""
        history = [item.question for quiz in self._quizzes.list(owner, MOST_QUIZZES) for item in quiz.items]
        known = {one.id: one for one in (*reversed(history), *self.pool.questions(owner))}
        return list(known.values())

    def _needs(self, owner: str) -> Needs:
        return Needs(
            due={card.question_id: DUE for card in self.scheduling.due(owner, self._clock())},
            weak={
                topic: f"{WEAK}: {reason}" for topic, reason in self.scheduling.weak_reasons(owner).items()
            },
        )
