"""A loopback server that speaks OpenAI's chat protocol and fails in every way that real ones do.

    with StubServer() as stub:
        ModelChoice("openai_compatible", "ok", stub.url)

The mode of a request is the next of `stub.queue`, else the model's name where that is a mode, else "ok".
`python tests/stub_server.py --port 8099` serves it to a browser test or a person.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONG_S = 20.0
"""What stands for "for ever": longer than any deadline of a test, short enough to end by itself."""


@dataclass(frozen=True)
class Request:
    """What one request asked for, as the server saw it."""

    mode: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    prompt_tokens: int
    """What the server reports, and would bill."""

    @property
    def prompt(self) -> str:
        """All messages, one after the other."""
        return "\n".join(str(message["content"]) for message in self.body["messages"])


class Disconnected(Exception):
    """The client closed the connection while the server was answering."""


class StubServer:
    """Serves on a free loopback port until the `with` block ends."""

    def __init__(self, port: int = 0, answer: str = "", delay_s: float = 0.0) -> None:
        self.answer = answer
        """Empty: a sentence that cites the first sentence id of the prompt."""
        self.delay_s = delay_s
        """Before the first text; may be shortened while an answer waits."""
        self.piece_length = 5
        self.queue: deque[str] = deque()
        self.answers: deque[str] = deque()
        """Texts for the next answers, before `answer` is used."""
        self.requests: list[Request] = []
        self.paths: list[str] = []
        """Of everything that was asked for, also what is no chat request."""
        self.disconnects = 0
        self.output_tokens = 7
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> StubServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for_disconnect(self, timeout_s: float = 3.0) -> bool:
        """Return whether a client hangs up within `timeout_s`."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if self.disconnects:
                return True
            time.sleep(0.01)
        return False

    def text_for(self, request: Request) -> str:
        """Return what an obedient model would say."""
        if self.answers:
            return self.answers.popleft()
        found = re.search(r"\[(\d+\.\d+)\]", request.prompt.partition("<passages>")[2])
        return self.answer or (f"The passages say so [{found[1]}]." if found else "Nothing to cite.")

    def _handler(stub) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            server_state = stub

        return Handler


class _Handler(BaseHTTPRequestHandler):
    server_state: StubServer
    request_seen: Request

    def do_GET(self) -> None:
        self.server_state.paths.append(self.path)
        models = [{"id": name, "object": "model"} for name in sorted(MODES)]
        self.reply(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        stub = self.server_state
        stub.paths.append(self.path)
        if not self.path.endswith("/chat/completions"):
            self.reply(404, {})
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        named = body["model"] if body["model"] in MODES else "ok"
        mode = stub.queue.popleft() if stub.queue else named
        tokens = sum(len(str(message["content"]).split()) for message in body["messages"])
        self.request_seen = Request(mode, body, dict(self.headers), time.monotonic(), tokens)
        stub.requests.append(self.request_seen)
        try:
            MODES[mode](self)
        except (Disconnected, BrokenPipeError, ConnectionResetError):
            stub.disconnects += 1
        self.close_connection = True

    def reply(self, status: int, body: Any, **headers: str) -> None:
        """Send a whole response; a body that is no string is sent as JSON."""
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def error(self, status: int, code: str, **headers: str) -> None:
        """Send an error the way OpenAI does, with a message that must never reach a user."""
        message = f"{code}: key sk-SECRET, prompt: {self.request_seen.prompt[:40]}"
        self.reply(status, {"error": {"message": message, "type": code, "code": code}}, **headers)

    def open(self) -> None:
        """Send the headers of a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.event({"role": "assistant", "content": ""})

    def event(self, delta: dict[str, Any], finish: str | None = None, **extra: Any) -> None:
        """Send one chunk."""
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.raw(json.dumps(self.chunk(choices) | extra))

    def chunk(self, choices: list[Any]) -> dict[str, Any]:
        """Return a chunk with `choices`."""
        return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}

    def raw(self, data: str) -> None:
        """Send one event's data as it is."""
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def pieces(self, share: float = 1.0) -> None:
        """Send the answer's text, or its first part."""
        asked = time.monotonic()
        while time.monotonic() < asked + self.server_state.delay_s:
            self.wait(0.05)
        text = self.server_state.text_for(self.request_seen)
        text = text[: int(len(text) * share)]
        step = self.server_state.piece_length
        for start in range(0, len(text), step):
            self.event({"content": text[start : start + step]})

    def end(self, reason: str = "stop", usage: bool = True) -> None:
        """Send the end: finish reason, token counts, [DONE]."""
        self.event({}, reason)
        if usage:
            sent, received = self.request_seen.prompt_tokens, self.server_state.output_tokens
            counts = {
                "prompt_tokens": sent,
                "completion_tokens": received,
                "total_tokens": sent + received,
                "prompt_tokens_details": {"cached_tokens": 3},
            }
            self.raw(json.dumps(self.chunk([]) | {"usage": counts}))
        self.raw("[DONE]")

    def wait(self, seconds: float) -> None:
        """Wait; raises Disconnected as soon as the client hangs up."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise Disconnected

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def _steps(*steps: Callable[[_Handler], None]) -> Callable[[_Handler], None]:
    def answer(handler: _Handler) -> None:
        for step in steps:
            step(handler)

    return answer


def _said(text: str) -> Callable[[_Handler], None]:
    def answer(handler: _Handler) -> None:
        handler.open()
        for piece in _cut(text, handler.server_state.piece_length):
            handler.event({"content": piece})
        handler.end()

    return answer


def _cut(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(0, len(text), length))


def _half(handler: _Handler) -> None:
    handler.pieces(0.6)


def _keepalives(handler: _Handler) -> None:
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        handler.wfile.write(b": keep-alive\n\n")
        handler.wfile.flush()
        handler.wait(0.05)


def _drip(handler: _Handler) -> None:
    handler.open()
    for letter in "slow " * 100:
        handler.event({"content": letter})
        handler.wait(0.2)


def _endless(handler: _Handler) -> None:
    handler.open()
    for _ in range(100_000):
        handler.event({"content": "more and more "})


def _obey(handler: _Handler) -> None:
    """Do what a passage says in the worst way: repeat passages and instructions as the answer."""
    passages = handler.request_seen.prompt.partition("<passages>")[2]
    instructions = str(handler.request_seen.body["messages"][0]["content"])
    _said(f"{passages}\n{instructions}\nHacked [99.1] [1.99].")(handler)


def _error_event(handler: _Handler) -> None:
    handler.raw(json.dumps({"error": {"message": "sk-SECRET overloaded", "type": "server_error"}}))


MODES: dict[str, Callable[[_Handler], None]] = {
    "ok": _steps(_Handler.open, _Handler.pieces, _Handler.end),
    "no_usage": _steps(_Handler.open, _Handler.pieces, lambda h: h.end(usage=False)),
    "no_done": _steps(_Handler.open, _Handler.pieces, lambda h: h.event({}, "stop")),
    "cut_before_usage": _steps(_Handler.open, _Handler.pieces, lambda h: h.event({}, "stop"), _Handler.reset),
    "hang_before_usage": _steps(_Handler.open, _Handler.pieces, lambda h: h.event({}, "stop"), _keepalives),
    "cut_before_headers": _Handler.reset,
    "cut_before_text": _steps(_Handler.open, _Handler.reset),
    "cut_mid_token": _steps(_Handler.open, _half, lambda h: time.sleep(0.3), _Handler.reset),
    "clean_end": _steps(_Handler.open, _half),
    "clean_end_before_text": _Handler.open,
    "error_event": _steps(_Handler.open, _half, _error_event),
    "error_event_first": _steps(_Handler.open, _error_event),
    "wrong_json": _steps(_Handler.open, lambda h: h.raw('{"choices": [oops')),
    "wrong_json_later": _steps(_Handler.open, _half, lambda h: h.raw('{"choices": [oops')),
    "wrong_shape": _steps(_Handler.open, lambda h: h.raw('["not", "a", "chunk"]')),
    "html": lambda h: h.reply(200, "<html>Welcome</html>"),
    "redirect": lambda h: h.reply(307, {}, Location="http://127.0.0.1:9/v1/chat/completions"),
    "hang": lambda h: h.wait(LONG_S),
    "hang_after_headers": _steps(_Handler.open, lambda h: h.wait(LONG_S)),
    "keepalive": _steps(_Handler.open, _keepalives),
    "keepalive_later": _steps(_Handler.open, _half, _keepalives),
    "drip": _drip,
    "endless": _endless,
    "length": _steps(_Handler.open, _half, lambda h: h.end("length")),
    "length_no_text": _steps(_Handler.open, lambda h: h.end("length")),
    "filter": _steps(_Handler.open, _half, lambda h: h.end("content_filter")),
    "filter_no_text": _steps(_Handler.open, lambda h: h.end("content_filter")),
    "empty": _steps(_Handler.open, _Handler.end),
    "rate_limited": lambda h: h.error(429, "rate_limit_exceeded", Retry_After="0.2"),
    "rate_limited_long": lambda h: h.error(429, "rate_limit_exceeded", Retry_After="60"),
    "quota": lambda h: h.error(429, "insufficient_quota"),
    "unauthorized": lambda h: h.error(401, "invalid_api_key"),
    "forbidden": lambda h: h.error(403, "forbidden"),
    "unknown_model": lambda h: h.error(404, "model_not_found"),
    "bad_request": lambda h: h.error(400, "unsupported_value"),
    "overflow": lambda h: h.error(400, "context_length_exceeded"),
    "filtered": lambda h: h.error(400, "content_filter"),
    "server_error": lambda h: h.error(500, "server_error"),
    "unavailable": lambda h: h.error(503, "overloaded"),
    "invented": _said("True [1.1]. Invented [9.9], [1.99] and [7]. See [1.1](http://evil.test)."),
    "uncited": _said("Trust me, it is so."),
    "refuses": _said("NOT_IN_SOURCES"),
    "partly": _said("It is so [1.1].\n\nMISSING: the price of it."),
    "obeys_injection": _obey,
}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the first text")
    options = parser.parse_args()
    with StubServer(options.port, delay_s=options.delay) as stub:
        print(stub.url)
        threading.Event().wait()


if __name__ == "__main__":
    main()
