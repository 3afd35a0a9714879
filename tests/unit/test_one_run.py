"""One long run at a time: who may stop it."""

from __future__ import annotations

from threading import Event

import pytest

from pages.shared.one_run import OneRun
from rag.errors import InvalidInput

BUSY = InvalidInput("Another run is under way.")


def test_a_stop_that_is_meant_for_an_earlier_run_leaves_the_current_one_alone() -> None:
    runs, told, ended = OneRun("test"), Event(), Event()
    seen: list[bool] = []

    def carry_out(run_id: str, stopped: object) -> None:
        told.wait(5)
        seen.append(stopped())
        ended.set()

    assert runs.begin(lambda: "second", carry_out, BUSY) == "second"
    runs.stop("first")
    told.set()
    assert ended.wait(5)
    assert seen == [False]


def test_a_run_is_stopped_by_its_id_and_another_can_not_begin_before() -> None:
    runs, ended = OneRun("test"), Event()

    def carry_out(run_id: str, stopped: object) -> None:
        told.wait(5)
        if stopped():
            ended.set()

    told = Event()
    runs.begin(lambda: "only", carry_out, BUSY)
    with pytest.raises(InvalidInput):
        runs.begin(lambda: "other", carry_out, BUSY)
    runs.stop("only")
    told.set()
    assert ended.wait(5)
