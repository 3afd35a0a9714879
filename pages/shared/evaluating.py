"""The evaluation run under way: in a thread of its own, so that pages can come and go.

One at a time: two would measure each other's load. What it finds goes into the database at once.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from pages.shared.failures import report
from rag.errors import InvalidInput, RagError
from rag.evaluation import runs
from rag.evaluation.golden import GoldenSet
from rag.providers.choice import ModelChoice
from rag.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Underway:
    run_id: str
    stopping: threading.Event = field(default_factory=threading.Event)


_lock = threading.Lock()
_current: _Underway | None = None


def begin(services: Services, chosen: GoldenSet, choice: ModelChoice, reader: str) -> str:
    """Start a run and return its id; `reader`: whose documents are searched, too.

    Raises InvalidInput while another run is under way, ConfigurationError when the choice lacks something.
    """
    global _current
    with _lock:
        if _current is not None:
            raise InvalidInput("Another run is under way.", hint="Wait for its end or stop it.")
        underway = _Underway(runs.start(services, chosen, choice))
        _current = underway
    threading.Thread(
        target=_carry_out,
        args=(services, underway, chosen, choice, reader),
        name=f"evaluation-{underway.run_id[:8]}",
        daemon=True,
    ).start()
    return underway.run_id


def underway() -> str:
    """Return the id of the run under way in this process; empty when there is none."""
    current = _current
    return "" if current is None else current.run_id


def stop() -> None:
    """End the run under way after the question it is at; its results so far are kept."""
    current = _current
    if current is not None:
        current.stopping.set()


def _carry_out(
    services: Services, underway: _Underway, chosen: GoldenSet, choice: ModelChoice, reader: str
) -> None:
    global _current
    try:
        runs.carry_out(
            services, underway.run_id, chosen, choice, reader=reader, stopped=underway.stopping.is_set
        )
    except RagError as error:
        log.warning("Evaluation run %s failed: %s", underway.run_id, type(error).__name__)
    except Exception as error:
        report(error)
    finally:
        with _lock:
            _current = None
