"""The worker process: reads the files of queued jobs into the library, until none is left.

The server starts it and holds its input open; when that ends, the server is gone and so goes the worker.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import cast

from rag.embedding.background import BackgroundEmbedder
from rag.embedding.base import Embedder, Progress
from rag.errors import RagError, StoreError
from rag.ingestion.indexing import Indexer, Ingested, original_of, reason
from rag.ingestion.loading import documents_in, load_file, load_upload
from rag.ingestion.preparing import prepare, save
from rag.services import open_embedder
from rag.settings import Settings, load_settings, log_to_stderr
from rag.storage.claims import Claim, ClaimLost, Claims
from rag.storage.engine import Database
from rag.storage.jobs import FileStage
from rag.storage.library import DocumentSummary, Library, Original
from rag.supervising import STOP
from rag.types import Document

NICENESS = 10
"""Priority below the server's, whose questions come first."""
PULSE_S = 0.5
"""Pause between two reports of how far a file is."""
PULSE_SHARE = 10
"""A pause is so many times as long as the report before it took: a large file's row is slow to write."""
BUSY_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0)
"""Pauses before a file is begun again that met a busy database; each shorter than claims.SILENT."""
NAMED = 3
"""Documents that a message names at most."""

log = logging.getLogger(__name__)


class Worker:
    """Works off the queued files, one after the other."""

    def __init__(
        self, settings: Settings, database: Database, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._claims = Claims(database)
        self._library = Library(database)
        self._claim: Claim | None = None
        self._claiming = threading.Lock()
        self._leaving = False

    def run(self, embedder: Embedder, say: Callable[[str], object]) -> None:
        """Work until no file is queued; `say` is told each claim, for the case that this process dies."""
        is_tidy = True
        while claim := self._next():
            say(f"{claim.job_id} {claim.position} {claim.attempts}\n")
            is_tidy = self._work_on(claim, embedder) and claim.attempts == 1 and is_tidy
        if not is_tidy:  # vectors that were stored ahead for files that came to nothing
            self._library.drop_unused_vectors()

    def leave(self, *, counted: bool) -> None:
        """Give the file back that is being read; no other one is begun.

        counted: the server ended without notice, perhaps because of this file.
        """
        with self._claiming:
            self._leaving = True
        if claim := self._claim:
            self._claims.give_back(claim.job_id, claim.position, claim.attempts, counted=counted)

    def _next(self) -> Claim | None:
        with self._claiming:
            if self._leaving:
                return None
            self._claim = self._claims.claim()
            return self._claim

    def _work_on(self, claim: Claim, embedder: Embedder) -> bool:
        """Do one file; True when it came to a good end.

        A busy database is not the file's fault: it is begun again after a pause and in the end given back,
        which does not count as an attempt. Raises StoreError then, and for a database that fails.
        """
        for pause in BUSY_PAUSES_S:
            try:
                return self._try(claim, embedder)
            except StoreError as error:
                if not error.retryable:
                    raise
                log.warning("A file is begun again in %d s: %s", pause, error)
                self._sleep(pause)
        try:
            return self._try(claim, embedder)
        except StoreError as error:
            if error.retryable:
                self._claims.give_back(claim.job_id, claim.position, claim.attempts, counted=False)
            raise

    def _try(self, claim: Claim, embedder: Embedder) -> bool:
        try:
            with _Pulse(self._claims, claim) as pulse:
                if claim.kind == "rebuild":
                    self._rebuild(claim, embedder, pulse.step)
                else:
                    self._ingest(claim, embedder, pulse.step)
            return True
        except ClaimLost:
            return False
        except Exception as error:
            if isinstance(error, StoreError) and error.retryable:
                raise
            message, hint = reason(error)
            with suppress(ClaimLost):
                self._claims.finish(claim, "failed", error=message, hint=hint)
            return False

    def _ingest(self, claim: Claim, embedder: Embedder, step: Progress) -> None:
        content = self._claims.content(claim)
        document, page_starts = load_upload(content, claim.name, owner=claim.owner)

        def commit(store: Callable[[Library], Ingested]) -> Ingested:
            with self._claims.holding(claim) as database:
                result = store(Library(database))
                Claims(database).finish(claim, result.status, document_id=result.id, chunks=result.chunks)
                return result

        original = original_of(document, claim.name, content, page_starts)
        indexer = Indexer(self._library, embedder)
        indexer.add(document, original, origin="added", step=step, commit=commit)
        indexer.remember_model()

    def _rebuild(self, claim: Claim, embedder: Embedder, step: Progress) -> None:
        """Read, cut and embed all documents anew; those that an interrupted try got to are done."""
        shipped = self._shipped()
        summaries = self._library.summaries()
        count = len(summaries)
        unread: list[DocumentSummary] = []
        for number, summary in enumerate(summaries):
            step("embedding", number, count)
            stored = self._library.document(summary.id)
            if stored is None or summary.updated_at > claim.created_at:
                continue
            document, original = stored, None
            try:
                if summary.origin == "knowledge" and stored.id in shipped:
                    document = shipped[stored.id]
                else:
                    document, original = self._again(stored)
            except RagError:
                unread.append(summary)
            at = partial(_at_document, step, number, count)
            prepared = prepare(document, self._library, embedder, at, anew=True)
            with self._claims.holding(claim) as database:
                library = Library(database)
                if library.document(stored.id) == stored:  # not removed or replaced meanwhile
                    save(prepared, library, origin=summary.origin, original=original)
        if unread:
            error = f"Of {count} documents, {len(unread)} could only be rebuilt from their stored text"
            titles = [summary.title for summary in unread if not summary.owner][:NAMED]
            error += f", among them {', '.join(titles)}." if titles else "."
            hint = "Upload their files again."
            return self._claims.finish(claim, "failed", done=count, total=count, error=error, hint=hint)
        chunks = sum(summary.chunks for summary in self._library.summaries())
        return self._claims.finish(claim, "updated", done=count, total=count, chunks=chunks)

    def _shipped(self) -> dict[str, Document]:
        """Return the documents of the knowledge folder by id; those that can't be read are left out."""
        folder = self._settings.knowledge_dir
        found = {}
        for path in documents_in([folder] if folder.is_dir() else []):
            try:
                document = load_file(path, folder)
            except RagError:
                continue
            found[document.id] = document
        return found

    def _again(self, stored: Document) -> tuple[Document, Original | None]:
        """Return a document as its file says it today; the stored text where there is no file."""
        original = self._library.original(stored.id)
        if original is None:
            return stored, None
        fresh, page_starts = load_upload(original.content, original.name, owner=stored.owner)
        document = replace(fresh, id=stored.id, topic=stored.topic, path=stored.path)
        return document, replace(original, page_starts=page_starts)


def _at_document(step: Progress, number: int, count: int, *_: object) -> None:
    """Report the progress within a document of a rebuild as that of the documents."""
    step("embedding", number, count)


class _Pulse:
    """Reports how far a file is, at most twice a second, and notices when its claim is lost."""

    def __init__(self, claims: Claims, claim: Claim) -> None:
        self._claims = claims
        self._claim = claim
        self._at: tuple[str, int, int] = ("reading", 0, 0)
        self._is_lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="viva-pulse", daemon=True)

    def __enter__(self) -> _Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def step(self, stage: str, done: int, total: int) -> None:
        """Take note of how far the file is. Raises ClaimLost when it need not be read any further."""
        self._at = (stage, done, total)
        if self._is_lost:
            raise ClaimLost

    def _run(self) -> None:
        told, pause = self._at, PULSE_S
        while not self._over.wait(pause):
            started = time.monotonic()
            now = self._at
            try:
                if now == told:
                    held = self._claims.holds(self._claim)
                else:
                    held = self._claims.report(self._claim, cast(FileStage, now[0]), *now[1:])
            except StoreError:  # busy; the next report tells more anyway
                continue
            self._is_lost = not held
            told = now
            pause = max(PULSE_S, PULSE_SHARE * (time.monotonic() - started))


def _leave_with_the_server(worker: Worker) -> None:
    """Wait for the end of the input, then end this process."""
    told = b""
    while said := os.read(0, 64):  # not through sys.stdin, whose lock would hold up a normal end
        told += said
    try:
        worker.leave(counted=told != STOP)
    except RagError as error:
        log.warning("A file could not be given back: %s", error)
    finally:
        os._exit(0)  # whatever the other threads are at: what is not saved yet never will be


def main() -> int:
    """Work off the queue of the database that the environment names; return the exit code."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this process
    try:
        settings = load_settings()
        log_to_stderr(settings.log_level)
        database = Database(settings.sqlalchemy_url)
        worker = Worker(settings, database)
        threading.Thread(target=_leave_with_the_server, args=(worker,), daemon=True).start()
        worker.run(BackgroundEmbedder(open_embedder(settings, threads=1)), _say)
    except RagError as error:
        log.error("The worker ended: %s %s", error, error.hint)
        return 1
    database.close()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
