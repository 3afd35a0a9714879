"""Checks the installation: settings, versions, model, database, index and how safely it is set up."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag import __version__
from rag.embedding.packaged import model_folder, verify_weights
from rag.errors import RagError
from rag.login import providers
from rag.services import Services

PACKAGES = ("streamlit", "langchain", "langchain-community", "faiss-cpu", "sentence-transformers", "openai")
SAFE_CONFIG = {
    ("server", "address"): "127.0.0.1",
    ("browser", "gatherUsageStats"): False,
    ("client", "showErrorDetails"): "none",
}
SAFE_SQLITE = (3, 51, 3)
SHORTEST_COOKIE_SECRET = 32


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    """What to do; empty when all is well."""


def examine(services: Services, config: Path = Path(".streamlit/config.toml")) -> Iterator[Check]:
    """Yield the checks of a running installation."""
    yield _versions()
    yield _settings(services)
    yield _weights()
    yield from _database(services)
    yield _index(services)
    yield _answers(services)
    yield _configuration(config)
    yield _login(config.with_name("secrets.toml"))


def _versions() -> Check:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            return Check(
                "versions", False, f"{package} is not installed.", "Run `pip install -r requirements.txt`."
            )
    return Check(
        "versions", True, f"Viva {__version__}, Python {platform.python_version()}, {', '.join(found)}"
    )


def _settings(services: Services) -> Check:
    settings = services.settings
    return Check(
        "settings",
        True,
        f"data in {settings.data_dir}, knowledge in {settings.knowledge_dir}, "
        f"answers from {settings.chat.provider}, store {settings.store}",
    )


def _weights() -> Check:
    try:
        verify_weights(model_folder())
    except RagError as error:
        return Check("embedding weights", False, str(error), error.hint)
    return Check("embedding weights", True, "the published all-MiniLM-L6-v2, byte for byte")


def _database(services: Services) -> Iterator[Check]:
    problems = services.database.problems()
    yield Check(
        "database",
        not problems,
        "; ".join(problems) or "opens, is whole and up to date",
        "Restore a backup." if problems else "",
    )
    damaged = services.library.damaged_documents()
    yield Check(
        "documents",
        not damaged,
        f"{len(services.library.summaries())} documents"
        + (f"; damaged: {', '.join(damaged)}" if damaged else ", none damaged"),
        "Ingest the damaged ones again." if damaged else "",
    )
    if services.settings.sqlalchemy_url.startswith("sqlite"):
        safe = sqlite3.sqlite_version_info >= SAFE_SQLITE
        yield Check(
            "sqlite",
            True,
            f"{sqlite3.sqlite_version}"
            + ("" if safe else ": older than 3.51.3, so one connection writes at a time, under a lock"),
        )


def _index(services: Services) -> Check:
    index = services.retriever.refresh()
    found, used = services.library.embedding_model(), services.embedder.model
    fits = found in (None, used)
    return Check(
        "index",
        fits,
        f"{len(index.chunks)} chunks, {len(index.vectors)} vectors by {found or used}",
        "" if fits else "Run `python -m rag ingest` to embed the documents again.",
    )


def _answers(services: Services) -> Check:
    try:
        answerer = services.answerer()
    except RagError as error:
        return Check("answers", False, str(error), error.hint)
    return Check("answers", True, f"{answerer.provider} {answerer.model}".strip())


def _configuration(config: Path) -> Check:
    if not config.is_file():
        return Check("configuration", False, f"{config} is missing.", "Start Viva from its own folder.")
    try:
        values = tomllib.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        return Check(
            "configuration", False, f"{config} is not valid: {error}.", "Restore the file of the repository."
        )
    unsafe = [
        f"{section}.{key}"
        for (section, key), safe in SAFE_CONFIG.items()
        if values.get(section, {}).get(key) != safe
    ]
    return Check(
        "configuration",
        not unsafe,
        f"not the safe value: {', '.join(unsafe)}" if unsafe else "safe values in .streamlit/config.toml",
        "Restore the values of the repository, or put a proxy with a login in front." if unsafe else "",
    )


def _login(secrets: Path) -> Check:
    none = Check("login", True, f"none in {secrets}: whoever reaches this server shares everything")
    if not secrets.is_file():
        return none
    try:
        values = tomllib.loads(secrets.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Check("login", False, f"{secrets} can't be read: {error}.", "Correct the file.")
    if "auth" not in values:
        return none
    try:
        names = providers(values["auth"])
    except RagError as error:
        return Check("login", False, str(error), error.hint)
    if len(str(values["auth"]["cookie_secret"])) < SHORTEST_COOKIE_SECRET:
        return Check(
            "login",
            False,
            f"cookie_secret in {secrets} has fewer than {SHORTEST_COOKIE_SECRET} characters: "
            "whoever guesses it can be anybody.",
            'Replace it by what `python -c "import secrets; print(secrets.token_hex())"` prints.',
        )
    return Check("login", True, f"by {', '.join(names)} in {secrets}")
