"""What the quizzes of one person say is read once, and follows what they take back."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rag.quiz_types import QuizRequest, Response
from rag.services import Services
from tests.unit.test_pool import knowledge, services

__all__ = ["knowledge", "services"]


@pytest.fixture
def quiz_id(services: Services) -> str:
    """A quiz of ann with one answer."""
    quiz_id = services.study.sessions.start(QuizRequest(n=1, kind="mcq"), "ann")
    services.study.sessions.submit(quiz_id, "ann", 0, Response(option=0))
    return quiz_id


def test_a_report_counts_until_it_is_taken_back(services: Services, quiz_id: str) -> None:
    study = services.study
    study.sessions.report(quiz_id, "ann", 0, "Unclear.")
    assert study.progress("ann").measures.reported.n == 1
    study.questions.unreport("ann", "ivf-mcq-01")
    assert study.progress("ann").measures.reported.n == 0


def test_days_are_those_of_each_time_zone_and_quizzes_are_read_once_for_all(
    services: Services, quiz_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = services.study
    reads: list[Any] = []
    listed = study.sessions.list
    monkeypatch.setattr(study.sessions, "list", lambda *options: reads.append(options) or listed(*options))
    days = {
        zone: study.progress("ann", ZoneInfo(zone)).streak.by_day[0][0]
        for zone in ("Etc/GMT-12", "Etc/GMT+12")
    }
    study.scheduling.weak_topics("ann")
    assert (days["Etc/GMT-12"] - days["Etc/GMT+12"]).days == 1
    assert len(reads) == 1
