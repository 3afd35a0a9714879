"""Wires Viva together: the only place where concrete backends are chosen."""

from __future__ import annotations

import importlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path

from rag.answering.extractive import EmbeddedAnswerer
from rag.answering.follow_ups import condense_offline
from rag.answering.prompt_preview import room_in_prompt
from rag.answering.support import SupportChecker
from rag.embedding.base import Embedder, Progress, Vectors, no_progress
from rag.embedding.onnx import open_onnx_embedder
from rag.errors import BudgetExceeded, ConfigurationError, InvalidInput, MissingVectors
from rag.ingestion.indexing import Indexer, Ingested
from rag.ingestion.shipped import bring_up_to_date, to_restore
from rag.providers.choice import ModelChoice
from rag.quiz.resting import RestingItem, items_resting_on, topics_naming
from rag.retrieval.building import build_index
from rag.retrieval.index import CorpusIndex
from rag.retrieval.retriever import Retriever
from rag.settings import Settings, checked_retrieval
from rag.storage.cited import Citations
from rag.storage.claims import Claims
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.evaluations import Evaluations, TestCases
from rag.storage.jobs import Jobs
from rag.storage.ledger import Ledger
from rag.storage.library import DocumentSummary, Library
from rag.storage.preferences import Preferences
from rag.storage.serialising import config_from_json, config_to_json
from rag.stores.base import VectorStore
from rag.study import Study
from rag.supervising import Supervisor, worker_environ
from rag.types import Answerer, Ask, Completed, Document, IndexKind, RetrievalConfig

RETRIEVAL = "retrieval"
"""Name of the preference that holds how passages are found."""
LONGEST_SUGGESTION, FIRST_SECTIONS = 80, 4
"""Suggested questions have at most so many characters and come from a document's first sections."""
LOOKED_AT = 3
"""Documents looked at for each suggested question; a document may have none."""
REMOVED_IS_KEPT = timedelta(days=30)
"""How long the contents of a document that was taken out can be brought back."""


class Services:
    """Everything the pages and the command line work with. Safe to share between threads."""

    def __init__(
        self, settings: Settings, embedder: Embedder, database: Database, progress: Progress
    ) -> None:
        self.settings = settings
        self.database = database
        self.library = Library(database)
        self.conversations = Conversations(database, _now)
        self.citations = Citations(database)
        self.ledger = Ledger(database, _now)
        self.jobs = Jobs(database, _now)
        self.preferences = Preferences(database, _now)
        self._supervisor: Supervisor | None = None
        self.evaluations = Evaluations(database, _now)
        self.test_cases = TestCases(database, _now)
        self.embedder = embedder
        self.library.purge_removed(_now() - REMOVED_IS_KEPT)
        bring_up_to_date(
            self.library,
            self.preferences,
            Indexer(self.library, embedder, progress),
            settings.knowledge_dir if settings.load_knowledge else None,
        )
        self.retriever = Retriever(
            embedder,
            self.library,
            self._build_index,
            lambda: self.retrieval_config,
            lambda retrieval: room_in_prompt(retrieval, settings.chat.context_tokens),
        )
        self._checker = SupportChecker(embedder.embed)
        self.study = Study(settings, database, self.library, embedder, self.ledger, self.check_budget, _now)
        if settings.chat.provider != "embedded":
            importlib.import_module("rag.answering.chain")  # a second that the first question need not wait

    @property
    def retrieval_config(self) -> RetrievalConfig:
        """How passages are found where a search does not say: what was chosen for all, or the settings."""
        chosen = self.preferences.get(RETRIEVAL)
        if chosen is None:
            return self.settings.retrieval.config
        try:
            return checked_retrieval(config_from_json(chosen))
        except InvalidInput:  # stored by a program with other ranges
            return self.settings.retrieval.config

    def set_retrieval_config(self, config: RetrievalConfig | None) -> None:
        """Choose how passages are found from now on, in every process; None: as the settings say.

        Returns when the index is ready, which takes seconds for HNSW. Raises InvalidInput naming the first
        value out of its range.
        """
        if config is None:
            self.preferences.clear(RETRIEVAL)
            return
        stored = config_to_json(checked_retrieval(config))
        self.retriever.index.store(config.index)
        self.preferences.set(RETRIEVAL, stored)

    @property
    def default_choice(self) -> ModelChoice:
        """The configured model."""
        chat = self.settings.chat
        return ModelChoice(chat.provider, chat.model, chat.base_url, self.settings.api_key)

    def answerer(self, choice: ModelChoice | None = None) -> Answerer:
        """Return who answers: the given model, or the configured one.

        Raises ConfigurationError when the choice lacks something, such as a key.
        """
        choice = choice or self.default_choice
        if choice.provider == "embedded":
            return EmbeddedAnswerer(self.retriever, self._checker.check, condense_offline)
        from rag.answering.chain import ChainAnswerer  # LangChain costs a second of start-up

        return ChainAnswerer(
            self.retriever,
            choice,
            self.ledger,
            self._checker.check,
            self.settings.chat,
            check_budget=self.check_budget,
        )

    def ingest(self, paths: Sequence[Path], progress: Progress = no_progress) -> list[Ingested]:
        """Add or update the documents in files and folders and make them searchable."""
        results = Indexer(self.library, self.embedder, progress).ingest(paths)
        self.retriever.refresh()
        return results

    def start_jobs(self) -> None:
        """Begin to work on queued jobs, and let the index follow the library in the background."""
        if self._supervisor is None:
            self.retriever.follows_in_background = True
            claims = Claims(self.database, _now)
            self._supervisor = Supervisor(claims, worker_environ(self.settings), self.retriever.refresh)
            self._supervisor.start()

    def upload(self, files: Sequence[tuple[str, bytes]], owner: str = "") -> str:
        """Queue files given as (name, content) for the library of `owner`; return the id of their job.

        Raises InvalidInput when there are none.
        """
        if not files:
            raise InvalidInput("There is no file to add.", hint="Choose one or more files.")
        return self._queued(self.jobs.add("ingest", files, owner))

    def rebuild(self) -> str:
        """Queue reading, cutting and embedding all documents anew; return the id of the job.

        While such a job is unfinished, that is the one.
        """
        return self._queued(
            self.jobs.unfinished("rebuild") or self.jobs.add("rebuild", [("All documents", b"")])
        )

    def _queued(self, job_id: str) -> str:
        if self._supervisor is not None:
            self._supervisor.wake()
        return job_id

    def take_out(self, document_id: str) -> bool:
        """Take a document out of the search, to be restored within 30 days; False when there is none."""
        taken_out = self.library.take_out(document_id)
        self.retriever.refresh()
        return taken_out

    def restore(self, document_id: str) -> bool:
        """Index a removed document again, a shipped one as its file is now; False when nothing is left.

        A shipped document that was deleted for good is read from the knowledge folder.
        """
        found = to_restore(self.library, self.settings.knowledge_dir, document_id)
        if found is None:
            return False
        document, origin, original = found
        Indexer(self.library, self.embedder).index(document, origin=origin, original=original)
        self.retriever.refresh()
        return True

    def remove(self, document_id: str) -> bool:
        """Delete a document everywhere and for good; False when there is none with this id.

        The questions that quote it go with it. Stored answers and quizzes keep what they say and quote. A
        shipped document stays away until it is restored.
        """
        if self.library.document(document_id) or self.library.taken_out(document_id):
            self.study.questions.remove_resting_on(document_id)  # first: a remove cut short can be repeated
        removed = self.library.remove(document_id)
        self.retriever.refresh()
        return removed

    def quiz_items_on(self, document_id: str) -> list[RestingItem]:
        """Return the questions of the bank that quote a document, by place; empty when it is gone.

        Raises KnowledgeError when the bank is not valid.
        """
        document = self.library.document(document_id)
        if document is None:
            return []
        topics = topics_naming(self.settings.knowledge_dir / "questions", document_id)
        return items_resting_on(topics, document)

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text; None when there is none with this id."""
        return self.library.document(document_id)

    def suggested_questions(self, n: int = 4, seed: int | None = None) -> list[str]:
        """Return up to `n` questions that the library answers, about as many topics as it has."""
        chooser = random.Random(seed)  # noqa: S311  # nothing secret depends on it
        topics: dict[str, list[DocumentSummary]] = {}
        for summary in self.library.summaries():
            if not summary.owner:  # a title may be private, too
                topics.setdefault(summary.topic, []).append(summary)
        shuffled = [chooser.sample(topics[topic], len(topics[topic])) for topic in sorted(topics)]
        chooser.shuffle(shuffled)
        in_turns = [document for turn in zip_longest(*shuffled) for document in turn if document]
        suggested: list[str] = []
        for document in in_turns[: LOOKED_AT * n]:
            if len(suggested) < n and (questions := self._questions_about(document)):
                suggested.append(chooser.choice(questions))
        return suggested

    def _questions_about(self, summary: DocumentSummary) -> list[str]:
        """Return what the author says the document answers first, or a question made of its title.

        A title may promise what the text does not hold, so its question is asked first.
        """
        asked = [part.questions[0] for part in self.library.chunks(summary.id) if part.questions]
        if short := [question for question in asked if len(question) <= LONGEST_SUGGESTION]:
            return short[:FIRST_SECTIONS]
        question = f"What do the sources say about {summary.title}?"
        return [question] if len(question) <= LONGEST_SUGGESTION and self._answers(question) else []

    def _answers(self, question: str) -> bool:
        """Tell whether the library's own sentences answer a question."""
        events = self.answerer(ModelChoice("embedded")).stream(Ask(question))
        return any(isinstance(event, Completed) and event.answer.outcome == "answered" for event in events)

    def check_budget(self) -> None:
        """Raise BudgetExceeded when today's spending has reached the limit of the settings."""
        limit = self.settings.budget.usd_per_day
        if limit is None:
            return
        spent = self.ledger.spent_usd(datetime.combine(_now().date(), time.min, UTC))
        if spent >= limit:
            raise BudgetExceeded(
                f"Today's budget of ${limit} is used up.",
                limit=limit,
                spent=spent,
                hint="Choose the embedded answers, which are free, or raise VIVA_BUDGET__USD_PER_DAY.",
            )

    def close(self) -> None:
        """Stop the jobs, which go on with the next start, and close the database."""
        if self._supervisor is not None:
            self._supervisor.stop()
        self.database.close()

    def _build_index(self, previous: CorpusIndex | None = None) -> CorpusIndex:
        """Return the index of the library as it is now; vectors that were lost or damaged are made anew."""
        model, dimension = self.embedder.model, self.embedder.dimension
        try:
            index = build_index(self.library, model, dimension, _open_faiss, previous)
        except MissingVectors:
            Indexer(self.library, self.embedder).reembed()
            index = build_index(self.library, model, dimension, _open_faiss)
        index.store(self.retrieval_config.index)  # so that no search waits for it
        return index


def build_services(settings: Settings, progress: Progress = no_progress) -> Services:
    """Open everything; the first time this exports the embedding model and indexes the knowledge.

    Raises ConfigurationError or StoreError with what to do.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {settings.data_dir} can't be made: {error.strerror}.",
            hint="Set VIVA_DATA_DIR or --data-dir to a folder that you may write to.",
        ) from None
    return Services(settings, open_embedder(settings, progress), Database(settings.sqlalchemy_url), progress)


def open_embedder(settings: Settings, progress: Progress = no_progress, threads: int = 2) -> Embedder:
    """Return the configured embedding model; the first time this exports the packaged one.

    threads: how many cores ONNX Runtime may use; torch follows OMP_NUM_THREADS.
    """
    chosen = settings.embedding
    if chosen.backend == "onnx":
        return open_onnx_embedder(settings.data_dir, progress, threads)
    from rag.embedding.sentence_transformers import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(chosen.model)


def _open_faiss(vectors: Vectors, kind: IndexKind) -> VectorStore:
    from rag.stores.faiss import FaissStore

    return FaissStore(vectors, kind)


def _now() -> datetime:
    return datetime.now(UTC)
