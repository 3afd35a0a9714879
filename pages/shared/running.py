"""Answers that are being written: each in a thread of its own, so that pages can come and go.

A page only watches. Leaving it, reloading it or opening it twice neither stops nor repeats the model
call; the answer ends up in the database in any case.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from pages.shared.failures import report
from rag.errors import RagError, StoreError
from rag.storage.conversations import Conversations
from rag.types import FREE, Answer, AnswerEvent, Completed, Retrieval, Retrieved, TextDelta, Usage

log = logging.getLogger(__name__)

STOPS_WITHIN_S = 1.5
"""How long a stopped stream may take to finish itself."""
SAVE_EVERY_S = 1.0
"""Least time between two saves of a text in progress; each is a commit."""


class Running:
    """One answer on its way from the model to the database."""

    def __init__(
        self,
        answer_id: str,
        blank: Answer,
        stream: Callable[[], Iterator[AnswerEvent]],
        conversations: Conversations,
        stopping: threading.Event,
    ) -> None:
        """`blank` is what is stored if the answer does not come: its model, its trace id, no text.

        `stopping` is what the stream asks whether it shall end.
        """
        self.answer_id = answer_id
        self.text = ""
        self.retrieval: Retrieval | None = None
        self.answer: Answer | None = None
        """None until the answer is finished, stopped or has failed."""
        self.started = time.monotonic()
        self._blank = blank
        self._stream = stream
        self._conversations = conversations
        self._stopping = stopping
        self._settling = threading.Lock()
        self._settled = threading.Event()
        threading.Thread(target=self._run, name=f"answer-{answer_id[:8]}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True when the answer is settled."""
        return self._settled.wait(seconds)

    def stop(self) -> None:
        """End the answer with the text so far, its citations and what it cost.

        A stream that does not end in time is settled for its text alone.
        """
        self._stopping.set()
        if not self._settled.wait(STOPS_WITHIN_S):
            self._settle(self._cut("You stopped this answer."))

    def _run(self) -> None:
        try:
            self._follow(self._stream())
        except RagError as error:
            log.warning("Answer %s failed: %s", self._blank.trace_id, type(error).__name__)
            self._settle(self._cut(" ".join(filter(None, (str(error), error.hint)))))
        except Exception as error:
            report(error, self._blank.trace_id)
            self._settle(self._cut("Something went wrong inside Viva. Try again."))
        finally:
            self._settle(self._cut("The answer ended before it was finished. Try again."))

    def _follow(self, events: Iterator[AnswerEvent]) -> None:
        saved = time.monotonic()
        for event in events:
            if self._settled.is_set():
                close = getattr(events, "close", None)
                if close:
                    close()
                return
            match event:
                case Retrieved(retrieval):
                    self.retrieval = retrieval
                case TextDelta(text):
                    self.text += text
                    if time.monotonic() - saved >= SAVE_EVERY_S:
                        self._save()
                        saved = time.monotonic()
                case Completed(answer):
                    self._settle(answer)

    def _save(self) -> None:
        """Store the text so far; a database that is busy for a while must not end the answer."""
        try:
            self._conversations.save_partial(self.answer_id, self.text)
        except StoreError as error:
            log.warning("The text of answer %s so far: %s", self._blank.trace_id, type(error).__name__)

    def _cut(self, note: str) -> Answer:
        """Return the answer as it stands now."""
        usage = FREE if self._blank.provider == "embedded" else Usage(estimated=True)
        total = {"total": (time.monotonic() - self.started) * 1000}
        return replace(
            self._blank,
            text=self.text,
            retrieval=self.retrieval,
            searched_for=self.retrieval.query if self.retrieval else "",
            usage=usage,
            timings_ms=total,
            note=note,
        )

    def _settle(self, answer: Answer) -> None:
        """Store the answer unless it is settled already; the first one counts."""
        with self._settling:
            if self._settled.is_set():
                return
            try:
                self._conversations.complete(self.answer_id, answer)
            except StoreError as error:  # e.g. the conversation was deleted meanwhile
                log.warning("Answer %s could not be stored: %s", answer.trace_id, error)
                answer = replace(answer, note=" ".join(filter(None, (str(error), error.hint))))
            self.answer = answer
            with _lock:
                _running.pop(self.answer_id, None)
            self._settled.set()


_lock = threading.Lock()
_running: dict[str, Running] = {}


def begin(
    answer_id: str,
    blank: Answer,
    stream: Callable[[], Iterator[AnswerEvent]],
    conversations: Conversations,
    stopping: threading.Event | None = None,
) -> Running:
    """Start writing an answer; `stopping` is set when it is stopped."""
    with _lock:
        running = Running(answer_id, blank, stream, conversations, stopping or threading.Event())
        _running[answer_id] = running
    return running


def being_written() -> dict[str, Running]:
    """Return by id the answers that are being written in this process.

    Take this before reading answers from the database: one that is not in it is complete there.
    """
    with _lock:
        return dict(_running)
