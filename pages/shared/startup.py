"""Builds the services once per process, in a thread, and tells how far it is."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pages.shared.failures import report
from rag.errors import RagError
from rag.services import Services, build_services
from rag.settings import Settings, load_settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done at the moment."""

    text: str = "Opening the library"
    done: int = 0
    total: int = 0
    """0: the number of things to do is not known."""


class Startup:
    """One attempt to build the services; any number of sessions may watch it."""

    def __init__(self, build: Callable[[Callable[[str, int, int], None]], Services]) -> None:
        self.step = Step()
        self.services: Services | None = None
        self.error: RagError | None = None
        self._build = build
        self._finished = threading.Event()
        threading.Thread(target=self._run, name="viva-startup", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True when the attempt is over."""
        return self._finished.wait(seconds)

    def _run(self) -> None:
        try:
            self.services = self._build(self._progress)
            self.services.ledger.close_open()  # calls that a crash of an earlier process left open
            self.services.evaluations.close_open()
            self.services.study.generations.close_open()
            self.services.start_jobs()
            gc.collect()
            gc.freeze()  # Streamlit collects after every run of a page; what stays need not be searched
        except RagError as error:
            log.error("The services could not be built: %s", error)
            self.error = error
        except Exception as error:
            report(error)
            self.error = RagError(
                f"Viva could not start ({type(error).__name__}).",
                hint="The server's log says more; `python -m rag doctor` checks the installation.",
            )
        finally:
            self._finished.set()

    def _progress(self, text: str, done: int, total: int) -> None:
        self.step = Step(text, done, total)


_lock = threading.Lock()
_current: Startup | None = None


def startup(settings: Settings | None = None) -> Startup:
    """Return this process's start, beginning it at the first call."""
    global _current
    with _lock:
        if _current is None:
            chosen = settings or load_settings()
            _current = Startup(lambda progress: build_services(chosen, progress))
        return _current


def stop() -> None:
    """Close the services at the end of the server; files that are being read go on with the next start."""
    if _current is not None and _current.services is not None:
        _current.services.close()


def again() -> None:
    """Forget a failed start, so that the next call tries once more."""
    global _current
    with _lock:
        if _current is not None and _current.error is not None:
            _current = None


def peek() -> Startup | None:
    """Return the start if it has begun."""
    return _current
