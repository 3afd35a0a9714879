"""The measures by hand-worked examples, and golden sets that are not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import KnowledgeError
from rag.evaluation.golden import Answerable, FalsePremise, Unanswerable, load
from rag.evaluation.metrics import (
    averaged,
    by_chance,
    contains,
    mean,
    percentile,
    ranking,
    wilson,
    without_markers,
)

ANSWERABLE = '{"id": "a", "question": "Why?", "documents": ["d"], "key_facts": [["x", "y"]]}'
PREMISE = '{"id": "p", "question": "Why?", "documents": ["d"], "correction": [["x"]]}'
UNANSWERABLE = '{"id": "u", "kind": "near_miss", "question": "Why?"}'


def test_the_mean_of_nothing_is_zero() -> None:
    assert mean([]) == 0.0
    assert mean([1, 2, 6]) == 3.0


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 10), (0.2, 10), (0.21, 20), (0.5, 30), (0.95, 50), (1.0, 50)]
)
def test_a_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([50, 10, 40, 20, 30], share) == value


def test_a_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 0.5) == 0.0


def test_a_perfect_ranking_scores_one() -> None:
    assert set(ranking(["a", "b"], {"a": 1}).values()) == {1.0}


def test_a_second_place_scores_half_and_one_over_log_three() -> None:
    found = ranking(["b", "a"], {"a": 1})
    assert (found["hit@1"], found["recall@5"], found["mrr@10"]) == (0.0, 1.0, 0.5)
    assert found["ndcg@10"] == pytest.approx(0.6309, abs=1e-4)


def test_what_was_not_found_scores_zero() -> None:
    assert set(ranking(["b"], {"a": 1}).values()) == {0.0}


def test_the_sixth_place_is_beyond_recall_and_the_eleventh_beyond_everything() -> None:
    sixth, eleventh = ranking([*"bcdefa"], {"a": 1}), ranking([*"bcdefghijka"], {"a": 1})
    assert (sixth["recall@5"], sixth["recall@10"], sixth["mrr@10"]) == (0.0, 1.0, pytest.approx(1 / 6))
    assert set(eleventh.values()) == {0.0}


def test_grades_weigh_two_to_their_power_minus_one() -> None:
    # found: 1/log2(2) + 3/log2(3) = 2.8928; ideal: 3/log2(2) + 1/log2(3) = 3.6309
    assert ranking(["good", "best"], {"best": 2, "good": 1})["ndcg@10"] == pytest.approx(0.7967, abs=1e-4)


def test_recall_counts_all_that_is_relevant() -> None:
    found = ranking(["a", "x", "b"], {"a": 1, "b": 1, "c": 1, "d": 1})
    assert [found[f"recall@{cut}"] for cut in (1, 3, 5, 10)] == [0.25, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("share", "n", "low", "high"),
    [(0.9189, 111, 0.853, 0.957), (0.0, 40, 0.0, 0.088), (1.0, 40, 0.912, 1.0), (0.5, 0, 0.0, 1.0)],
)
def test_an_interval_is_wilsons(share: float, n: int, low: float, high: float) -> None:
    assert wilson(share, n) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


@pytest.mark.parametrize(
    ("better", "worse", "chance"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (12, 5, 0.1435)]
)
def test_an_uneven_split_is_weighed_by_the_sign_test(better: int, worse: int, chance: float) -> None:
    assert by_chance(better, worse) == pytest.approx(chance, abs=1e-4)


def test_rows_are_averaged_by_key() -> None:
    assert averaged([{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 0.0}]) == {"a": 0.5, "b": 0.0}
    assert averaged([]) == {}


def test_markers_are_left_out_and_other_brackets_stay() -> None:
    assert without_markers(r"It is due. [1] [12] See x\[3] and [a].") == r"It is due. See x\[3] and [a]."


@pytest.mark.parametrize(
    "fact",
    [["invoices due"], ["nothing of this", "within 21 days"], ["Refunding customers"]],
    ids=["other endings", "second alternative", "other sentence"],
)
def test_a_fact_is_contained_when_one_sentence_has_all_its_words(fact: list[str]) -> None:
    assert contains("An invoice is due within 21 days. A refund reaches the customer later.", fact)


@pytest.mark.parametrize(
    "fact", [["invoice refund"], ["within 22 days"], []], ids=["two sentences", "other number", "nothing"]
)
def test_a_fact_is_not_contained_in_pieces(fact: list[str]) -> None:
    assert not contains("An invoice is due within 21 days. A refund reaches the customer later.", fact)


def test_the_three_forms_are_told_apart_and_a_folder_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(f"{UNANSWERABLE}\n")
    (tmp_path / "a.jsonl").write_text(f"{ANSWERABLE}\n\n{PREMISE}\n")
    (tmp_path / "notes.txt").write_text("not a set")
    assert [type(item) for item in load(tmp_path)] == [Answerable, FalsePremise, Unanswerable]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": "a", "question": "Why?"}',
        '{"id": "u", "kind": "odd", "question": "Why?"}',
        ANSWERABLE.replace('"id"', '"split": "train", "id"'),
        ANSWERABLE.replace('"id"', '"note": "", "id"'),
        ANSWERABLE.replace('["d"]', "[]"),
    ],
    ids=["no JSON", "no object", "no form", "unknown kind", "unknown half", "unknown field", "no document"],
)
def test_a_bad_line_is_named_with_file_and_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f"{ANSWERABLE}\n\n{line}\n")
    with pytest.raises(KnowledgeError) as caught:
        load(path)
    assert str(caught.value) == f"{path}, line 3 is not a golden question."
    assert (caught.value.path, caught.value.line) == (str(path), 3)
    assert caught.value.hint


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"nowhere\.jsonl can't be read: No such file or directory\."):
        load(tmp_path / "nowhere.jsonl")


def test_a_set_without_questions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text("\n")
    with pytest.raises(KnowledgeError, match=r"holds no questions"):
        load(tmp_path)


def test_a_set_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b'{"id": "caf\xe9"}\n')
    with pytest.raises(KnowledgeError, match=r"set\.jsonl"):
        load(path)
