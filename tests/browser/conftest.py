"""The whole app in a real browser: a server of its own, a folder of its own, and a model that is a stub."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.stub_server import StubServer

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
DOCUMENTS = (
    "01-backend/asgi-and-wsgi.md",
    "02-async-python/async-python.md",
    "04-state-and-jobs/caching.md",
)
TOPICS = ("backend", "async-python", "state-and-jobs")
"""Of the bank: questions on these documents are among those on these topics."""
START_S = 180
"""Seconds for a first start: the embedding model is exported and the documents are indexed."""


@pytest.fixture(scope="session")
def chromium():
    """A running browser."""
    reason = ""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        reason = "playwright is not installed"
    if not CHROMIUM.exists():
        reason = f"there is no {CHROMIUM}"
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI must run the browser tests")
    if reason:
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """Return a function that opens an address in a new browser session."""
    contexts = []

    def open_tab(url="about:blank", **options):
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, **options)
        contexts.append(context)
        opened = context.new_page()
        opened.set_default_timeout(20_000)
        opened.goto(url)
        return opened

    yield open_tab
    for context in contexts:
        context.close()


class Server:
    """`streamlit run` on a free port, with the folder it keeps its data in."""

    def __init__(self, folder, script="app.py", **environment):
        self.data = folder / "data"
        self.log = folder / "server.log"
        self._environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("VIVA_", "OPENAI_"))
            },
            "PYTHONPATH": str(ROOT),
            "VIVA_DATA_DIR": str(self.data),
            "VIVA_KNOWLEDGE_DIR": str(folder / "knowledge"),
            **environment,
        }
        self._script = script
        self.start()

    def start(self, port=0):
        """Start, or start again with the same data; on a free port if none is named."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = port or probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "streamlit", "run", self._script, "--server.port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.wait_for("/_stcore/health", 30)

    def wait_for(self, path, seconds=START_S, text=b"ok"):
        """Wait until an address answers with this text."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5) as response:
                    if text in response.read():
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.2)
        raise AssertionError(self.log.read_text())

    def stop(self, *, kill=False):
        """End the server, as by a crash if `kill`."""
        self._process.kill() if kill else self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="session")
def stub():
    """A model server that says what a test tells it to."""
    with StubServer() as server:
        server.piece_length = 12
        yield server


@pytest.fixture(scope="session")
def folder(tmp_path_factory, exported):
    """A folder with three documents of the knowledge, questions on them and the exported model."""
    made = tmp_path_factory.mktemp("viva")
    shutil.copytree(exported / "models", made / "data" / "models")
    for name in DOCUMENTS:
        target = made / "knowledge" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "knowledge" / name, target)
    bank = Path("knowledge/questions")
    (made / bank / "verdicts").mkdir(parents=True)
    for topic in TOPICS:
        shutil.copy(ROOT / bank / f"{topic}.yaml", made / bank)
        shutil.copy(ROOT / bank / "verdicts" / f"{topic}.jsonl", made / bank / "verdicts")
    return made


@pytest.fixture(scope="session")
def app(chromium, folder):
    """The app with its embedded answers."""
    server = Server(folder)
    server.wait_for("/healthz", text=b'"ok"')
    yield server
    server.stop()


@pytest.fixture(scope="session")
def written(app, folder, stub, tmp_path_factory):
    """The app with the stub as its model, on a copy of the indexed library."""
    own = tmp_path_factory.mktemp("written")
    shutil.copytree(folder / "knowledge", own / "knowledge")
    shutil.copytree(folder / "data" / "models", own / "data" / "models")
    server = Server(
        own,
        VIVA_CHAT__PROVIDER="openai_compatible",
        VIVA_CHAT__BASE_URL=stub.url,
        VIVA_CHAT__MODEL="ok",
    )
    server.wait_for("/healthz", text=b'"ok"')
    yield server
    server.stop()
