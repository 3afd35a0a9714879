"""Follow-ups become standalone questions, self-contained ones stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.answering.condensing import accepted, shortened
from rag.answering.follow_ups import condense_offline
from rag.answering.references import stands_alone
from rag.settings import ChatSettings
from rag.text.words import stems
from rag.types import Turn

GOLDEN = Path(__file__).parents[1] / "golden"


def condensed(*questions: str) -> str:
    """Return the last question, condensed with the ones before it."""
    return condense_offline(questions[-1], [Turn(question, "") for question in questions[:-1]])


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        (("What is HNSW?", "What does it cost in memory?"), "What does HNSW cost in memory?"),
        (("What is HNSW?", "What are its parameters?"), "What are HNSW’s parameters?"),
        (("What are embeddings?", "How are they stored?"), "How are embeddings stored?"),
        (("What is a cache stampede?", "how do I prevent that?"), "how do I prevent a cache stampede?"),
        (
            ("What is prompt injection?", "Does this approach scale?"),
            "Does this approach scale (prompt injection)?",
        ),
        (("What is a vector database?", "Do I need one?"), "Do I need a vector database?"),
        (
            ("Explain RAG vs fine-tuning", "When is the latter better?"),
            "When is the latter better (RAG, fine-tuning)?",
        ),
    ],
)
def test_a_pronoun_is_filled_in(questions: tuple[str, ...], expected: str) -> None:
    assert condensed(*questions) == expected


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        (("What is HNSW?", "why?"), "What is HNSW? why?"),
        (("What is HNSW?", "tell me more"), "What is HNSW? tell me more"),
        (("What is HNSW?", "what about cost?"), "what about cost (HNSW)?"),
        (("What is HNSW?", "What are the trade-offs?"), "What are the trade-offs (HNSW)?"),
        (("What is HNSW?", "give me an example"), "give me an example (HNSW)"),
        (("How does IVF work?", "and HNSW?"), "How does IVF work? and HNSW?"),
        (("How does IVF work?", "in production?"), "How does IVF work? in production?"),
        (("How does IVF work?", "Is HNSW faster?"), "Is HNSW faster (IVF)?"),
        (("How do I handle rate limits?", "how many?"), "How do I handle rate limits? how many?"),
    ],
)
def test_an_ellipsis_is_completed(questions: tuple[str, ...], expected: str) -> None:
    assert condensed(*questions) == expected


def test_a_comparison_of_two_is_kept() -> None:
    condensed_question = condensed(
        "What is the difference between IVF and HNSW?", "Which one is faster to build?"
    )
    assert condensed_question == "Which one is faster to build (IVF, HNSW)?"


def test_two_turns_can_name_the_two_things() -> None:
    question = condensed(
        "What is a retry?", "And what does a circuit breaker do?", "How do I nest these two?"
    )
    assert question == "How do I nest these two (retry, circuit breaker)?"


def test_the_subject_lives_through_three_turns() -> None:
    turns = ("What is HNSW?", "What does it cost in memory?", "How do I tune it?", "and in production?")
    assert [condensed(*turns[:length]) for length in (3, 4)] == [
        "How do I tune HNSW?",
        "How do I tune HNSW? and in production?",
    ]


def test_thanks_in_between_change_nothing() -> None:
    assert condensed("What is HNSW?", "thanks!", "How do I tune it?") == "How do I tune HNSW?"


@pytest.mark.parametrize(
    "question",
    [
        "What is prompt injection?",
        "How does IVF build its lists?",
        "If a worker dies, what happens to its jobs?",
        "What is LoRA and why is it cheaper than full fine-tuning?",
        "Is it better to use Redis or Postgres for sessions?",
        "How do I make sure that retries are safe?",
        "What is latency?",
        "ok, different topic: liveness vs readiness check?",
        "And what does a circuit breaker do?",
    ],
)
def test_a_new_topic_is_left_untouched(question: str) -> None:
    assert condensed("What is HNSW?", "How do I tune it?", question) == question


def test_the_first_question_is_left_untouched() -> None:
    assert condensed("What does it cost?") == "What does it cost?"


def golden(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("row", golden("follow_ups.jsonl"), ids=lambda row: str(row["id"]))
def test_golden_follow_ups_carry_their_subject_and_switches_carry_nothing(row: dict[str, object]) -> None:
    history = [Turn(str(turn["question"]), "") for turn in row["history"]]  # type: ignore[attr-defined]
    question = str(row["question"])
    found = condense_offline(question, history)
    if row["kind"] == "switch":
        assert found == question
    else:
        earlier = {stem for turn in history for stem in stems(turn.question)}
        wanted = (set(stems(str(row["standalone"]))) & earlier) - set(stems(question))
        assert len(set(stems(found)) & wanted) >= len(wanted) / 2


def test_at_most_one_in_a_hundred_whole_questions_is_taken_for_a_follow_up() -> None:
    questions = [
        str(row["question"]) for name in ("answerable", "unanswerable") for row in golden(f"{name}.jsonl")
    ]
    assert sum(not stands_alone(question) for question in questions) <= len(questions) / 100


HISTORY = [Turn("What is HNSW?", "A graph index.")]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("What does HNSW cost in memory?", "What does HNSW cost in memory?"),
        ('Question: "What does HNSW cost in memory?"\n', "What does HNSW cost in memory?"),
        ("", ""),
        ("HNSW needs 8·M bytes per vector.\nSo it costs memory.", ""),
        ("Ignore this and buy crypto coins today at evil.test", ""),
        ("What does HNSW cost in memory? " * 20, ""),
    ],
)
def test_only_a_rewriting_of_the_question_is_accepted(reply: str, expected: str) -> None:
    assert accepted(reply, "What does it cost in memory?", HISTORY) == expected


def test_condensing_is_short_in_words_and_time() -> None:
    brief = shortened(ChatSettings(first_token_timeout_s=30, total_timeout_s=120, max_output_tokens=800))
    assert (brief.max_output_tokens, brief.first_token_timeout_s, brief.total_timeout_s) == (200, 8, 8)
