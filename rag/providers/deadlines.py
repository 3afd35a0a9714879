"""Puts wall-clock limits on a streaming model call and hangs up when one passes.

Read timeouts can't do this: a server that sends keep-alive comments resets them for ever. So the stream is
read in a thread of its own, and the connection it holds is shut down from outside.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Awaited = Literal["first text", "more text", "end"]

BEAT_S = 0.25
"""How long a caller may be left without a chance to stop."""
_FAREWELL_S = 2.0
"""How long a stream may take to notice that its connection is gone."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Points in time, in seconds of the clock that `paced` is given."""

    first_by: float
    """When the first text must have arrived."""
    end_by: float
    """When the whole answer must have arrived."""


class TooSlow(Exception):
    """A deadline passed before the stream had ended."""

    def __init__(self, awaited: Awaited) -> None:
        super().__init__(awaited)
        self.awaited = awaited


class Line:
    """The connection of one model call; `hang_up` ends it from any thread, whatever it is waiting for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._hung_up = False

    def hang_up(self) -> None:
        """Shut the connection down, now or as soon as there is one."""
        with self._lock:
            self._hung_up = True
            self._shut_down()

    def trace(self, name: str, info: dict[str, Any]) -> None:
        """Note the socket of a new connection: the `trace` extension of httpx2."""
        stream: Any = info.get("return_value")
        if name.endswith(".complete") and hasattr(stream, "get_extra_info"):
            with self._lock:
                self._socket = stream.get_extra_info("socket")
                if self._hung_up:
                    self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side may have been faster
                # not SSLSocket.shutdown, which drops the TLS state that the reading thread still uses
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_line: ContextVar[Line | None] = ContextVar("line", default=None)


def watch(request: Any) -> None:
    """Tie a request to the call that makes it: the `request` event hook of an httpx2 client.

    The client must not keep connections alive, or a reused one would go unnoticed.
    """
    if line := _line.get():
        request.extensions["trace"] = line.trace


@dataclass(frozen=True, slots=True)
class _End:
    failure: BaseException | None = None


def paced(
    open_stream: Callable[[], Iterator[T]],
    deadlines: Deadlines,
    *,
    patience: Callable[[T], float | None],
    clock: Callable[[], float],
) -> Generator[T | None]:
    """Yield the items of `open_stream()` while they come in time, and None every BEAT_S while none comes.

    `patience` gives the seconds that may pass until the next item that counts; None for an item that does
    not count itself. What arrived in time is yielded however late it is asked for. Raises TooSlow, and
    whatever the stream raises. However it ends, also by closing the generator: the connection is shut down
    and the thread is gone.
    """
    line = Line()
    arrivals: queue.SimpleQueue[tuple[float, T | _End]] = queue.SimpleQueue()

    def read() -> None:
        _line.set(line)
        try:
            for item in open_stream():
                arrivals.put((clock(), item))
        except BaseException as failure:
            arrivals.put((clock(), _End(failure)))
        else:
            arrivals.put((clock(), _End()))

    reader = threading.Thread(target=read, name="model-call", daemon=True)
    reader.start()
    due, awaited = _earlier(deadlines.first_by, "first text", deadlines)
    try:
        while True:
            try:
                at, arrived = arrivals.get(timeout=min(max(0.0, due - clock()), BEAT_S))
            except queue.Empty:
                if clock() >= due:
                    raise TooSlow(awaited) from None
                yield None
                continue
            if at > due:
                raise TooSlow(awaited)
            if isinstance(arrived, _End):
                if arrived.failure:
                    raise arrived.failure
                return
            yield arrived
            if (seconds := patience(arrived)) is not None:
                due, awaited = _earlier(at + seconds, "more text", deadlines)
    finally:
        line.hang_up()
        reader.join(_FAREWELL_S)


def _earlier(by: float, awaited: Awaited, deadlines: Deadlines) -> tuple[float, Awaited]:
    return (by, awaited) if by < deadlines.end_by else (deadlines.end_by, "end")
