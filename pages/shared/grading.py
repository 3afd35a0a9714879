"""Open answers that are being graded: each in a thread of its own, so that pages can come and go.

A page only watches. Leaving it, reloading it or opening it twice neither stops nor repeats the model
call; the grade ends up in the database in any case.
"""

from __future__ import annotations

import logging
import threading

from pages.shared import picker
from pages.shared.failures import report
from rag.errors import RagError
from rag.providers.choice import ModelChoice
from rag.quiz_types import Session, SessionItem
from rag.services import Services
from rag.study import Study

log = logging.getLogger(__name__)

_Key = tuple[str, int]
_lock = threading.Lock()
_underway: dict[_Key, threading.Event] = {}
_troubles: dict[_Key, str] = {}


def chosen(services: Services) -> ModelChoice:
    """Return who grades for this reader: the chosen model, or none while it lacks something."""
    return picker.QUOTES if picker.lacking(services) else picker.chosen(services)


def begin(study: Study, session: Session, item: SessionItem, choice: ModelChoice) -> None:
    """Start grading an answer unless that is under way; `choice`: the model that grades."""
    key = (session.id, item.position)
    with _lock:
        if key in _underway:
            return
        _troubles.pop(key, None)
        _underway[key] = threading.Event()
    threading.Thread(
        target=_grade,
        args=(study, session, key, choice),
        name=f"grade-{session.id[:8]}-{item.position}",
        daemon=True,
    ).start()


def wait(session: Session, item: SessionItem, seconds: float) -> bool:
    """Wait at most so long; True when no grading of this answer is under way in this process."""
    event = _underway.get((session.id, item.position))
    return event is None or event.wait(seconds)


def trouble(session: Session, item: SessionItem) -> str:
    """Return why the last try could not even be stored as failed; empty when there was nothing."""
    return _troubles.get((session.id, item.position), "")


def _grade(study: Study, session: Session, key: _Key, choice: ModelChoice) -> None:
    quiz_id, position = key
    problem = ""
    try:
        study.sessions.grade(quiz_id, session.owner, position, study.grader(choice))
    except RagError as error:
        log.warning("Grading in quiz %s failed: %s", quiz_id, type(error).__name__)
        problem = f"{error} {error.hint}".strip()
    except Exception as error:
        report(error)
        problem = "Something went wrong inside Viva."
    finally:
        with _lock:
            if problem:
                _troubles[key] = problem
            _underway.pop(key).set()
