"""Wires Viva together: the only place where concrete backends are chosen."""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from rag.answering.extractive import EmbeddedAnswerer
from rag.answering.follow_ups import condense_offline
from rag.answering.support import SupportChecker
from rag.embedding.base import Embedder, Progress, Vectors, no_progress
from rag.embedding.onnx import open_onnx_embedder
from rag.errors import BudgetExceeded, ConfigurationError, MissingVectors
from rag.ingestion.indexing import Indexer, Ingested
from rag.ingestion.loading import documents_in
from rag.providers.choice import ModelChoice
from rag.retrieval.building import build_index
from rag.retrieval.index import CorpusIndex
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from rag.storage.library import DocumentSummary, Library
from rag.stores.base import VectorStore
from rag.types import Answerer, Document

LONGEST_SUGGESTION, FIRST_SECTIONS = 80, 4
"""Suggested questions have at most so many characters and come from a document's first sections."""


class Services:
    """Everything the pages and the command line work with. Safe to share between threads."""

    def __init__(
        self, settings: Settings, embedder: Embedder, database: Database, progress: Progress
    ) -> None:
        self.settings = settings
        self.database = database
        self.library = Library(database)
        self.conversations = Conversations(database, _now)
        self.ledger = Ledger(database, _now)
        self.embedder = embedder
        self._bring_up_to_date(progress)
        self.retriever = Retriever(
            embedder,
            self.library,
            self._build_index,
            top_k=settings.retrieval.top_k,
            candidates=settings.retrieval.candidates,
        )
        self._checker = SupportChecker(embedder.embed)
        if settings.chat.provider != "embedded":
            importlib.import_module("rag.answering.chain")  # a second that the first question need not wait

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

    def remove(self, document_id: str) -> bool:
        """Delete a document everywhere; False when there is none with this id."""
        removed = self.library.remove(document_id)
        self.retriever.refresh()
        return removed

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text; None when there is none with this id."""
        return self.library.document(document_id)

    def suggested_questions(self, n: int = 4, seed: int | None = None) -> list[str]:
        """Return up to `n` questions that the library answers, each about another topic."""
        chooser = random.Random(seed)  # noqa: S311  # nothing secret depends on it
        topics: dict[str, list[DocumentSummary]] = {}
        for summary in self.library.summaries():
            topics.setdefault(summary.topic, []).append(summary)
        chosen = chooser.sample(sorted(topics), min(n, len(topics)))
        documents = [chooser.choice(topics[topic]) for topic in chosen]
        return [chooser.choice(self._questions_about(document)) for document in documents]

    def _questions_about(self, summary: DocumentSummary) -> list[str]:
        """Return what the author says the document answers first, or a question made of its title."""
        asked = [part.questions[0] for part in self.library.chunks(summary.id) if part.questions]
        short = [question for question in asked if len(question) <= LONGEST_SUGGESTION]
        return short[:FIRST_SECTIONS] or [f"What do the sources say about {summary.title}?"]

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
        """Close the database."""
        self.database.close()

    def _build_index(self) -> CorpusIndex:
        """Return the index of the library as it is now; vectors that were lost or damaged are made anew."""
        model, dimension = self.embedder.model, self.embedder.dimension
        try:
            return build_index(self.library, model, dimension, _open_faiss)
        except MissingVectors:
            Indexer(self.library, self.embedder).reembed()
            return build_index(self.library, model, dimension, _open_faiss)

    def _bring_up_to_date(self, progress: Progress) -> None:
        """Index the shipped knowledge where it changed, and embed anew after a change of model."""
        indexer = Indexer(self.library, self.embedder, progress)
        if self.library.embedding_model() not in (None, self.embedder.model):
            indexer.reembed()
        folder = self.settings.knowledge_dir
        if not self.settings.load_knowledge or not folder.is_dir():
            return
        stamp = _stamp(folder)
        if self.library.knowledge_stamp() == stamp:
            return
        results = indexer.ingest([folder], origin="knowledge")
        present = {result.id for result in results}
        if not any(result.status == "failed" for result in results):
            for summary in self.library.summaries():
                if summary.origin == "knowledge" and summary.id not in present:
                    self.library.remove(summary.id)
        self.library.set_knowledge_stamp(stamp)


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


def open_embedder(settings: Settings, progress: Progress = no_progress) -> Embedder:
    """Return the configured embedding model; the first time this exports the packaged one."""
    chosen = settings.embedding
    if chosen.backend == "onnx":
        return open_onnx_embedder(settings.data_dir, progress)
    from rag.embedding.sentence_transformers import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(chosen.model)


def _open_faiss(vectors: Vectors) -> VectorStore:
    from rag.stores.faiss import FaissStore

    return FaissStore(vectors)


def _stamp(folder: Path) -> str:
    """Return a hash that changes when a file of the folder is added, removed or written."""
    digest = hashlib.sha256()
    for path in documents_in([folder]):
        state = path.stat()
        digest.update(f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)
