"""A set of questions is held against what guessing would score, and against itself."""

from __future__ import annotations

import pytest

from rag.quiz.form_gates import Item
from rag.quiz.set_gates import SetGate, policies, policy_bound, set_gates


def item(number: int, key: str = "recall", correct: int | None = None, **fields: str) -> Item:
    place = number % 4 if correct is None else correct
    options = ["memory", "energy", "volume"]
    options.insert(place, key)
    return Item(str(number), "What rises?", tuple(options), place, **fields)


def gate(items: list[Item], name: str) -> SetGate:
    return next(found for found in set_gates(items) if found.gate == name)


def test_the_bound_is_that_of_the_research() -> None:
    assert [round(policy_bound(n), 2) for n in (20, 50, 100, 200)] == [0.41, 0.35, 0.32, 0.3]


def test_a_set_whose_key_is_always_longest_fails() -> None:
    found = gate([item(n, key="recall of the index") for n in range(20)], "longest")
    assert (found.passed, found.value) == (False, 1.0)


def test_a_set_whose_key_is_always_shortest_fails() -> None:
    assert not gate([item(n, key="it") for n in range(20)], "shortest").passed


def test_options_of_equal_length_give_the_policy_its_share() -> None:
    assert policies([item(n) for n in range(20)])["longest"] == 0.25


def test_a_key_that_repeats_the_question_is_found_out() -> None:
    items = [
        Item(str(n), "How is recall measured?", ("recall", "memory", "energy", "volume"), 0)
        for n in range(20)
    ]
    assert policies(items)["stem_overlap"] == 1.0


def test_a_key_that_the_distractors_vary_is_found_out() -> None:
    options = ("high recall, low cost", "high recall, high memory", "low cost, no index", "fast training")
    assert policies([Item("1", "What is meant?", options, 0)])["convergence"] == 1.0


def test_a_key_always_in_one_place_fails() -> None:
    items = [item(n, correct=1) for n in range(20)]
    assert (gate(items, "same_letter").passed, gate(items, "key_position").passed) == (False, False)


def test_keys_spread_evenly_pass() -> None:
    items = [item(n) for n in range(20)]
    assert (gate(items, "same_letter").passed, gate(items, "key_position").value) == (True, 0.0)


def test_sets_of_three_options_are_held_against_a_third() -> None:
    options = ("memory", "energy", "volume")
    items = [Item(str(n), "What rises?", options, n % 3) for n in range(60)]
    failed = [found.gate for found in set_gates(items) if not found.passed]
    assert (failed, round(gate(items, "same_letter").bound, 3)) == ([], 0.433)


def test_a_letter_is_expected_only_where_it_is_an_option() -> None:
    three = [Item(f"3-{n}", "What rises?", ("memory", "energy", "volume"), n % 3) for n in range(30)]
    four = [item(n) for n in range(8)]
    assert gate(three + four, "key_position").value == pytest.approx(0.0)
    assert not gate(three + [item(n, correct=3) for n in range(8)], "key_position").passed


def test_a_set_too_small_for_statistics_has_no_policy_gates() -> None:
    assert "longest" not in {found.gate for found in set_gates([item(n) for n in range(11)])}


def test_repeated_items_fail_and_are_named() -> None:
    found = next(g for g in set_gates([item(1), item(2)], [("1", "2", 0.97)]) if g.gate == "duplicates")
    assert (found.passed, found.detail) == (False, "1 ~ 2")


def test_three_items_on_one_passage_fail() -> None:
    assert not gate([item(n, source="hnsw") for n in range(3)], "per_passage").passed


def test_one_topic_with_three_times_the_items_of_another_fails() -> None:
    items = [item(n, topic="cost" if n else "rag") for n in range(4)]
    assert not gate(items, "topic_balance").passed


@pytest.mark.parametrize(("juniors", "passed"), [(3, True), (8, False)])
def test_the_mix_of_levels_is_held_to_the_quota(juniors: int, passed: bool) -> None:
    levels = ["junior"] * juniors + ["mid"] * ((10 - juniors + 1) // 2) + ["senior"] * ((10 - juniors) // 2)
    assert gate([item(n, level=level) for n, level in enumerate(levels)], "level_mix").passed is passed


def test_more_than_one_negated_question_fails() -> None:
    items = [Item(str(n), "Which does NOT rise?", ("a", "b", "c", "d"), n) for n in range(2)]
    assert not gate(items, "negation").passed
