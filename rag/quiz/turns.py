"""Lets one thread at a time work on the same thing; others wait for their turn."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary


class Turns:
    """A lock for each key, kept while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[tuple[Hashable, ...], _Turn] = WeakValueDictionary()
        self._lock = threading.Lock()

    @contextmanager
    def take(self, *key: Hashable) -> Iterator[None]:
        """Hold the turn of a key for the length of the block."""
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
        with turn.lock:
            yield


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()
