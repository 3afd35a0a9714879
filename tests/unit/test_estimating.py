"""What a quiz is said to take before it starts."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rag.providers.choice import ModelChoice
from rag.quiz.estimating import estimate
from rag.quiz_types import QuizRequest
from rag.storage.engine import Database
from rag.storage.ledger import CallRecord, Ledger
from rag.types import Usage
from tests.quizzing import POOL, Judge, SmallPool, sessions_on
from tests.unit.test_sessions import taken

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OPEN = QuizRequest(n=4, kind="open")


def test_without_a_model_a_quiz_is_free():
    found = estimate(OPEN, ModelChoice("embedded"), [])
    assert (found.model_calls, found.cost_usd, found.follow_ups) == (0, Decimal(0), 4)


def test_multiple_choice_needs_no_model_and_has_no_follow_ups():
    found = estimate(QuizRequest(n=4, kind="mcq"), ModelChoice("openai"), [])
    assert (found.minutes, found.model_calls, found.follow_ups) == (4, 0, 0)


@pytest.mark.parametrize("mode", ["practice", "interview"])
def test_every_question_may_be_open_where_both_kinds_may_come(mode):
    found = estimate(QuizRequest(n=5, mode=mode), ModelChoice("openai"), [])
    assert (found.follow_ups, found.model_calls) == (5, 10)


def test_an_interview_without_multiple_choice_keeps_within_its_estimate(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    pool = SmallPool([question for question in POOL if question.kind == "open"])
    sessions, wish = sessions_on(database, pool=pool), QuizRequest(n=5, mode="interview")
    finished = taken(sessions, sessions.start(wish, "ann"), Judge("missing"))
    database.close()
    follow_ups = sum(item.follow_up_of is not None for item in finished.items)
    assert follow_ups <= estimate(wish, ModelChoice("openai"), []).follow_ups


def test_a_review_has_no_follow_ups():
    found = estimate(QuizRequest(n=4, mode="review"), ModelChoice("openai"), [])
    assert (found.follow_ups, found.model_calls) == (0, 4)


def test_the_cost_is_that_of_the_last_gradings_with_this_model(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'viva.db'}")
    ledger = Ledger(database, lambda: NOW)
    for model, cost in (("gpt-4.1-mini", "0.002"), ("gpt-4.1-mini", "0.004"), ("other", "9")):
        call = ledger.open(CallRecord("quiz", "grade", "openai", model))
        ledger.settle(call, "completed", Usage(900, 0, 90, Decimal(cost)), 500.0)
    found = estimate(OPEN, ModelChoice("openai"), ledger.calls())
    database.close()
    assert (found.model_calls, found.cost_usd) == (8, Decimal("0.024"))


def test_a_price_that_nobody_knows_stays_unknown():
    choice = ModelChoice("openai_compatible", "llama", "http://127.0.0.1:9/v1")
    assert estimate(OPEN, choice, []).cost_usd is None
