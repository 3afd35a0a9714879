"""What kind of answer a question asks for, and which messages need no sources."""

from __future__ import annotations

import pytest

from rag.answering.conversation import (
    ABOUT_REPLY,
    EMPTY_REPLY,
    GOODBYE_REPLY,
    GREETING_REPLY,
    THANKS_REPLY,
    small_talk,
)
from rag.answering.questions import wanted


@pytest.mark.parametrize(
    ("question", "left", "right"),
    [
        ("What is the difference between dense and lexical search?", "dens", "lexic"),
        ("Compare HNSW with IVF", "hnsw", "ivf"),
        ("How does REST differ from GraphQL?", "rest", "graphql"),
        ("offset vs cursor pagination", "offset", "cursor"),
        ("offset vs. cursor pagination", "offset", "cursor"),
        ("Should I choose between Redis and Memcached?", "redi", "memcach"),
        ("Which is safer: threads or processes?", "thread", "process"),
        ("Why use retrieval instead of fine-tuning?", "retriev", "tune"),
    ],
)
def test_a_comparison_names_its_two_sides(question: str, left: str, right: str) -> None:
    sides = wanted(question).sides
    assert sides is not None
    assert left in sides[0]
    assert right in sides[1]


def test_what_both_sides_share_belongs_to_neither() -> None:
    sides = wanted("What is the difference between dense search and lexical search?").sides
    assert sides == (frozenset({"dens"}), frozenset({"lexic"}))


@pytest.mark.parametrize(
    "question",
    [
        "What is chunking?",
        "How do I add and remove documents?",
        "What is the difference between a and a?",
        "",
    ],
)
def test_other_questions_compare_nothing(question: str) -> None:
    assert wanted(question).sides is None


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("What is chunking?", {"chunk"}),
        ("What's a vector index?", {"vector", "index"}),
        ("what are embeddings", {"embed"}),
        ("Define idempotency", {"idempot"}),
        ("Explain prompt injection in simple words", {"prompt", "inject"}),
        ("What is RAG and why does it exist?", {"rag"}),
    ],
)
def test_a_definition_names_its_subject(question: str, subject: set[str]) -> None:
    assert wanted(question).subject == subject


@pytest.mark.parametrize(
    "question", ["What is the difference between A and B?", "Why does RAG exist?", "What is the best index?"]
)
def test_questions_for_something_else_define_nothing(question: str) -> None:
    assert wanted(question).subject == frozenset()


@pytest.mark.parametrize(
    "question", ["Show me code for cosine similarity", "Give me a Python example", "How do I implement BM25?"]
)
def test_a_question_for_code_wants_code(question: str) -> None:
    assert wanted(question).code


@pytest.mark.parametrize("question", ["What is an error message?", "How do status answers work?"])
def test_a_question_without_code_words_wants_no_code(question: str) -> None:
    assert not wanted(question).code


@pytest.mark.parametrize(
    "question", ["How many tokens fit?", "How large is a chunk?", "Which year was it?", "When did it start?"]
)
def test_a_question_for_an_amount_wants_a_number(question: str) -> None:
    assert wanted(question).number


@pytest.mark.parametrize("question", ["How does chunking work?", "When should I use an agent?"])
def test_a_question_for_a_procedure_wants_no_number(question: str) -> None:
    assert not wanted(question).number


@pytest.mark.parametrize("question", ["Why chunk at all?", "What is the purpose of overlap?"])
def test_a_question_for_a_reason_wants_a_reason(question: str) -> None:
    assert wanted(question).reason


@pytest.mark.parametrize(
    "question", ["List the failure modes", "What are the steps?", "Which kinds of agents are there?"]
)
def test_a_question_for_several_things_wants_a_list(question: str) -> None:
    assert wanted(question).several


@pytest.mark.parametrize(
    ("question", "broad"),
    [
        ("What is chunking?", True),
        ("Why does RAG exist?", True),
        ("HNSW vs IVF", True),
        ("Our clients retry and we pay twice.", True),
        ("chunk overlap", True),
        ("How many tokens has a chunk?", False),
        ("Who invented it?", False),
        ("In which year did it start?", False),
    ],
)
def test_one_fact_is_enough_for_narrow_questions_only(question: str, broad: bool) -> None:
    assert wanted(question).broad is broad


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ("hello", GREETING_REPLY),
        ("Good morning, Viva!", GREETING_REPLY),
        ("HEY THERE", GREETING_REPLY),
        ("Thanks a lot!", THANKS_REPLY),
        ("great", THANKS_REPLY),
        ("Bye, see you later", GOODBYE_REPLY),
        ("What can you do?", ABOUT_REPLY),
        ("help", ABOUT_REPLY),
        ("👍🎉", EMPTY_REPLY),
        ("?!", EMPTY_REPLY),
        ("", EMPTY_REPLY),
    ],
)
def test_small_talk_is_answered_from_the_conversation(message: str, reply: str) -> None:
    assert small_talk(message) == reply


@pytest.mark.parametrize(
    "message",
    [
        "Hello, what is chunking?",
        "Thanks, and what does it cost?",
        "good chunk size",
        "How do agents help?",
        "help me choose an index",
        "later binding",
    ],
)
def test_a_question_after_a_greeting_is_searched(message: str) -> None:
    assert small_talk(message) is None
