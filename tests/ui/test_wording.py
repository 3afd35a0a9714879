"""Numbers as people read them."""

from decimal import Decimal

import pytest

from pages.shared import wording
from rag.types import Claim, Usage
from tests.ui import samples


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (0.4, "under 1 ms"),
        (38.2, "38 ms"),
        (999.4, "999 ms"),
        (999.7, "1.0 s"),
        (2345, "2.3 s"),
        (59_990, "1 min 0 s"),
        (80_000, "1 min 20 s"),
        (119_999, "2 min 0 s"),
    ],
)
def test_durations_have_units(milliseconds, told):
    assert wording.duration(milliseconds) == told


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(cost_usd=Decimal(0)), "free"),
        (Usage(), "price unknown"),
        (Usage(cost_usd=Decimal("0.00071")), "$0.0007"),
        (Usage(cost_usd=Decimal("0.00001")), "under $0.0001"),
        (Usage(cost_usd=Decimal("0.99996")), "$1.00"),
        (Usage(cost_usd=Decimal("1.5")), "$1.50"),
        (Usage(cost_usd=Decimal("0.00071"), estimated=True), "about $0.0007"),
    ],
)
def test_costs_never_show_a_zero_for_what_is_unknown(usage, told):
    assert wording.cost(usage) == told


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(cost_usd=Decimal(0)), "no tokens"),
        (Usage(), "tokens unknown"),
        (Usage(2914, 1024, 212), "2,914 tokens in (1,024 cached), 212 out"),
        (Usage(10, 0, 5, estimated=True), "about 10 tokens in, 5 out"),
    ],
)
def test_tokens_are_told_in_one_phrase(usage, told):
    assert wording.tokens(usage) == told


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({"dense_rank": 1, "lexical_rank": 3}, "rank 1 by meaning, 3 by words"),
        ({"dense_rank": 2, "lexical_rank": None}, "rank 2 by meaning, no shared words"),
        ({"dense_rank": None, "lexical_rank": 4}, "rank 4 by words, not near in meaning"),
    ],
)
def test_ranks_are_words_first(places, told):
    assert wording.ranks(samples.hit(1, **places)) == told


def test_claims_that_were_not_checked_are_not_counted_as_supported():
    assert wording.support((Claim("a", (1,)), Claim("b"))) == "2 claims, 1 cited"


def test_no_claims_need_no_line():
    assert wording.support(()) == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [("system-design", "System design"), ("llms", "LLMs"), ("rag", "RAG"), ("", "Other")],
)
def test_topics_are_written_as_people_write_them(name, told):
    assert wording.topic(name) == told


def test_a_title_inside_a_sentence_begins_small_only_before_a_small_word():
    assert wording.in_sentence("The RAG pipeline") == "the RAG pipeline"
    assert wording.in_sentence("RAG failure modes") == "RAG failure modes"
