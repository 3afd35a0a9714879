"""The answers without a model: quotations only, each exact, or an honest refusal."""

from __future__ import annotations

import pytest

from rag.services import Services
from rag.types import Completed, Filters, Retrieved, TextDelta, Turn
from tests.asking import LibraryOf, answered, events

QUESTIONS = [
    "What is chunking?",
    "What is the difference between dense and lexical search?",
    "Why do agents fail?",
    "How large should a chunk be?",
    "List the failure modes of RAG",
    "How do I defend against prompt injection?",
    "Which HTTP status codes should clients retry?",
    "Show me a code example for cosine similarity in Python",
    "How does HNSW work with quantum annealing?",
    "Our users pay twice when a request is retried. What can we do?",
]


@pytest.mark.parametrize("message", ["Hello!", "Thanks a lot", "👍", "bye", "what can you do?"])
def test_small_talk_is_answered_without_a_search(viva: Services, message: str) -> None:
    delta, completed = events(viva, message)
    assert isinstance(delta, TextDelta)
    assert isinstance(completed, Completed)
    assert completed.answer.text == delta.text
    assert completed.answer.basis == "conversation"
    assert completed.answer.retrieval is None
    assert completed.answer.searched_for == ""


@pytest.mark.parametrize("question", ["What is the capital of France?", "how do I cook pasta"])
def test_an_off_topic_question_is_refused_with_the_nearest_topics(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert answer.outcome == "not_in_kb"
    assert answer.text == "The sources do not answer this."
    assert (answer.citations, answer.claims) == ((), ())
    assert answer.retrieval is not None
    assert not answer.retrieval.sufficient
    titles = {summary.title for summary in viva.library.summaries()}
    assert len(answer.retrieval.nearest_topics) == 3
    assert titles.issuperset(answer.retrieval.nearest_topics)


def test_a_partial_answer_names_the_words_that_are_missing(viva: Services) -> None:
    answer = answered(viva, "How does HNSW work with quantum annealing?")
    assert answer.outcome == "partial"
    assert answer.missing == "anything about “quantum”, “annealing”"
    assert {citation.document_id for citation in answer.citations} == {"vector-indexes"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_quotation_is_the_text_of_its_span(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert answer.citations
    for citation in answer.citations:
        document = viva.document(citation.document_id)
        assert document is not None
        assert citation.quote == document.text[citation.start : citation.end]


@pytest.mark.parametrize("question", QUESTIONS)
def test_quotations_support_themselves(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert {claim.support for claim in answer.claims} == {"supported"}
    assert [claim.markers for claim in answer.claims] == [(c.marker,) for c in answer.citations]


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_sentence_is_quoted_twice(viva: Services, question: str) -> None:
    quotes = [citation.quote for citation in answered(viva, question).citations]
    assert len(quotes) == len(set(quotes))


@pytest.mark.parametrize("question", QUESTIONS)
def test_markers_count_from_one_and_stand_in_the_text_in_order(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    markers = [citation.marker for citation in answer.citations]
    assert markers == list(range(1, len(markers) + 1))
    places = [answer.text.index(f"[{marker}]") for marker in markers]
    assert places == sorted(places)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_stream_is_the_search_then_the_text_then_the_answer(viva: Services, question: str) -> None:
    first, *deltas, last = events(viva, question)
    assert isinstance(first, Retrieved)
    assert {type(delta) for delta in deltas} == {TextDelta}
    assert isinstance(last, Completed)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == last.answer.text
    assert last.answer.retrieval == first.retrieval


def test_a_refusal_streams_the_same_events(viva: Services) -> None:
    kinds = [type(event) for event in events(viva, "What is the capital of France?")]
    assert kinds == [Retrieved, TextDelta, Completed]


def test_a_topic_filter_keeps_other_topics_out(viva: Services) -> None:
    filters = Filters(topics=frozenset({"security"}))
    answer = answered(viva, "How do I protect a system against attacks?", filters=filters)
    assert answer.retrieval is not None
    assert {hit.topic for hit in answer.retrieval.hits} == {"security"}
    assert {citation.document_id for citation in answer.citations} <= {"data-privacy", "prompt-injection"}


def test_a_document_filter_keeps_other_documents_out(viva: Services) -> None:
    answer = answered(viva, "What is RAG?", filters=Filters(document_ids=frozenset({"why-rag"})))
    assert answer.outcome == "answered"
    assert {citation.document_id for citation in answer.citations} == {"why-rag"}


def test_a_follow_up_says_what_it_was_searched_as(viva: Services) -> None:
    history = (Turn("What is chunking?", "Chunking splits documents."),)
    answer = answered(viva, "Why does it matter?", history=history)
    assert answer.searched_for == "Why does chunking matter?"
    assert answer.citations[0].document_id == "chunking"


def test_what_to_search_for_can_be_given(viva: Services) -> None:
    answer = answered(viva, "Why does it matter?", searched_for="What is prompt injection?")
    assert answer.searched_for == "What is prompt injection?"
    assert answer.citations[0].document_id == "prompt-injection"


def test_a_question_for_code_quotes_the_fence(viva: Services) -> None:
    answer = answered(viva, "Show me a code example for cosine similarity in Python")
    fences = [citation for citation in answer.citations if citation.quote.startswith("```python")]
    assert [fence.document_id for fence in fences] == ["embeddings"]
    assert f"{fences[0].quote}\n\n[{fences[0].marker}]" in answer.text


def test_an_answer_costs_nothing_and_keeps_its_trace_id(viva: Services) -> None:
    answer = answered(viva, "What is chunking?", trace_id="t-1")
    assert (answer.provider, answer.model, answer.trace_id) == ("embedded", "", "t-1")
    assert answer.usage.cost_usd == 0
    assert answer.timings_ms["total"] >= answer.timings_ms["first_token"] > 0


def test_the_same_question_gives_the_same_answer(viva: Services) -> None:
    first, second = (answered(viva, "Why do agents fail?") for _ in range(2))
    assert (first.text, first.citations) == (second.text, second.citations)


def test_an_answer_knows_the_sentences_that_stood_to_choice(library_of: LibraryOf) -> None:
    text = "# Bees\n\nBees make honey in summer. A hive holds one queen.\n"
    services = library_of({"bees.md": text, "tax.md": "# Tax\n\nTaxes are due in April."})
    answer = answered(services, "What do bees make in summer?")
    assert [text[span.start : span.end] for span in answer.sent if span.document_id == "bees"] == [
        "Bees make honey in summer.",
        "A hive holds one queen.",
    ]
    places = {(span.document_id, span.start, span.end) for span in answer.sent}
    assert {(c.document_id, c.start, c.end) for c in answer.citations} <= places
