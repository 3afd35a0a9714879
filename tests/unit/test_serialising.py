"""Answers survive the way to JSON and back, whatever is in them."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rag.storage.serialising import (
    answer_from_json,
    answer_to_json,
    contract_answer,
    hit_to_json,
    retrieval_to_json,
)
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Filters,
    Hit,
    Retrieval,
    RetrievalConfig,
    SentSpan,
    Usage,
)

words = st.text()
numbers = st.integers(0, 10**9)
floats = st.floats(allow_nan=False, allow_infinity=False)
timings = st.dictionaries(words, floats, max_size=3)
lists = st.lists(words, max_size=3).map(tuple)
costs = st.none() | st.decimals(0, 1_000, allow_nan=False, places=None)
chunks = st.builds(Chunk, words, words, lists, numbers, numbers, words, numbers)
hits = st.builds(
    Hit,
    chunks,
    words,
    words,
    numbers,
    floats,
    st.none() | numbers,
    st.none() | floats,
    st.none() | numbers,
    st.none() | floats,
    lists,
    st.none() | words,
)
filters = st.builds(Filters, st.frozensets(words, max_size=3), st.frozensets(words, max_size=3), words)
configs = st.builds(
    RetrievalConfig, numbers, numbers, floats, st.sampled_from(["flat", "ivf", "hnsw"]), numbers
)
retrievals = st.builds(
    Retrieval,
    words,
    st.lists(hits, max_size=2).map(tuple),
    st.booleans(),
    st.booleans(),
    floats,
    floats,
    floats,
    lists,
    lists,
    filters,
    configs,
    timings,
)
claims = st.builds(
    Claim,
    words,
    st.lists(numbers, max_size=3).map(tuple),
    st.sampled_from(["supported", "partial", "unsupported", "unchecked"]),
    words,
)
citations = st.builds(Citation, numbers, words, words, words, numbers, numbers, words)
usages = st.builds(Usage, numbers, numbers, numbers, costs, st.booleans())
answers = st.builds(
    Answer,
    outcome=st.sampled_from(["answered", "partial", "not_in_kb", "interrupted"]),
    text=words,
    basis=st.sampled_from(["quotes", "passages", "general_knowledge", "conversation"]),
    claims=st.lists(claims, max_size=2).map(tuple),
    citations=st.lists(citations, max_size=2).map(tuple),
    retrieval=st.none() | retrievals,
    searched_for=words,
    usage=usages,
    timings_ms=timings,
    provider=words,
    model=words,
    trace_id=words,
    missing=words,
    note=words,
    dropped_markers=numbers,
    dropped_passages=numbers,
    sent=st.lists(st.builds(SentSpan, words, numbers, numbers), max_size=2).map(tuple),
)


@given(answers)
def test_an_answer_comes_back_from_json_as_it_was(answer: Answer) -> None:
    again = answer_from_json(json.loads(json.dumps(answer_to_json(answer))))
    assert again == answer
    assert str(again.usage.cost_usd) == str(answer.usage.cost_usd)
    assert list(again.timings_ms) == list(answer.timings_ms)


@given(answers)
def test_an_answer_in_the_form_for_people_can_be_read_too(answer: Answer) -> None:
    again = answer_from_json(json.loads(json.dumps(contract_answer(answer))))
    assert again.citations == answer.citations
    assert (again.usage.cost_usd is None) == (answer.usage.cost_usd is None)


CHUNK = Chunk("rag-1", "rag", ("Retrieval",), 8, 26, "Chunks überlappen.", 5)
HIT = Hit(CHUNK, "Retrieval", "RAG", 1, 0.03, 2, 0.8, None, None, ("chunk",), "beyond the top 6")
RETRIEVAL = Retrieval(
    "chunks?",
    (HIT,),
    True,
    False,
    2.5,
    0.8,
    0.5,
    ("x",),
    ("RAG",),
    Filters(frozenset({"b", "a"}), reader="ada@example.org"),
    RetrievalConfig(8, 60, 0.5, "hnsw", 64),
    {"embed": 2.5},
)
ANSWER = Answer(
    "partial",
    "Chunks overlap [1].",
    "passages",
    (Claim("Chunks overlap.", (1,), "supported"),),
    (Citation(1, "rag-1", "rag", "Retrieval", 8, 26, "Chunks überlappen."),),
    RETRIEVAL,
    "chunks?",
    Usage(900, 100, 20, Decimal("0.0001234500"), True),
    {"first_token": 400.0, "total": 900.5},
    "openai",
    "gpt-5-mini",
    "t1",
    "how far",
    "Stopped.",
    1,
    2,
    (SentSpan("rag", 8, 26),),
)
HIT_JSON = {
    "rank": 1,
    "chunk_id": "rag-1",
    "document_id": "rag",
    "title": "Retrieval",
    "topic": "RAG",
    "heading_path": ["Retrieval"],
    "start": 8,
    "end": 26,
    "text": "Chunks überlappen.",
    "tokens": 5,
    "score": 0.03,
    "dense_rank": 2,
    "dense_score": 0.8,
    "lexical_rank": None,
    "lexical_score": None,
    "matched_terms": ["chunk"],
    "cut": "beyond the top 6",
}
TRACE_JSON = {
    "query": "chunks?",
    "sufficient": True,
    "borderline": False,
    "margin": 2.5,
    "best_cosine": 0.8,
    "word_cover": 0.5,
    "missing_terms": ["x"],
    "nearest_topics": ["RAG"],
    "filters": {"topics": ["a", "b"], "document_ids": []},
    "config": {"top_k": 8, "candidates": 60, "words_weight": 0.5, "index": "hnsw", "effort": 64},
    "timings_ms": {"embed": 2.5},
}


def test_the_form_of_an_answer_is_the_published_one() -> None:
    assert contract_answer(ANSWER) == {
        "outcome": "partial",
        "answer": "Chunks overlap [1].",
        "basis": "passages",
        "claims": [{"text": "Chunks overlap.", "markers": [1], "support": "supported", "reason": ""}],
        "citations": [
            {
                "marker": 1,
                "chunk_id": "rag-1",
                "document_id": "rag",
                "title": "Retrieval",
                "start": 8,
                "end": 26,
                "quote": "Chunks überlappen.",
            }
        ],
        "hits": [HIT_JSON],
        "retrieval": TRACE_JSON,
        "searched_for": "chunks?",
        "usage": {
            "input_tokens": 900,
            "cached_input_tokens": 100,
            "output_tokens": 20,
            "cost_usd": 0.00012345,
            "estimated": True,
        },
        "timings_ms": {"first_token": 400.0, "total": 900.5},
        "provider": "openai",
        "model": "gpt-5-mini",
        "trace_id": "t1",
        "missing": "how far",
        "note": "Stopped.",
        "dropped_markers": 1,
        "dropped_passages": 2,
        "sent": [["rag", 8, 26]],
    }


def test_who_asked_is_stored_and_never_handed_out() -> None:
    assert answer_to_json(ANSWER)["retrieval"]["filters"]["reader"] == "ada@example.org"
    assert "ada@example.org" not in json.dumps([contract_answer(ANSWER), retrieval_to_json(RETRIEVAL)])


def test_the_stored_cost_keeps_every_digit() -> None:
    assert answer_to_json(ANSWER)["usage"]["cost_usd"] == "0.0001234500"


def test_an_unknown_price_is_null_and_a_free_answer_costs_zero() -> None:
    unknown = Answer("answered", "Yes.", "passages", usage=Usage(cost_usd=None))
    assert contract_answer(unknown)["usage"]["cost_usd"] is None
    assert contract_answer(Answer("answered", "Yes.", "quotes"))["usage"]["cost_usd"] == 0.0


def test_an_answer_without_a_search_has_no_hits_and_no_trace() -> None:
    greeting = answer_to_json(Answer("answered", "Hello!", "conversation"))
    assert (greeting["hits"], greeting["retrieval"]) == ([], None)
    assert answer_from_json(greeting).retrieval is None


def test_a_search_has_its_hits_and_its_trace() -> None:
    assert hit_to_json(HIT) == HIT_JSON
    assert retrieval_to_json(RETRIEVAL) == TRACE_JSON | {"hits": [HIT_JSON]}


def test_what_an_older_program_left_out_gets_its_default() -> None:
    found = answer_from_json(
        {
            "outcome": "answered",
            "answer": "Yes [1].",
            "claims": [{"text": "Yes."}],
            "citations": [{"marker": 1}],
            "hits": [{"chunk_id": "c"}],
            "retrieval": {"query": "q"},
            "usage": {"input_tokens": 3},
        }
    )
    chunk = Chunk("c", "", (), 0, 0, "", 0)
    assert found == Answer(
        "answered",
        "Yes [1].",
        "passages",
        (Claim("Yes."),),
        (Citation(1, "", "", "", 0, 0, ""),),
        Retrieval("q", (Hit(chunk, "", "", 0, 0.0),)),
        usage=Usage(3),
    )


def test_an_empty_object_is_an_interrupted_answer() -> None:
    assert answer_from_json({}).outcome == "interrupted"


def test_what_a_newer_program_added_is_ignored() -> None:
    newer = answer_to_json(ANSWER) | {"mood": "good"}
    newer["retrieval"]["config"]["colour"] = "red"
    newer["citations"][0]["colour"] = "red"
    assert answer_from_json(newer) == ANSWER


def test_every_field_of_an_answer_is_written() -> None:
    renamed = {"text": "answer"}
    names = {renamed.get(field.name, field.name) for field in fields(Answer)}
    assert answer_to_json(ANSWER).keys() == names | {"hits"}
