"""A long run in a thread of its own, one at a time in this process, so that pages can come and go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pages.shared.failures import report
from rag.errors import InvalidInput, RagError

log = logging.getLogger(__name__)

Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Underway:
    run_id: str
    stopping: threading.Event = field(default_factory=threading.Event)


class OneRun:
    """Carries out runs that store what they find as they go. Safe to share between threads."""

    def __init__(self, name: str) -> None:
        """`name` is what the log calls such a run."""
        self._name = name
        self._lock = threading.Lock()
        self._current: _Underway | None = None

    def begin(
        self, start: Callable[[], str], carry_out: Callable[[str, Stopped], object], busy: InvalidInput
    ) -> str:
        """Write down a run by `start`, which returns its id, carry it out in a thread, and return the id.

        `carry_out` gets the id and what tells whether the run was stopped. Raises `busy` while another run
        is under way, and what `start` raises.
        """
        with self._lock:
            if self._current is not None:
                raise busy
            self._current = underway = _Underway(start())
        name = f"{self._name}-{underway.run_id[:8]}"
        threading.Thread(target=self._follow, args=(carry_out, underway), name=name, daemon=True).start()
        return underway.run_id

    def underway(self) -> str:
        """Return the id of the run under way in this process; empty when there is none."""
        current = self._current
        return "" if current is None else current.run_id

    def stop(self, run_id: str) -> None:
        """Ask a run to end if it is the one under way; what it stored stays."""
        current = self._current
        if current is not None and current.run_id == run_id:
            current.stopping.set()

    def _follow(self, carry_out: Callable[[str, Stopped], object], underway: _Underway) -> None:
        try:
            carry_out(underway.run_id, underway.stopping.is_set)
        except RagError as error:
            log.warning("The %s %s failed: %s", self._name, underway.run_id, type(error).__name__)
        except Exception as error:
            report(error)
        finally:
            with self._lock:
                self._current = None
