"""A quiz is even over topics and levels, repeats nothing, gives no key away, and is the same for one seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rag.embedding.base import Vectors
from rag.errors import InvalidInput
from rag.quiz.assembling import assemble
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import policies, policy_bound
from rag.quiz_types import AskedQuestion

LEVELS = ("junior", "mid", "senior")


def embed(texts: Sequence[str]) -> Vectors:
    """Return equal vectors for texts that start with the same word, and unrelated ones for others."""
    seeds = [int.from_bytes(hashlib.sha256(text.split()[0].encode()).digest()[:4], "big") for text in texts]
    vectors = np.array([np.random.default_rng(seed).standard_normal(64) for seed in seeds], np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def question(name: str, topic: str = "rag", **changes: Any) -> AskedQuestion:
    values = {
        "id": name,
        "kind": "open",
        "topic": topic,
        "level": "mid",
        "skill": "recall",
        "prompt": f"{name} is how good?",
        "origin": "bank",
        "evidence": None,
    }
    return AskedQuestion(**{**values, **changes})


def choice(name: str, topic: str = "rag", **changes: Any) -> AskedQuestion:
    values = {"kind": "mcq", "options": ("red", "green", "blue", "black"), "answer": sum(map(ord, name)) % 4}
    return question(name, topic, **{**values, **changes})


def pool(topics: str, each: int) -> list[AskedQuestion]:
    """Return so many questions of each kind on each topic, levels by turns."""
    return [
        make(f"{topic}{kind}{number}", topic, level=LEVELS[number % 3])
        for topic in topics
        for kind, make in (("o", question), ("m" * 2, choice))
        for number in range(each)
    ]


def ids(questions: Sequence[AskedQuestion]) -> list[str]:
    return [one.id for one in questions]


def test_topics_levels_and_kinds_are_even() -> None:
    chosen = assemble(pool("abcdefg", 12), embed, n=30)
    assert set(Counter(one.topic for one in chosen).values()) == {4, 5}
    assert Counter(one.level for one in chosen) == {"junior": 9, "mid": 12, "senior": 9}
    assert Counter(one.kind for one in chosen) == {"mcq": 15, "open": 15}


def test_the_same_seed_gives_the_same_quiz_whatever_the_order_of_the_pool() -> None:
    questions = pool("abc", 12)
    again = assemble(questions[::-1], embed, n=10, seed=3)
    assert ids(assemble(questions, embed, n=10, seed=3)) == ids(again)
    assert len({tuple(ids(assemble(questions, embed, n=10, seed=seed))) for seed in range(8)}) == 8


def test_a_seed_gives_the_same_quiz_in_every_process() -> None:
    chosen = ids(assemble(pool("abc", 12), embed, n=6, seed=7))
    assert chosen == ["bmm0", "amm8", "co9", "bo2", "ao10", "cmm4"]


def test_a_topic_that_runs_out_gives_its_turns_to_the_others() -> None:
    chosen = assemble([*pool("a", 1), *pool("bc", 9)], embed, n=12)
    assert Counter(one.topic for one in chosen) == {"a": 2, "b": 5, "c": 5}


def test_all_there_are_come_once_when_more_are_wanted() -> None:
    questions = pool("ab", 4)
    assert sorted(ids(assemble(questions, embed, n=2000))) == sorted(ids(questions))


def test_what_says_the_same_is_asked_once() -> None:
    questions = [question("q1"), question("q2", prompt="q1 again"), question("q3")]
    for seed in range(5):
        chosen = assemble(questions, embed, n=3, seed=seed)
        assert len(chosen) == 2
        assert "q3" in ids(chosen)


def test_no_option_gives_an_open_question_away_while_there_are_others() -> None:
    questions = [question("q1"), choice("q2", prompt="q1 in other words"), choice("q3")]
    assert {frozenset(ids(assemble(questions, embed, n=2, seed=seed))) for seed in range(8)} <= {
        frozenset({"q1", "q3"}),
        frozenset({"q2", "q3"}),
    }
    assert len(assemble(questions, embed, n=3)) == 3


def test_what_was_asked_before_does_not_come_again_in_other_words() -> None:
    questions = [question("q1"), question("q2", prompt="q1 again"), question("q3")]
    assert ids(assemble(questions, embed, n=3, asked_before=[questions[0]])) == ["q3"]


def test_avoided_ids_and_other_kinds_levels_and_topics_are_left_out() -> None:
    questions = pool("ab", 6)
    chosen = assemble(questions, embed, n=9, topics=("a",), level="mid", kind="open", avoid={"ao1"})
    assert ids(chosen) == ["ao4"]


def test_what_is_preferred_comes_first_by_its_reason() -> None:
    prefer = {"cmm1": "due", "ao2": "weak", "ao3": "weak", "bo2": "due"}
    chosen = ids(assemble(pool("abc", 9), embed, n=6, prefer=prefer))
    assert set(chosen[:2]) == {"cmm1", "bo2"}
    assert set(chosen[2:4]) == {"ao2", "ao3"}


def test_a_passage_is_asked_about_twice_at_most_while_others_are_left() -> None:
    questions = [question(f"q{number}", passage="p" if number < 8 else f"p{number}") for number in range(12)]
    passages = Counter(one.passage for one in assemble(questions, embed, n=6))
    assert passages["p"] == 2
    assert len(assemble(questions, embed, n=10)) == 10


def test_a_policy_that_knows_nothing_stays_within_its_bound() -> None:
    longest = ("a very long right option", "b", "c", "d")
    questions = [
        *(choice(f"long{number}", options=longest, answer=0) for number in range(12)),
        *(choice(f"fair{number}", answer=number % 4) for number in range(18)),
    ]
    for seed in range(5):
        items = [
            Item(one.id, one.prompt, one.options, one.answer)
            for one in assemble(questions, embed, n=16, seed=seed)
            if one.answer is not None
        ]
        assert max(policies(items).values()) <= policy_bound(16)


def test_an_unknown_topic_names_those_there_are() -> None:
    with pytest.raises(InvalidInput) as caught:
        assemble(pool("ab", 1), embed, n=1, topics=("cooking",))
    assert caught.value.hint == "Topics: a, b."
