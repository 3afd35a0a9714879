"""Keeps a worker process at the queued jobs, and the index up with what it saves, from the server."""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from rag.errors import RagError
from rag.settings import PREFIX, Settings
from rag.storage.claims import Claims

WORKER = (sys.executable, "-m", "rag.working")
STOP = b"stop"
"""Told to the worker before its input is closed; an input that ends without it means a dead server."""
WORKING_S, IDLE_S = 1.0, 3.0
"""Pause between two rounds while a worker runs, and otherwise."""
REBUILD_SHARE = 20
"""After an index was built, so many times as long is left to the questions before the next one."""
LONGEST_BACK_OFF_S = 60.0
LAST_WORDS_S = 3.0
"""How long a worker that was told to stop may take."""

log = logging.getLogger(__name__)


class Supervisor:
    """Starts a worker when a job waits and again when it dies, and calls `follow` after changes."""

    def __init__(self, claims: Claims, environ: Mapping[str, str], follow: Callable[[], object]) -> None:
        """`environ`: the worker's environment. `follow`: brings the index up to date if it has to be."""
        self._claims = claims
        self._environ = environ
        self._follow = follow
        self._worker: _Worker | None = None
        self._failures = 0
        self._start_at = self._follow_at = 0.0
        self._woken, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="viva-jobs", daemon=True)

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker; None while there is none."""
        worker = self._worker
        return worker.pid if worker else None

    def start(self) -> None:
        """Begin to look for jobs."""
        self._thread.start()
        atexit.register(self.stop)

    def wake(self) -> None:
        """Look for jobs now."""
        self._woken.set()

    def stop(self) -> None:
        """End the worker and the thread; what was being read is queued again."""
        atexit.unregister(self.stop)
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._round()
            except RagError as error:
                log.warning("The jobs could not be looked after: %s", error)
            except Exception as error:  # whatever it was, the next jobs must not wait for a restart
                places = "".join(traceback.format_tb(error.__traceback__))
                log.error("The jobs could not be looked after: %s\n%s", type(error).__name__, places)
            self._woken.wait(WORKING_S if self._worker else IDLE_S)
            self._woken.clear()
        if self._worker:
            self._worker.stop(self._claims)
            self._worker = None

    def _round(self) -> None:
        if self._worker and self._worker.ended(self._claims):
            self._failures = self._failures + 1 if self._worker.never_began else 0
            self._start_at = time.monotonic() + min(2.0**self._failures - 1, LONGEST_BACK_OFF_S)
            self._follow_at = 0.0  # the last file shall be found at once
            self._worker = None
        if self._worker and (claim := self._worker.claimed()):
            self._claims.keep(claim[0])  # a busy machine may leave the worker itself no time for it
        self._claims.recover()
        if self._worker is None and time.monotonic() >= self._start_at and self._claims.waiting():
            self._worker = _Worker(self._environ)
        started = time.monotonic()
        if started >= self._follow_at:
            self._follow()
            ended = time.monotonic()
            self._follow_at = ended + REBUILD_SHARE * (ended - started)


class _Worker:
    """A worker process; the file it is at is known from what it printed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._has_begun = False
        # in the server's own session: Linux compares priorities within a session only
        self._process = subprocess.Popen(
            WORKER,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=self._printed,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def never_began(self) -> bool:
        """True for a process that has ended with an error before it had a file."""
        return self._process.returncode != 0 and not self._has_begun

    def claimed(self) -> tuple[str, int, int] | None:
        """Return job, position and attempts of the file that was claimed last; None before the first."""
        printed = self._printed.fileno()
        lines = os.pread(printed, os.fstat(printed).st_size, 0).split(b"\n")[:-1]  # the last may be cut
        if not lines:
            return None
        job_id, position, attempts = lines[-1].decode().split()
        return job_id, int(position), int(attempts)

    def ended(self, claims: Claims) -> bool:
        """Tell whether the process has ended; its file is then given back."""
        if self._process.poll() is None:
            return False
        self._close(claims, counted=True)
        return True

    def stop(self, claims: Claims) -> None:
        """End the process; that its file was being read does not count against the file."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(STOP)
            self._process.stdin.close()
        except OSError:  # it died this moment
            pass
        try:
            self._process.wait(LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        try:
            self._close(claims, counted=False)
        except RagError as error:
            log.warning("A file could not be given back: %s", error)

    def _close(self, claims: Claims, *, counted: bool) -> None:
        if claim := self.claimed():
            self._has_begun = True
            claims.give_back(*claim, counted=counted)
        self._printed.close()
        assert self._process.stdin is not None
        if not self._process.stdin.closed:
            self._process.stdin.close()


def worker_environ(settings: Settings) -> dict[str, str]:
    """Return the environment of a worker: where to read and write and with which model, and no keys."""
    secret = (PREFIX, "_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
    kept = {name: value for name, value in os.environ.items() if not any(s in name.upper() for s in secret)}
    paths = [str(Path(__file__).parents[1]), kept.get("PYTHONPATH", "")]
    own = {
        "DATA_DIR": str(settings.data_dir),
        "KNOWLEDGE_DIR": str(settings.knowledge_dir),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "EMBEDDING__BACKEND": settings.embedding.backend,
        "EMBEDDING__MODEL": settings.embedding.model,
        "LOG_LEVEL": settings.log_level,
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **{PREFIX + name: value for name, value in own.items()},
    }
