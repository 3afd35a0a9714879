"""Reviews that come at the same moment all count: on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from rag.storage.engine import Database
from rag.storage.reviews import Reviews, StoredReview
from tests.contract.test_storage_contract import database, postgres, url

__all__ = ["database", "postgres", "url"]

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def review(question_id: str, quiz_id: str, rating: str = "good") -> StoredReview:
    return StoredReview(question_id, rating, NOON, quiz_id, 0, {"quiz": quiz_id, "rating": rating})


def replay(logs: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], datetime]:
    return {"seen": sorted(log["quiz"] for log in logs)}, NOON + timedelta(days=len(logs))


def at_once(reviews: Reviews, *found: StoredReview) -> None:
    together = Barrier(len(found))

    def record(one: StoredReview) -> None:
        together.wait(timeout=30)
        reviews.record("ann", "agents", one, replay)

    with ThreadPoolExecutor(len(found)) as threads:
        list(threads.map(record, found))


@pytest.fixture
def reviews(database: Database) -> Reviews:
    return Reviews(database)


def test_two_reviews_of_one_question_at_once_both_count(reviews: Reviews) -> None:
    for n in range(8):
        at_once(reviews, review(f"q{n}", f"a{n}"), review(f"q{n}", f"b{n}"))
    cards = reviews.cards("ann")
    assert [card.card["seen"] for card in cards] == [[f"a{n}", f"b{n}"] for n in range(8)]
    assert {card.due_at for card in cards} == {NOON + timedelta(days=2)}


def test_an_answer_that_is_counted_twice_at_once_is_one_review(reviews: Reviews) -> None:
    for n in range(8):
        at_once(reviews, review(f"q{n}", f"quiz-{n}"), review(f"q{n}", f"quiz-{n}"))
    assert [card.card["seen"] for card in reviews.cards("ann")] == [[f"quiz-{n}"] for n in range(8)]
    assert len(reviews.list("ann")) == 8
