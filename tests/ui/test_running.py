"""Answers that are written while pages come and go."""

import threading
import time
from types import SimpleNamespace

from pages.shared import running
from rag.errors import StoreError
from rag.types import Answer, Completed, TextDelta

BLANK = Answer("interrupted", "", "passages", provider="openai", model="m", trace_id="t1")


class Kept:
    """Records what would be stored."""

    def __init__(self):
        self.partial = []
        self.final = []

    def save_partial(self, answer_id, text):
        self.partial.append(text)

    def complete(self, answer_id, answer):
        self.final.append(answer)


def begin(events, kept):
    return running.begin("a1", BLANK, events, kept)


def test_a_finished_answer_is_stored_and_no_longer_running():
    kept = Kept()
    whole = Answer("answered", "ab", "passages")
    written = begin(lambda: iter([TextDelta("a"), TextDelta("b"), Completed(whole)]), kept)
    assert written.wait(2)
    assert kept.final == [whole]
    assert running.being_written() == {}


def test_stopping_keeps_the_text_so_far_and_ends_the_stream():
    kept, closed, go_on = Kept(), threading.Event(), threading.Event()

    def events():
        try:
            yield TextDelta("so far")
            go_on.wait(2)
            yield TextDelta(" and more")
        finally:
            closed.set()

    written = begin(events, kept)
    while not written.text:
        time.sleep(0.01)
    written.stop()
    go_on.set()
    assert closed.wait(2)
    assert [(answer.outcome, answer.text) for answer in kept.final] == [("interrupted", "so far")]
    assert kept.final[0].usage.cost_usd is None


def test_a_stream_that_just_ends_is_not_taken_for_a_whole_answer():
    kept = Kept()
    assert begin(lambda: iter([TextDelta("half")]), kept).wait(2)
    assert (kept.final[0].outcome, kept.final[0].text) == ("interrupted", "half")


def test_text_in_progress_is_saved_about_once_a_second(monkeypatch):
    kept = Kept()
    monkeypatch.setattr(running, "SAVE_EVERY_S", 0.05)

    def events():
        for _ in range(20):
            time.sleep(0.01)
            yield TextDelta("x")

    started = time.monotonic()
    assert begin(events, kept).wait(10)
    assert 1 <= len(kept.partial) <= (time.monotonic() - started) / running.SAVE_EVERY_S


def test_a_busy_database_does_not_end_an_answer_in_progress(monkeypatch):
    class Busy(Kept):
        def save_partial(self, answer_id, text):
            super().save_partial(answer_id, text)
            raise StoreError("The database is busy.")

    kept, whole = Busy(), Answer("answered", "ab", "passages")
    monkeypatch.setattr(running, "SAVE_EVERY_S", 0.0)
    assert begin(lambda: iter([TextDelta("a"), TextDelta("b"), Completed(whole)]), kept).wait(10)
    assert (kept.partial, kept.final) == (["a", "ab"], [whole])


def test_a_conversation_deleted_meanwhile_does_no_harm():
    def gone(*_):
        raise StoreError("This conversation is no longer there.", hint="Start a new one.")

    written = begin(lambda: iter([TextDelta("x")]), SimpleNamespace(save_partial=gone, complete=gone))
    assert written.wait(2)
    assert "no longer there" in written.answer.note
