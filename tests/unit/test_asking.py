"""What people and scripts send instead of a question gives a clear refusal or an ordinary answer."""

from __future__ import annotations

import pytest

from rag.answering.asking import checked_filters, checked_question, parse_ask
from rag.errors import InvalidInput
from rag.services import Services
from rag.types import Filters, Turn
from tests.asking import answered

TOPICS = ["agents", "backend", "rag", "security"]
DOCUMENTS = ["chunking", "why-rag"]


@pytest.mark.parametrize("question", ["", "   ", "\n\t\n", "\0\0", "\u00a0\u2003"])
def test_an_empty_question_is_refused(question: str) -> None:
    with pytest.raises(InvalidInput, match=r"^The question is empty\.$"):
        parse_ask({"question": question}).ask(TOPICS, DOCUMENTS)


def test_a_question_of_100_000_characters_is_refused_with_its_length() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_ask({"question": "a" * 100_000}).ask(TOPICS, DOCUMENTS)
    assert str(refused.value) == "The question has 100,000 characters; at most 4,000 can be asked."
    assert "add long texts to the library" in refused.value.hint


def test_a_question_of_4000_characters_is_accepted() -> None:
    assert checked_question("a" * 4000) == "a" * 4000


def test_surrounding_space_and_null_characters_are_removed() -> None:
    assert checked_question("  What is\0 RAG?\n") == "What is RAG?"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "`question`"),
        ({"question": 5}, "`question`"),
        ({"question": None}, "`question`"),
        ({"question": "x", "history": "no"}, "`history`"),
        ({"question": "x", "history": [{"answer": "no question"}]}, "`history.0.question`"),
    ],
)
def test_a_bad_field_is_named(values: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_ask(values)
    assert str(refused.value).startswith(f"{named} is not valid: ")


def test_input_becomes_an_ask_with_history_and_filters() -> None:
    ask = parse_ask(
        {
            "question": " And why? ",
            "history": [{"question": "What is RAG?", "answer": "Search."}, {"question": "Hm?"}],
            "topic": "rag",
            "document": ["why-rag"],
            "unknown": "ignored",
        }
    ).ask(TOPICS, DOCUMENTS)
    assert ask.question == "And why?"
    assert ask.history == (Turn("What is RAG?", "Search."), Turn("Hm?", ""))
    assert ask.filters == Filters(frozenset({"rag"}), frozenset({"why-rag"}))


def test_an_unknown_topic_suggests_the_nearest() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_ask({"question": "x", "topic": "securty"}).ask(TOPICS, DOCUMENTS)
    assert str(refused.value) == "The library has no topic 'securty'."
    assert refused.value.hint == "Did you mean security?"


def test_an_unknown_document_suggests_the_nearest() -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_filters([], ["chunkin"], TOPICS, DOCUMENTS)
    assert str(refused.value) == "The library has no document 'chunkin'."
    assert refused.value.hint == "Did you mean chunking?"


def test_a_name_like_no_other_points_to_the_list() -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_filters(["zzzz"], [], TOPICS, DOCUMENTS)
    assert refused.value.hint == "`python -m rag documents` lists what there is."


@pytest.mark.parametrize("question", ["👍", "🎉🎉🎉", "???", "…", "---"])
def test_emoji_and_signs_get_a_request_for_words(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert answer.basis == "conversation"
    expected = "I found no words in this that I could search for. Please ask a question in words."
    assert answer.text == expected


@pytest.mark.parametrize(
    "question",
    [
        "Wie koche ich Nudeln?",
        "Как приготовить борщ?",
        "パスタの作り方は？",
        "كيف أطبخ المعكرونة؟",
        "def f(x): return x",
        "<script>alert(1)</script>",
        "![x](http://e.example/a.png)",
        "\\[1] [2.3] $$x$$",
    ],
)
def test_what_is_no_question_about_the_library_is_refused_without_text(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert (answer.outcome, answer.text) == ("not_in_kb", "The sources do not answer this.")
    assert answer.citations == ()


@pytest.mark.parametrize(
    "question",
    [
        "<b>What is chunking?</b>",
        "![What is chunking?](https://e.example/x.png)",
        "[What is chunking?](https://e.example/x)",
        "**What is chunking?** 🤔",
        "WHAT IS CHUNKING???",
        "What\nis\r\nchunking?",
    ],
)
def test_markup_around_a_question_changes_nothing_and_is_not_repeated(viva: Services, question: str) -> None:
    answer = answered(viva, question)
    assert answer.outcome == "answered"
    assert answer.text.startswith("Chunking is the step that splits documents into smaller passages")
    assert "e.example" not in answer.text


def test_code_as_a_question_is_answered_from_sources_that_are_quoted_exactly(viva: Services) -> None:
    answer = answered(viva, "```python\nasync def f():\n    await g()\n```")
    assert answer.citations[0].document_id == "async-python"


def test_the_longest_question_is_answered_like_any_other(viva: Services) -> None:
    story = (f"Our handbook number {n} has long pages that we split before embedding." for n in range(60))
    question = f"What is chunking, and how large should a chunk be? {' '.join(story)}"[:4000]
    answer = answered(viva, question)
    assert answer.citations[0].document_id == "chunking"
