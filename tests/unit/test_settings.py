"""Settings come from the environment, and a name or value that is not valid stops the start."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rag.errors import ConfigurationError
from rag.settings import load_settings, setting_names
from rag.types import RetrievalConfig


def test_defaults_need_no_environment() -> None:
    settings = load_settings({})
    assert settings.chat.provider == "embedded"
    assert settings.store == "faiss"
    assert settings.data_dir == Path("data")
    assert settings.knowledge_dir == Path("knowledge")
    assert settings.api_key.get_secret_value() == ""
    assert settings.sqlalchemy_url == "sqlite:///data/viva.db"


def test_the_deadlines_are_those_of_the_contract() -> None:
    chat = load_settings({}).chat
    assert (chat.first_token_timeout_s, chat.token_timeout_s, chat.total_timeout_s) == (30, 15, 120)


def test_nested_names_reach_their_section() -> None:
    settings = load_settings(
        {
            "VIVA_CHAT__PROVIDER": "openai_compatible",
            "VIVA_CHAT__BASE_URL": "http://127.0.0.1:11434/v1",
            "VIVA_CHAT__MODEL": "llama3",
            "VIVA_CHAT__TOTAL_TIMEOUT_S": "7.5",
            "VIVA_RETRIEVAL__TOP_K": "9",
            "VIVA_RETRIEVAL__CANDIDATES": "60",
            "VIVA_RETRIEVAL__WORDS_WEIGHT": "0.3",
            "VIVA_RETRIEVAL__INDEX": "hnsw",
            "VIVA_RETRIEVAL__EFFORT": "128",
            "VIVA_BUDGET__USD_PER_DAY": "1.10",
        }
    )
    assert settings.chat.provider == "openai_compatible"
    assert settings.chat.base_url == "http://127.0.0.1:11434/v1"
    assert settings.chat.model == "llama3"
    assert settings.chat.total_timeout_s == 7.5
    assert settings.retrieval.config == RetrievalConfig(9, 60, 0.3, "hnsw", 128)
    assert settings.budget.usd_per_day == Decimal("1.10")


def test_searches_find_by_default_what_the_settings_find_by_default() -> None:
    assert load_settings({}).retrieval.config == RetrievalConfig()


def test_names_may_be_written_in_lower_case() -> None:
    assert load_settings({"viva_chat__model": "llama3"}).chat.model == "llama3"


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVA_CHAT__MODEL", "of the process")
    monkeypatch.setenv("OPENAI_API_KEY", "of the process")
    settings = load_settings({})
    assert settings.chat.model == ""
    assert settings.api_key.get_secret_value() == ""


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVA_CHAT__MODEL", "gpt-5-mini")
    assert load_settings().chat.model == "gpt-5-mini"


def test_an_override_wins_over_the_environment() -> None:
    settings = load_settings({"VIVA_DATA_DIR": "/from/environment"}, data_dir=Path("/from/option"))
    assert settings.data_dir == Path("/from/option")


def test_an_empty_value_counts_as_unset() -> None:
    settings = load_settings(
        {"VIVA_BUDGET__USD_PER_DAY": "", "VIVA_DATA_DIR": "", "VIVA_CHAT__TEMPERATURE": ""}
    )
    assert settings.budget.usd_per_day is None
    assert settings.data_dir == Path("data")
    assert settings.chat.temperature is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("VIVA_CHAT__PROVIDR", "VIVA_CHAT__PROVIDER"),
        ("VIVA_CHAT_MODEL", "VIVA_CHAT__MODEL"),
        ("VIVA_DATADIR", "VIVA_DATA_DIR"),
        ("VIVA_OPENAI_KEY", "VIVA_OPENAI_API_KEY"),
        ("VIVA_BUDGET__USD", "VIVA_BUDGET__USD_PER_DAY"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({name: "x"})
    assert str(caught.value) == f"There is no setting {name}."
    assert caught.value.hint == f"Did you mean {nearest}? The README lists all settings."


def test_names_without_the_prefix_are_not_ours() -> None:
    assert load_settings({"VIVALDI": "x", "CHAT__MODEL": "x"}).chat.model == ""


def test_the_name_that_only_tests_read_is_no_mistake() -> None:
    assert load_settings({"VIVA_EVAL_DIR": "/somewhere"}).store == "faiss"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (
            "VIVA_CHAT__PROVIDER",
            "gpt",
            "Input should be 'embedded', 'openai', 'openai_compatible' or 'local'",
        ),
        ("VIVA_RETRIEVAL__TOP_K", "0", "Input should be greater than or equal to 1"),
        ("VIVA_RETRIEVAL__INDEX", "tree", "Input should be 'flat', 'ivf' or 'hnsw'"),
        ("VIVA_CHAT__TOTAL_TIMEOUT_S", "-1", "Input should be greater than 0"),
        ("VIVA_BUDGET__USD_PER_DAY", "ten", "Input should be a valid decimal"),
        ("VIVA_LOG_LEVEL", "loud", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        (
            "VIVA_LOAD_KNOWLEDGE",
            "maybe",
            "Input should be a valid boolean, unable to interpret input",
        ),
    ],
)
def test_a_bad_value_names_its_variable(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({name: value})
    assert str(caught.value) == f"{name} is not valid: {problem}."
    assert caught.value.hint == f"Set {name} to a valid value or unset it; the README lists all settings."


def test_a_bad_value_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"VIVA_CHAT__PROVIDER": "sk-pasted-into-the-wrong-variable"})
    assert "sk-pasted" not in str(caught.value) + caught.value.hint


def test_the_key_of_openai_is_taken_from_its_own_variable() -> None:
    assert load_settings({"OPENAI_API_KEY": "sk-1"}).api_key.get_secret_value() == "sk-1"


def test_our_own_variables_for_a_key_come_first() -> None:
    both = {"OPENAI_API_KEY": "sk-1", "VIVA_OPENAI_API_KEY": "sk-2"}
    assert load_settings(both).api_key.get_secret_value() == "sk-2"
    assert load_settings(both | {"VIVA_CHAT__API_KEY": "sk-3"}).api_key.get_secret_value() == "sk-3"


def test_the_key_of_openai_is_never_sent_to_another_server() -> None:
    settings = load_settings({"OPENAI_API_KEY": "sk-1", "VIVA_CHAT__PROVIDER": "openai_compatible"})
    assert settings.api_key.get_secret_value() == ""


def test_secrets_are_not_shown() -> None:
    settings = load_settings(
        {
            "OPENAI_API_KEY": "sk-secret",
            "VIVA_CHAT__API_KEY": "sk-secret",
            "VIVA_DATABASE_URL": "postgresql://viva:sk-secret@db/viva",
        }
    )
    assert "sk-secret" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.sqlalchemy_url == "postgresql://viva:sk-secret@db/viva"


def test_settings_do_not_change() -> None:
    settings = load_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.chat.model = "other"


def test_every_documented_name_is_valid() -> None:
    assert set(setting_names()) >= {
        "VIVA_DATA_DIR",
        "VIVA_KNOWLEDGE_DIR",
        "VIVA_CHAT__PROVIDER",
        "VIVA_CHAT__MODEL",
        "VIVA_CHAT__BASE_URL",
        "VIVA_CHAT__API_KEY",
        "VIVA_DATABASE_URL",
        "VIVA_STORE",
        "VIVA_BUDGET__USD_PER_DAY",
        "VIVA_CHAT__FIRST_TOKEN_TIMEOUT_S",
        "VIVA_CHAT__TOKEN_TIMEOUT_S",
        "VIVA_CHAT__TOTAL_TIMEOUT_S",
    }
