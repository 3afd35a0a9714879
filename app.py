"""The server: Streamlit as an ASGI app with security headers and a health address."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.shared import startup
from pages.shared.failures import keep_messages_out_of_the_log, on_script_error
from rag import __version__
from rag.errors import ConfigurationError, RagError
from rag.settings import load_settings, log_to_stderr

try:
    SETTINGS = load_settings()
except ConfigurationError as error:
    sys.exit(f"Viva can't start. {error} {error.hint}")


log_to_stderr(SETTINGS.log_level)


def _inline_scripts() -> str:
    """Return the hashes of the scripts written into Streamlit's own page, for the policy below."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()) for script in scripts)
    return " ".join(f"'sha256-{digest.decode()}'" for digest in digests)


POLICY = "; ".join(
    [
        "default-src 'none'",
        # blob: is how components load their script; Vega charts compile their expressions ('unsafe-eval')
        f"script-src 'self' blob: 'unsafe-eval' {_inline_scripts()}",
        "style-src 'self' 'unsafe-inline'",  # Streamlit writes its styles into the page
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
    ]
)
"""What a page may load and talk to: nothing but this server."""

HEADERS = [
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }.items()
]


class SecurityHeaders:
    """Adds the headers to every response as it starts, so that nothing is held back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in HEADERS}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
                message = {**message, "headers": [*kept, *HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def healthz(_: Request) -> JSONResponse:
    """Tell whether questions can be answered, and from how many documents."""
    start = startup.peek()
    told: dict[str, str | int] = {"status": "starting", "version": __version__}
    try:
        if start is not None and start.error is not None:
            raise start.error
        if start is not None and start.services is not None:
            told |= {"status": "ok", "documents": len(start.services.library.summaries())}
    except RagError:
        told["status"] = "failed"
    return JSONResponse(told, status_code=503 if told["status"] == "failed" else 200)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Begin building the services in the background, so that the first visitor hardly waits."""
    startup.startup(SETTINGS)
    yield
    startup.stop()


keep_messages_out_of_the_log()
app = st.App(
    "pages/frame.py",
    lifespan=lifespan,
    routes=[Route("/healthz", healthz)],
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=on_script_error,
)
