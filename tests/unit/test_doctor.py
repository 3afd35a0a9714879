"""The doctor finds what is unsafe, missing or damaged, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.doctor import Check, examine
from rag.services import Services
from tests.conftest import ROOT, LibraryOf

SAFE = """
[server]
address = "127.0.0.1"
[browser]
gatherUsageStats = false
[client]
showErrorDetails = "none"
"""


def check(services: Services, name: str, config: Path) -> Check:
    return next(found for found in examine(services, config) if found.name == name)


def configuration(services: Services, folder: Path, text: str) -> Check:
    config = folder / "config.toml"
    config.write_text(text)
    return check(services, "configuration", config)


def test_the_shipped_installation_is_sound(viva: Services) -> None:
    checks = list(examine(viva, ROOT / ".streamlit" / "config.toml"))
    assert [(found.name, found.detail) for found in checks if not found.ok] == []
    assert [found.name for found in checks if found.fix] == []


def test_safe_values_are_enough(viva: Services, tmp_path: Path) -> None:
    assert configuration(viva, tmp_path, SAFE).ok


@pytest.mark.parametrize(
    ("safe", "unsafe", "name"),
    [
        ('address = "127.0.0.1"', 'address = "0.0.0.0"', "server.address"),
        ('address = "127.0.0.1"', "", "server.address"),
        ("gatherUsageStats = false", "gatherUsageStats = true", "browser.gatherUsageStats"),
        ('showErrorDetails = "none"', 'showErrorDetails = "full"', "client.showErrorDetails"),
    ],
)
def test_an_unsafe_value_is_named(viva: Services, tmp_path: Path, safe: str, unsafe: str, name: str) -> None:
    found = configuration(viva, tmp_path, SAFE.replace(safe, unsafe))
    assert (found.ok, found.detail) == (False, f"not the safe value: {name}")
    assert found.fix


def test_an_empty_configuration_is_unsafe(viva: Services, tmp_path: Path) -> None:
    found = configuration(viva, tmp_path, "")
    assert found.detail == (
        "not the safe value: server.address, browser.gatherUsageStats, client.showErrorDetails"
    )


def test_a_configuration_that_is_no_toml_is_a_finding(viva: Services, tmp_path: Path) -> None:
    found = configuration(viva, tmp_path, "[server\n")
    assert not found.ok
    assert "line 1" in found.detail


def test_a_missing_configuration_is_a_finding(viva: Services, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    found = check(viva, "configuration", config)
    assert (found.ok, found.detail) == (False, f"{config} is missing.")
    assert found.fix == "Start Viva from its own folder."


def test_a_missing_key_is_a_finding(library_of: LibraryOf, tmp_path: Path) -> None:
    found = check(library_of({}, chat={"provider": "openai"}), "answers", tmp_path / "config.toml")
    assert (found.ok, found.detail) == (False, "OpenAI needs an API key.")
    assert "OPENAI_API_KEY" in found.fix


def test_no_check_shows_a_key(library_of: LibraryOf, tmp_path: Path) -> None:
    services = library_of({}, chat={"provider": "openai", "api_key": "sk-never-print-this"})
    assert "never-print" not in repr(list(examine(services, tmp_path / "config.toml")))


def test_an_index_of_another_model_is_a_finding(library_of: LibraryOf, tmp_path: Path) -> None:
    services = library_of({"a.md": "# Refunds\n\nA refund takes nine days."})
    services.library.set_embedding_model("another-model")
    found = check(services, "index", tmp_path / "config.toml")
    assert not found.ok
    assert found.detail.endswith("by another-model")
    assert "rag ingest" in found.fix


LOGIN = """
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "viva"
client_secret = "never-print"
server_metadata_url = "https://id.example.org/.well-known/openid-configuration"
"""


def login(services: Services, folder: Path, text: str) -> Check:
    (folder / "secrets.toml").write_text(text)
    return check(services, "login", folder / "config.toml")


def test_a_login_that_is_set_up_is_told(viva: Services, tmp_path: Path) -> None:
    found = login(viva, tmp_path, LOGIN)
    assert (found.ok, found.detail) == (True, f"by default in {tmp_path / 'secrets.toml'}")


def test_no_login_means_that_everything_is_shared(viva: Services, tmp_path: Path) -> None:
    assert "shares everything" in check(viva, "login", tmp_path / "config.toml").detail
    assert "shares everything" in login(viva, tmp_path, 'other = "x"').detail


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('client_id = "viva"\n', "", "lacks client_id"),
        ("[auth]", "[auth", "can't be read"),
        ("0123456789abcdef0123456789abcdef", "short", "fewer than 32 characters"),
    ],
)
def test_a_login_that_cannot_work_or_is_weak_is_a_finding(
    viva: Services, tmp_path: Path, right: str, wrong: str, told: str
) -> None:
    found = login(viva, tmp_path, LOGIN.replace(right, wrong))
    assert not found.ok
    assert told in found.detail
    assert found.fix
    assert "never-print" not in repr(found)
