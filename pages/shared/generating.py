"""The writing of questions under way: in a thread of its own, so that pages can come and go.

One run at a time for all: each keeps a model busy with hundreds of calls. What it keeps is stored at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from pages.shared.failures import report
from rag.errors import InvalidInput, RagError
from rag.providers.choice import ModelChoice
from rag.quiz.generation.generator import Generator
from rag.quiz_types import Kind
from rag.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Underway:
    run_id: str
    owner: str
    stopping: threading.Event = field(default_factory=threading.Event)


_lock = threading.Lock()
_current: _Underway | None = None


def begin(
    services: Services,
    document_ids: Sequence[str],
    n: int,
    choice: ModelChoice,
    reader: str,
    kind: Kind | None = None,
) -> str:
    """Start writing `n` questions for `reader` and return the id of the run; kind None: of both kinds.

    Raises InvalidInput while another run is under way or when there is nothing to write on, and
    ConfigurationError when the choice lacks something.
    """
    global _current
    generator = services.study.generator(choice)
    with _lock:
        if _current is not None:
            raise InvalidInput(
                "Questions are being written already.", hint="Wait until that is done, or stop it."
            )
        underway = _Underway(generator.start(document_ids, n, reader, kind), reader)
        _current = underway
    threading.Thread(
        target=_carry_out,
        args=(generator, underway, document_ids, n, kind),
        name=f"generation-{underway.run_id[:8]}",
        daemon=True,
    ).start()
    return underway.run_id


def underway() -> str:
    """Return the id of the run under way in this process; empty when there is none."""
    current = _current
    return "" if current is None else current.run_id


def stop() -> None:
    """End the run under way at once; the questions that it kept stay."""
    current = _current
    if current is not None:
        current.stopping.set()


def _carry_out(
    generator: Generator, underway: _Underway, document_ids: Sequence[str], n: int, kind: Kind | None
) -> None:
    global _current
    try:
        generator.run(
            underway.run_id, document_ids, n, underway.owner, stopped=underway.stopping.is_set, kind=kind
        )
    except RagError as error:
        log.warning("Generation %s could not be stored: %s", underway.run_id, type(error).__name__)
    except Exception as error:
        report(error)
    finally:
        with _lock:
            _current = None
