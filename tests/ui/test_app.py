"""The server around the pages: its start, its headers, its health."""

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.shared import startup
from pages.shared.failures import report
from rag import __version__
from rag.errors import StoreError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def app():
    """The module app.py."""
    import app

    return app


def health(app):
    response = app.healthz(None)
    return response.status_code, json.loads(response.body)


def start_with(monkeypatch, **parts):
    monkeypatch.setattr(startup, "_current", SimpleNamespace(**{"services": None, "error": None} | parts))


def finish(work):
    """Run a coroutine in a thread: a browser test before this one may have left a loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def test_a_misspelt_setting_stops_the_start_with_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "0"],
        cwd=ROOT,
        env={**os.environ, "VIVA_CHAT__MODLE": "x"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "Viva can't start. There is no setting VIVA_CHAT__MODLE. Did you mean VIVA_CHAT__MODEL? "
        "The README lists all settings."
    )


def test_health_says_that_the_library_is_being_prepared(app, monkeypatch):
    start_with(monkeypatch)
    assert health(app) == (200, {"status": "starting", "version": __version__})


def test_health_counts_the_documents(app, monkeypatch):
    library = SimpleNamespace(summaries=lambda: [1, 2, 3])
    start_with(monkeypatch, services=SimpleNamespace(library=library))
    assert health(app) == (200, {"status": "ok", "version": __version__, "documents": 3})


def test_health_reports_a_start_that_failed(app, monkeypatch):
    start_with(monkeypatch, error=StoreError("The database is locked."))
    assert health(app) == (503, {"status": "failed", "version": __version__})


def test_health_reports_a_database_that_fails(app, monkeypatch):
    def summaries():
        raise StoreError("The disk is full.")

    start_with(monkeypatch, services=SimpleNamespace(library=SimpleNamespace(summaries=summaries)))
    assert health(app) == (503, {"status": "failed", "version": __version__})


def test_headers_are_added_without_holding_a_stream_back(app):
    sent = []

    async def inner(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]}
        )
        sent.append("started")
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await send({"type": "http.response.body", "body": b"2"})

    async def send(message):
        sent.append(message)

    finish(app.SecurityHeaders(inner)({"type": "http"}, None, send))
    start, marker, first, second = sent
    assert marker == "started"
    assert (first["body"], second["body"]) == (b"1", b"2")
    assert [value for name, value in start["headers"] if name.lower() == b"x-frame-options"] == [b"DENY"]


def test_websockets_pass_untouched(app):
    seen = []

    async def inner(scope, receive, send):
        seen.append(send)

    async def send(message):
        pass

    finish(app.SecurityHeaders(inner)({"type": "websocket"}, None, send))
    assert seen == [send]


def test_scripts_may_come_from_the_server_and_from_streamlits_own_page_alone(app):
    scripts = next(part for part in app.POLICY.split("; ") if part.startswith("script-src"))
    allowed = scripts.split()[1:]
    assert allowed[:3] == ["'self'", "blob:", "'unsafe-eval'"]
    assert all(source.startswith("'sha256-") for source in allowed[3:])


def test_an_error_is_logged_by_its_place_and_without_its_message(caplog):
    typed = " ".join(["what", "someone", "typed"])
    try:
        raise ValueError(typed)
    except ValueError as error:
        trace_id = report(error)
    assert trace_id in caplog.text
    assert "test_app.py" in caplog.text
    assert typed not in caplog.text
