"""The question bank is read strictly, and its options have one order for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rag.errors import KnowledgeError
from rag.quiz.bank import MultipleChoice, leading_numbers, load_bank, shown_order

POINT = {
    "claim": "Recall rises.",
    "must_have": True,
    "weight": 2,
    "document": "ivf",
    "quote": "Recall rises.",
}
OPEN = {
    "id": "ivf-open-01",
    "level": "mid",
    "skill": "trade-off",
    "question": "What does nprobe trade?",
    "points": [POINT, POINT, POINT],
    "model_answer": "Recall against latency.",
    "follow_ups": ["How is it set?", "When is it too high?"],
}
CHOICE = {
    "id": "ivf-mcq-01",
    "level": "junior",
    "skill": "recall",
    "question": "What does nprobe count?",
    "options": [
        {"text": "scanned lists", "why": "It counts lists.", "correct": True},
        {"text": "graph links", "why": "HNSW has links."},
        {"text": "codebooks", "why": "PQ has codebooks."},
        {"text": "replicas", "why": "Servers have replicas."},
    ],
    "document": "ivf",
    "quote": "nprobe counts lists.",
}


def write(folder: Path, **topic: object) -> Path:
    file = folder / "ivf.yaml"
    file.write_text(yaml.safe_dump({"topic": "ivf", **topic}), encoding="utf-8")
    return file


def complaint(path: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        load_bank(path)
    assert caught.value.hint
    return str(caught.value)


def test_a_folder_gives_its_topics(tmp_path: Path) -> None:
    write(tmp_path, open=[OPEN], multiple_choice=[CHOICE])
    (topic,) = load_bank(tmp_path)
    assert (topic.topic, topic.open[0].id, topic.multiple_choice[0].id) == (
        "ivf",
        "ivf-open-01",
        "ivf-mcq-01",
    )


def test_an_empty_folder_is_no_bank(tmp_path: Path) -> None:
    assert "holds no question bank" in complaint(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "missing.yaml" in complaint(tmp_path / "missing.yaml")


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text('topic: ivf\nopen: [\n  "a', encoding="utf-8")
    assert "broken.yaml, line" in complaint(file)


def test_two_right_options_are_refused_by_the_id_of_the_question(tmp_path: Path) -> None:
    options = [{**option, "correct": True} for option in CHOICE["options"]]  # type: ignore[attr-defined]
    said = complaint(write(tmp_path, multiple_choice=[{**CHOICE, "options": options}]))
    assert "ivf-mcq-01" in said and "exactly one option" in said


def test_a_question_without_a_must_have_is_refused(tmp_path: Path) -> None:
    points = [{**POINT, "must_have": False}] * 3
    assert "must-have" in complaint(write(tmp_path, open=[{**OPEN, "points": points}]))


def test_a_misspelt_field_is_refused(tmp_path: Path) -> None:
    assert "leval" in complaint(write(tmp_path, open=[{**OPEN, "leval": "mid"}]))


def test_an_id_used_twice_is_refused(tmp_path: Path) -> None:
    assert "ivf-mcq-01" in complaint(write(tmp_path, multiple_choice=[CHOICE, CHOICE]))


def test_a_list_instead_of_a_topic_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.yaml"
    file.write_text("- a\n- b\n", encoding="utf-8")
    assert "list.yaml" in complaint(file)


def test_everyone_sees_the_options_in_the_same_order() -> None:
    choice = MultipleChoice.model_validate(CHOICE)
    assert choice.shown() == MultipleChoice.model_validate(CHOICE).shown()
    assert set(choice.shown()) == set(choice.options)


def test_the_order_of_the_author_is_not_the_order_shown() -> None:
    orders = {tuple(shown_order(f"ivf-mcq-{n}", ["a", "b", "c", "d"])) for n in range(40)}
    assert len(orders) > 15


def test_numbers_are_shown_ascending() -> None:
    assert shown_order("any", ["96 bytes", "1,536 bytes", "8 bytes", "384 bytes"]) == [2, 0, 3, 1]


def test_numbers_with_a_decimal_point_and_thousands_are_read_in_full() -> None:
    assert leading_numbers(["0.5 s", "1,500 s", "12,345,678.5 s", "20 s"]) == [0.5, 1500, 12_345_678.5, 20]


@pytest.mark.parametrize(
    "options",
    [
        ["127.0.0.1", "0.0.0.0", "10.0.0.1", "192.168.0.1"],
        ["1.2.3", "1.2.4", "2.0.0", "10.1.0"],
        ["1.2.3 ms", "4 ms", "5 ms", "6 ms"],
        ["0,5 s", "1,5 s", "12,75 s", "5 s"],
        ["1,2345 s", "2 s", "3 s", "4 s"],
    ],
)
def test_versions_addresses_and_decimal_commas_are_no_series(options: list[str]) -> None:
    assert leading_numbers(options) is None
    assert sorted(shown_order("any", options)) == [0, 1, 2, 3]


def test_numbers_of_different_things_are_no_series() -> None:
    assert leading_numbers(["8 bytes", "16 lists", "32 links", "64 ms"]) is None
