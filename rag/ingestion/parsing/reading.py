"""Starts the child process that reads a file, watches it, and turns what it says into text or an error."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import rag
from rag.errors import KnowledgeError
from rag.ingestion.parsing import Limits, Parsed
from rag.ingestion.parsing.names import shown_name, suffix_of
from rag.ingestion.parsing.reasons import REASONS
from rag.types import Format

_CHILD = "rag.ingestion.parsing.child"
_ROOT = Path(rag.__file__).parents[1]
_BYTES_PER_CHARACTER = 6
"""The most that JSON needs for one: \\u0000."""
_CLOCK_FACTOR = 1.4
"""How much longer than its processor time a reading may take by the clock."""
_ANSWER_FRAME = 2**22
"""Bytes of an answer beside its text: the title and where the pages start."""
_OUT_OF_TIME = getattr(signal, "SIGXCPU", signal.SIGTERM)
"""What ends a process that has used up its processor time; Windows has no such signal."""
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""The child sees no others: keys and passwords are none of its business."""


def read(content: bytes, name: str, limits: Limits) -> Parsed:
    """Return the text of a file; see `rag.ingestion.parsing.parse`."""
    shown = shown_name(name)
    if not content:
        raise _failure("empty", shown)
    if len(content) > limits.bytes:
        raise _failure("too_big", shown, size=len(content) / 2**20, limit=limits.bytes / 2**20)
    try:
        answer = _ask_child(content, suffix_of(shown), limits)
    except OSError:  # no process, memory or disk space left
        raise _failure("no_room", shown) from None
    if error := answer.get("error"):
        facts = answer.get("facts")
        raise _failure(str(error), shown, **(facts if isinstance(facts, dict) else {}))
    parsed = _checked(answer, limits)
    if parsed is None:
        raise _failure("exhausting", shown)
    return parsed


def _ask_child(content: bytes, suffix: str, limits: Limits) -> dict[str, object]:
    """Return what the child says, or the error that its end amounts to. No trace of it stays behind."""
    most = limits.characters * _BYTES_PER_CHARACTER + _ANSWER_FRAME
    asked = json.dumps({"suffix": suffix, **asdict(limits)})
    timed_out = threading.Event()
    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-s", "-P", "-m", _CHILD, asked],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env=_environment(),
            start_new_session=True,
        )
    assert child.stdout

    def stop() -> None:
        timed_out.set()
        _kill(child)

    timer = threading.Timer(limits.seconds * _CLOCK_FACTOR, stop)
    timer.daemon = True
    timer.start()
    try:
        said = child.stdout.read(most + 1)
    finally:
        timer.cancel()
        timer.join()  # once the process is reaped below, its number may belong to another one
        _kill(child)
        child.stdout.close()
        child.wait()
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict):
        return answer
    if timed_out.is_set() or child.returncode == -_OUT_OF_TIME:
        return {"error": "slow", "facts": {"seconds": limits.seconds}}
    return {"error": "exhausting"}


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # it leads a group of its own: start_new_session
    else:
        child.kill()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}


def _checked(answer: dict[str, object], limits: Limits) -> Parsed | None:
    """Return the answer as what it should be; None when it is not: a hostile file may speak through it."""
    match answer:
        case {"text": str(text), "format": str(kind), "title": str(title), "page_starts": list(starts)}:
            pass
        case _:
            return None
    if kind not in get_args(Format) or len(text) > limits.characters or "\0" in text:
        return None
    if not all(isinstance(start, int) and 0 <= start <= len(text) for start in starts):
        return None
    if starts != sorted(starts):
        return None
    return Parsed(text, kind, title, tuple(starts))  # type: ignore[arg-type]


def _failure(code: str, name: str, **facts: object) -> KnowledgeError:
    """Return the error to show for the file `name`; a code or facts that make no sense mean damage."""
    try:
        said, hint = (part.format(**facts) for part in REASONS[code])
    except (LookupError, ValueError, TypeError):
        said, hint = REASONS["exhausting"]
    return KnowledgeError(f"{name} {said}", path=name, hint=hint)
