"""A loopback OpenID Connect provider that believes whatever name it is told.

    with OidcServer() as provider:
        secrets.write_text(provider.secrets("http://127.0.0.1:8501"))

`python tests/oidc_server.py --app http://127.0.0.1:8501` serves it to a person and prints the secrets.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "viva"
CLIENT_SECRET = "known-to-viva-and-its-provider"
COOKIE_SECRET = "0123456789abcdef0123456789abcdef"
LIFETIME_S = 600


class OidcServer:
    """Serves on a loopback port, a free one by default, until the `with` block ends."""

    def __init__(self, port: int = 0) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.granted: dict[str, dict[str, str]] = {}
        """What each code that was not redeemed yet was given for: the parameters of the login."""
        self.people: dict[str, str] = {}
        """Access tokens, and the names they were given for."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> OidcServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def secrets(self, app: str) -> str:
        """Return the secrets.toml of an app at this address; it may hold {port}."""
        return (
            "[auth]\n"
            f'redirect_uri = "{app}/oauth2callback"\n'
            f'cookie_secret = "{COOKIE_SECRET}"\n'
            f'client_id = "{CLIENT_ID}"\n'
            f'client_secret = "{CLIENT_SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def discovery(self) -> dict[str, Any]:
        """Return what the provider can do and where."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def tokens(self, login: dict[str, str]) -> dict[str, Any]:
        """Return the tokens of somebody who gave this name with the login."""
        name = login["name"]
        access = secrets.token_urlsafe()
        self.people[access] = name
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": login["client_id"],
            "iat": now,
            "exp": now + LIFETIME_S,
            "nonce": login.get("nonce", ""),
            **person(name),
        }
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)
        return {"access_token": access, "token_type": "Bearer", "expires_in": LIFETIME_S, "id_token": signed}

    def _handler(provider) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            server_state = provider

        return Handler


def person(name: str) -> dict[str, str]:
    """Return the claims about somebody."""
    return {"sub": f"id-of-{name.lower()}", "name": name, "email": f"{name.lower()}@example.org"}


class _Handler(BaseHTTPRequestHandler):
    server_state: OidcServer

    def do_GET(self) -> None:
        provider, address = self.server_state, urlsplit(self.path)
        given = dict(parse_qsl(address.query))
        if address.path == "/.well-known/openid-configuration":
            self._reply(provider.discovery())
        elif address.path == "/jwks":
            self._reply(KeySet([provider.key]).as_dict(private=False))
        elif address.path == "/userinfo":
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            known = token in provider.people
            self._reply(person(provider.people[token]) if known else {}, 200 if known else 401)
        elif address.path == "/authorize" and given.get("name"):
            code = secrets.token_urlsafe()
            provider.granted[code] = given
            self._redirect(given["redirect_uri"], code=code, state=given["state"])
        elif address.path == "/authorize":
            fields = "".join(
                f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
                for key, value in given.items()
            )
            self._reply(
                f'<form action="/authorize">{fields}<input name="name" aria-label="Name"><button>Go</button>'
            )
        elif address.path == "/logout":
            self._redirect(given["post_logout_redirect_uri"])
        else:
            self._reply({}, 404)

    def do_POST(self) -> None:
        given = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        login = self.server_state.granted.pop(given.get("code", ""), None)
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {pair}":
            self._reply({"error": "invalid_client"}, 401)
        elif login is None or not _fits(login, given):
            self._reply({"error": "invalid_grant"}, 400)
        else:
            self._reply(self.server_state.tokens(login))

    def _reply(self, body: Any, status: int = 200) -> None:
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _redirect(self, address: str, **query: str) -> None:
        self.send_response(302)
        self.send_header("Location", f"{address}?{urlencode(query)}" if query else address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _fits(login: dict[str, str], given: dict[str, str]) -> bool:
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return login["redirect_uri"] == given.get("redirect_uri") and login.get("code_challenge") == challenge


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8098)
    parser.add_argument("--app", default="http://127.0.0.1:8501")
    options = parser.parse_args()
    with OidcServer(options.port) as server:
        print(server.secrets(options.app))
        threading.Event().wait()
