"""What the section for the login has to say before anybody can log in."""

from __future__ import annotations

import pytest

from rag import login
from rag.errors import ConfigurationError
from rag.login import providers
from tests.login_section import PROVIDER, SHARED


def without(section: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in section.items() if name != key}


def test_one_provider_may_be_written_into_the_section_itself() -> None:
    assert providers(SHARED | PROVIDER) == ["default"]


def test_settings_of_the_client_are_no_provider() -> None:
    assert providers({**SHARED, **PROVIDER, "client_kwargs": {"prompt": "login"}}) == ["default"]


def test_several_providers_have_names() -> None:
    assert providers({**SHARED, "google": PROVIDER, "okta": PROVIDER}) == ["google", "okta"]


@pytest.mark.parametrize("key", [*SHARED, *PROVIDER])
def test_what_is_missing_is_named(key: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^\[auth\] in secrets.toml lacks {key}\.$"):
        providers(without(SHARED | PROVIDER, key))


def test_what_a_named_provider_lacks_is_named_with_it() -> None:
    with pytest.raises(ConfigurationError, match=r"lacks google\.client_id"):
        providers({**SHARED, "google": without(PROVIDER, "client_id")})


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        ("yes", "is not a section"),
        ({**SHARED, **PROVIDER, "redirect_uri": "http://localhost:8501/"}, "does not end in /oauth2callback"),
        ({**SHARED, "my_google": PROVIDER}, "auth.my_google in secrets.toml contains an underscore"),
    ],
)
def test_what_streamlit_would_stumble_over_is_told_before(auth: object, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        providers(auth)
    assert raised.value.hint


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "PACKAGES", ("authlib", "no_such_package"))
    with pytest.raises(ConfigurationError, match="needs no_such_package") as raised:
        providers(SHARED | PROVIDER)
    assert "pip install" in raised.value.hint
