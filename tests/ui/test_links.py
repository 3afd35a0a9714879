"""Addresses of cited sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.links import Place, own_source_url, place, source_params, source_url


@given(st.text(min_size=1), st.integers(0, 10**6), st.integers(0, 10**6), st.text())
def test_a_link_leads_back_to_the_place_it_was_made_for(document_id, start, end, words):
    params = source_params(document_id, start, end, words)
    assert place(params) == Place(document_id, start, end, params["check"])


def test_a_link_names_the_answer_whose_evidence_is_shown():
    params = source_params("a", 1, 2, "w", "0123456789abcdef")
    assert place(params).trace == "0123456789abcdef"
    assert own_source_url(source_url("a", 1, 2, "w", "0123456789abcdef")).endswith("&trace=0123456789abcdef")


def test_what_is_no_trace_id_is_left_out():
    assert place({"doc": "a", "trace": "<script>"}).trace == ""


def test_a_link_holds_no_sign_that_could_end_it():
    assert source_url('a) "b" ![x](y)', 1, 2, "w").startswith(
        "/sources?doc=a%29%20%22b%22%20%21%5Bx%5D%28y%29&"
    )


def test_a_place_holds_only_where_the_words_still_stand():
    found = place(source_params("a", 4, 9, "fives"))
    assert found.holds_in("the fives")
    assert not found.holds_in("the fours")
    assert not found.holds_in("the fiv")


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/sources?doc=a",
        "//evil.example/sources?doc=a",
        "/sources",
        "/sources/?doc=a",
        "/other?doc=a",
        "sources?doc=a",
        "/sources?doc=a#x",
        "javascript:/sources?doc=a",
    ],
)
def test_other_addresses_are_not_ours(href):
    assert own_source_url(href) is None
