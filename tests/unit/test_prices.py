"""Prices come from genai-prices; what is unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import SecretStr

from rag.errors import ConfigurationError
from rag.providers.choice import OPENAI_MODEL, ModelChoice
from rag.providers.prices import cost_usd, total
from rag.types import FREE, Usage

KEY = SecretStr("sk-test")


def test_a_known_model_costs_its_list_price() -> None:
    choice = ModelChoice("openai", "gpt-4o-mini", api_key=KEY)
    assert cost_usd(choice, Usage(1_000_000, 0, 1_000_000)) == Decimal("0.75")


def test_cached_tokens_cost_less() -> None:
    choice = ModelChoice("openai", "gpt-4o-mini", api_key=KEY)
    assert cost_usd(choice, Usage(1_000_000, 1_000_000, 0)) == Decimal("0.075")


def test_the_default_model_has_a_price() -> None:
    assert cost_usd(ModelChoice("openai", api_key=KEY), Usage(1_000, 0, 100)) == Decimal("0.00056")
    assert ModelChoice("openai", api_key=KEY).model == OPENAI_MODEL


def test_an_unknown_model_has_no_price() -> None:
    assert cost_usd(ModelChoice("openai", "gpt-99-imaginary", api_key=KEY), Usage(1_000, 0, 100)) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:11434/v1", "https://gateway.example.org/v1"])
def test_a_known_name_on_another_server_has_no_price(url: str) -> None:
    assert cost_usd(ModelChoice("openai_compatible", "gpt-4o-mini", url), Usage(1_000, 0, 100)) is None


def test_azure_is_priced_by_its_address() -> None:
    choice = ModelChoice("openai_compatible", "gpt-4o-mini", "https://x.openai.azure.com/openai/v1")
    assert cost_usd(choice, Usage(1_000_000, 0, 0)) == Decimal("0.15")


def test_a_local_model_is_free() -> None:
    assert cost_usd(ModelChoice("local", "/models/a.gguf"), Usage(1_000, 0, 100)) == Decimal(0)


def test_more_cached_than_sent_tokens_still_have_a_price() -> None:
    choice = ModelChoice("openai", "gpt-4o-mini", api_key=KEY)
    assert cost_usd(choice, Usage(1_000_000, 2_000_000, 0)) == Decimal("0.075")


def test_a_total_adds_tokens_and_costs() -> None:
    parts = [Usage(10, 2, 3, Decimal("0.5")), Usage(1, 0, 1, Decimal("0.25"), estimated=True)]
    assert total(parts) == Usage(11, 2, 4, Decimal("0.75"), estimated=True)


def test_a_total_with_an_unknown_part_is_unknown() -> None:
    assert total([FREE, Usage(1, 0, 1)]).cost_usd is None


def test_a_choice_never_shows_its_key() -> None:
    choice = ModelChoice("openai", api_key=SecretStr("sk-very-secret"))
    assert "sk-very-secret" not in f"{choice!r} {choice} {choice.server_name}"


def test_openai_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match="needs an API key") as caught:
        ModelChoice("openai").check()
    assert "VIVA_CHAT__API_KEY" in caught.value.hint


def test_a_compatible_server_needs_a_model_but_no_key() -> None:
    ModelChoice("openai_compatible", "m", "http://127.0.0.1:1/v1/").check()
    with pytest.raises(ConfigurationError, match="No model"):
        ModelChoice("openai_compatible", "", "http://127.0.0.1:1/v1").check()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/v1",
        "file:///etc/passwd",
        "127.0.0.1:1/v1",
        "http://",
        "http://h/v1?key=1",
        "http://h:x/v1",
    ],
)
def test_only_http_addresses_are_accepted(url: str) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        ModelChoice("openai_compatible", "m", url).check()


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    choice = ModelChoice("openai_compatible", "m", "http://user:hunter2@host/v1")
    with pytest.raises(ConfigurationError, match="user name or password") as caught:
        choice.check()
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {choice.server_name}"


def test_a_key_that_was_copied_with_other_characters_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no key has"):
        ModelChoice("openai", api_key=SecretStr("sk-…")).check()
