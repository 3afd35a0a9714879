"""What tests share: one exported model, one indexed knowledge library, small libraries, and no network."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from rag.embedding.base import no_progress
from rag.embedding.onnx import OnnxEmbedder, open_onnx_embedder
from rag.services import Services, build_services
from rag.settings import load_settings
from rag.storage.engine import Database
from tests.asking import LibraryOf

ROOT = Path(__file__).parents[1]

hypothesis.settings.register_profile("viva", max_examples=40, deadline=None)
hypothesis.settings.load_profile("viva")  # the whole suite has to end within minutes on two cores


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Share the suite between two processes: one drives the browser, which leaves a core idle."""
    return Halves(config, log)


class Halves(LoadScopeScheduling):
    """Keeps the tests of the browser together, and all others."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if "tests/browser/" in nodeid else "no browser"


@pytest.fixture(scope="session")
def exported(pytestconfig: pytest.Config) -> Path:
    """A data folder that holds the exported embedding model and nothing else; kept between runs."""
    version = hashlib.sha256((ROOT / "rag" / "embedding" / "export.py").read_bytes()).hexdigest()[:12]
    folder = Path(pytestconfig.cache.mkdir(f"exported-{version}"))
    open_onnx_embedder(folder)
    return folder


@pytest.fixture(scope="session")
def embedder(exported: Path) -> OnnxEmbedder:
    """The real embedding model."""
    return open_onnx_embedder(exported)


@pytest.fixture(scope="session")
def viva(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services as they start by default, with the shipped knowledge. For reading: tests share it."""
    data_dir = tmp_path_factory.mktemp("viva")
    shutil.copytree(exported / "models", data_dir / "models")
    services = build_services(load_settings({}, data_dir=data_dir, knowledge_dir=ROOT / "knowledge"))
    yield services
    services.close()


@pytest.fixture
def library_of(embedder: OnnxEmbedder, tmp_path: Path) -> Iterator[LibraryOf]:
    """A function that returns services whose library holds these texts by file name, and nothing else."""
    opened: list[Services] = []

    def library_of_texts(texts: Mapping[str, str], **settings: Any) -> Services:
        data_dir = tmp_path / f"library-{len(opened)}"
        documents = data_dir / "documents"
        for name, text in texts.items():
            (documents / name).parent.mkdir(parents=True, exist_ok=True)
            (documents / name).write_text(text, encoding="utf-8")
        chosen = load_settings({}, **{"data_dir": data_dir, "load_knowledge": False, **settings})
        data_dir.mkdir(exist_ok=True)
        services = Services(chosen, embedder, Database(chosen.sqlalchemy_url), no_progress)
        opened.append(services)
        if texts:
            services.ingest([documents])
        return services

    yield library_of_texts
    for services in opened:
        services.close()


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """The folder with public evaluation data, which is not part of the project."""
    folder = Path(os.environ.get("VIVA_EVAL_DIR") or ROOT / ".." / "shared" / "eval" / "dev")
    if not folder.is_dir():
        reason = f"there is no evaluation data in {folder}; set VIVA_EVAL_DIR"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI must measure with it")
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session", autouse=True)
def refused_addresses() -> Iterator[list[str]]:
    """Refuse every connection and name lookup that leads off this machine; yield what was refused."""
    refused: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked(host: object) -> None:
        if not _is_here(host):
            refused.append(str(host))
            raise OSError(f"Tests must not reach {host}.")

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect_here(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                checked(address[0])
            return original(self, address)

        return connect_here

    def look_up_here(host: Any, *others: Any, **named: Any) -> Any:
        checked(host)
        return getaddrinfo(host, *others, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield refused


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine(refused_addresses: list[str]) -> Iterator[None]:
    """Fail the test during which something tried to, even if the code under test hid the error."""
    yield
    tried, refused_addresses[:] = list(refused_addresses), []
    assert tried == []


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
