"""Who answers: the configured model, quotes, or a model with the user's own key for this session."""

from __future__ import annotations

import streamlit as st
from pydantic import SecretStr

from rag.errors import ConfigurationError
from rag.providers.choice import ModelChoice
from rag.services import Services

OWN = {"own_openai": "OpenAI with my key", "own_compatible": "Another server with my key"}
QUOTES = ModelChoice("embedded")


def options(services: Services) -> dict[str, str]:
    """Return the choices as id and label, the configured one first."""
    found = {"configured": describe(services.default_choice)}
    if services.default_choice.provider != "embedded":
        found["quotes"] = describe(QUOTES)
    return found | OWN if services.settings.chat.allow_own_key else found


def describe(choice: ModelChoice) -> str:
    """Return how a choice is called in lists."""
    if choice.provider == "embedded":
        return "Quotes from the sources"
    return f"{choice.model_name or 'A model'}, {choice.server_name}"


def chosen(services: Services) -> ModelChoice:
    """Return what the picker says at the moment; a key lives in this browser session alone."""
    state = st.session_state
    match state.get("model_picker", "configured"):
        case "quotes":
            return QUOTES
        case "own_openai" if services.settings.chat.allow_own_key:
            return ModelChoice("openai", _typed("model_name"), "", SecretStr(_typed("model_api_key")))
        case "own_compatible" if services.settings.chat.allow_own_key:
            return ModelChoice(
                "openai_compatible",
                _typed("model_name"),
                _typed("model_base_url"),
                SecretStr(_typed("model_api_key")),
            )
        case _:
            return services.default_choice


def lacking(services: Services) -> str:
    """Return what the chosen model still needs, as a sentence; empty when nothing."""
    try:
        chosen(services).check()
    except ConfigurationError as error:
        is_own = st.session_state.get("model_picker") in OWN
        return f"{error} {'Complete the fields in the sidebar.' if is_own else error.hint}"
    return ""


def usable(services: Services) -> dict[str, ModelChoice]:
    """Return by label the models that could answer right now."""
    found = [services.default_choice, QUOTES]
    if not lacking(services):
        found.append(chosen(services))
    return {describe(choice): choice for choice in found}


def draw_picker(services: Services) -> None:
    """Draw the choice and, for an own model, its fields."""
    labels = options(services)
    st.selectbox(
        "Answers from",
        list(labels),
        format_func=lambda option: labels.get(option, option),
        key="model_picker",
        help="Quotes need no key and no network. A model writes in its own words and cites the passages.",
    )
    picked = st.session_state.get("model_picker", "configured")
    if picked not in OWN:
        return
    if picked == "own_compatible":
        st.text_input(
            "Server address",
            key="model_base_url",
            placeholder="http://127.0.0.1:11434/v1",
            live=True,
            persist_state="session",
        )
    st.text_input(
        "Model",
        key="model_name",
        placeholder="the default" if picked == "own_openai" else "e.g. llama3.2",
        live=True,
        persist_state="session",
    )
    st.text_input(
        "Key",
        type="password",
        key="model_api_key",
        autocomplete="off",
        live=True,  # else a key would not be taken over when Tab leads on to the eye beside the field
        persist_state="session",
        help="Kept in this browser session only. It is never stored and never written to a log.",
    )
    if needed := lacking(services):
        st.caption(needed)


def _typed(key: str) -> str:
    return str(st.session_state.get(key) or "").strip()
