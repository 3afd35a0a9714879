"""Pages with real storage and scripted answers."""

from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace

import pytest
from streamlit.components.v2 import manifest_scanner

from pages.shared import startup
from rag.providers.choice import ModelChoice
from rag.settings import load_settings
from rag.storage.cited import Citations
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.evaluations import Evaluations, TestCases
from rag.storage.jobs import Jobs
from rag.storage.ledger import Ledger
from rag.storage.library import Library
from rag.types import Answer, Completed, RetrievalConfig, Retrieved, TextDelta
from tests.ui import samples
from tests.ui.driving import page
from tests.ui.scripted_study import ScriptedStudy


class ScriptedServices:
    """Stands for rag.services.Services: everything but the search and the models is real."""

    def __init__(self, folder, **settings):
        self.settings = load_settings({}, data_dir=folder, **settings)
        self.database = Database(f"sqlite:///{folder / 'viva.db'}")
        self.library = Library(self.database)
        self.conversations = Conversations(self.database, lambda: datetime.now(UTC))
        self.citations = Citations(self.database)
        self.jobs = Jobs(self.database)
        self.evaluations = Evaluations(self.database, lambda: datetime.now(UTC))
        self.test_cases = TestCases(self.database, lambda: datetime.now(UTC))
        self.embedder = SimpleNamespace(model="none")
        self.retrieval_config = RetrievalConfig()
        self.script: Answer | Exception = samples.ANSWER
        self.asked = []
        self.quiz_items = []
        for document in (samples.CACHING, samples.AGENTS):
            self.library.save(document, [], {}, [])
        self.study = ScriptedStudy(self.settings, self.database, self.library)
        self.ledger = Ledger(self.database, lambda: datetime.now(UTC))

    @property
    def default_choice(self):
        chat = self.settings.chat
        return ModelChoice(chat.provider, chat.model, chat.base_url, self.settings.api_key)

    def suggested_questions(self, n=4):
        return ["What is a cache?", "When do agents fail?", "Why RAG?", "What is ASGI?"][:n]

    def document(self, document_id):
        return self.library.document(document_id)

    def upload(self, files, owner=""):
        return self.jobs.add("ingest", files, owner)

    def rebuild(self):
        return self.jobs.add("rebuild", [("All documents", b"")])

    def take_out(self, document_id):
        return self.library.take_out(document_id)

    def restore(self, document_id):
        document, origin, original = self.library.taken_out(document_id)
        self.library.save(document, [], {}, [], origin=origin, original=original)
        return True

    def remove(self, document_id):
        return self.library.remove(document_id)

    def quiz_items_on(self, document_id):
        return self.quiz_items

    def answerer(self, choice=None):
        return SimpleNamespace(stream=lambda ask: self._stream(ask, choice))

    def _stream(self, ask, choice):
        self.asked.append((ask, choice))
        if isinstance(self.script, Exception):
            raise self.script
        if self.script.retrieval:
            yield Retrieved(self.script.retrieval)
        yield TextDelta(self.script.text)
        yield Completed(self.script)


@pytest.fixture(scope="session", autouse=True)
def one_scan():
    """Look through the installed packages for components once, not in every session: it takes 0.3 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture
def open_services(tmp_path, monkeypatch):
    """Return a function that makes the pages use scripted services with these settings."""
    opened = []

    def open_with(**settings):
        services = ScriptedServices(tmp_path, **settings)
        opened.append(services)
        ready = SimpleNamespace(services=services, error=None, wait=lambda seconds: True)
        monkeypatch.setattr(startup, "_current", ready)
        return services

    yield open_with
    for services in opened:
        services.database.close()


@pytest.fixture
def services(open_services):
    """Scripted services with the default settings."""
    return open_services()


@pytest.fixture
def chat(services):
    """The chat in a new browser session."""
    return page().run()
