"""Reads the `[auth]` section of Streamlit's secrets: who vouches for people, and what is missing for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from rag.errors import ConfigurationError

DEFAULT = "default"
"""The name of the provider that is written into the section itself."""
NEEDED = ("redirect_uri", "cookie_secret")
NEEDED_OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
PACKAGES = ("authlib", "httpx")
"""What Streamlit imports to log people in; it does not install them itself."""
CALLBACK = "/oauth2callback"


def providers(auth: object) -> list[str]:
    """Return the names of the identity providers of the section, or raise a ConfigurationError.

    There is one at least: `DEFAULT`, or the tables of the section in their order.
    """
    if not isinstance(auth, Mapping):
        raise ConfigurationError(
            "[auth] in secrets.toml is not a section.", hint="Write [auth] on a line of its own."
        )
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ConfigurationError(
            f"Logging in needs {' and '.join(missing)}, which is not installed.",
            hint="Run `pip install -r requirements.txt` and start Viva again.",
        )
    tables = {
        name: table for name, table in auth.items() if isinstance(table, Mapping) and name != "client_kwargs"
    }
    if not tables or any(auth.get(key) for key in NEEDED_OF_PROVIDER):
        tables = {DEFAULT: auth} | tables
    lacking = [key for key in NEEDED if not auth.get(key)]
    for name, table in tables.items():
        place = "" if name == DEFAULT else f"{name}."
        lacking += [f"{place}{key}" for key in NEEDED_OF_PROVIDER if not table.get(key)]
    if lacking:
        raise ConfigurationError(
            f"[auth] in secrets.toml lacks {', '.join(lacking)}.",
            hint="Add it as your identity provider gave it; make up a long random cookie_secret.",
        )
    if not str(auth["redirect_uri"]).endswith(CALLBACK):
        raise ConfigurationError(
            f"redirect_uri in secrets.toml does not end in {CALLBACK}.",
            hint=f"Write the address that people open, followed by {CALLBACK}.",
        )
    if misnamed := [name for name in tables if "_" in name]:
        raise ConfigurationError(
            f"The name auth.{misnamed[0]} in secrets.toml contains an underscore.",
            hint="Streamlit can't take it: write the name without.",
        )
    return list(tables)
