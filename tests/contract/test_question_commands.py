"""`check-items`, `judge-items`, `quiz` and `inventory` as scripts and authors use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from rag.quiz.bank import MultipleChoice
from rag.quiz.verdicts import ItemVerdicts, fingerprint, save_verdicts
from tests.contract.test_command_line import Run, json_lines, rag
from tests.unit.test_bank import CHOICE, OPEN

DOCUMENT = """---
id: ivf
title: Inverted files
topic: vectors
level: mid
---
# Inverted files

## How inverted files search

In an inverted file, nprobe counts lists. Recall rises. With more lists, each query takes longer.
"""
GOOD = {
    "id": "good",
    "question": "A team raises nprobe. What happens?",
    "options": [
        "recall rises, search slows",
        "recall falls, search is quick",
        "memory per vector grows",
        "training is repeated",
    ],
    "correct": 0,
}


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "ivf.md").write_text(DOCUMENT, encoding="utf-8")
    (folder / "questions").mkdir()
    bank = {"topic": "vectors", "open": [OPEN], "multiple_choice": [CHOICE]}
    (folder / "questions" / "vectors.yaml").write_text(yaml.safe_dump(bank), encoding="utf-8")
    item = MultipleChoice.model_validate(CHOICE)
    verdicts = ItemVerdicts(
        id=item.id,
        fingerprint=fingerprint(item),
        verdicts=("supported", "contradicted", "not_stated", "not_stated"),
    )
    save_verdicts(folder / "questions" / "verdicts" / "vectors.jsonl", [verdicts])
    return folder


@pytest.fixture(scope="module")
def data_dir(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(exported / "models", folder / "models")
    return folder


def run(knowledge: Path, data_dir: Path, *arguments: str | Path, entered: bytes = b"") -> Run:
    return rag("--data-dir", data_dir, *arguments, entered=entered, VIVA_KNOWLEDGE_DIR=str(knowledge))


def test_items_are_judged_one_by_one_and_as_a_set(knowledge: Path, data_dir: Path, tmp_path: Path) -> None:
    long = {**GOOD, "id": "long", "options": ["recall rises because more lists are scanned for it", *"abc"]}
    file = json_lines(
        tmp_path / "items.jsonl", [GOOD, long, {"question": "?", "options": [], "correct": True}]
    )
    report = run(knowledge, data_dir, "check-items", file, "--json").json
    assert [item["id"] for item in report["items"]] == ["good", "long", "3"]
    assert [item["passed"] for item in report["items"]] == [True, False, False]
    assert "length" in report["items"][1]["failed_gates"]
    assert report["items"][2]["failed_gates"] == ["schema"]
    assert {"duplicates", "negation"} <= {gate["gate"] for gate in report["set_gates"]}
    assert report["passed"] is False


def test_an_item_without_an_id_has_the_number_of_its_line(
    knowledge: Path, data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text(f"{json.dumps(GOOD)}\n\n \n{{broken\n", encoding="utf-8")
    report = run(knowledge, data_dir, "check-items", file, "--json").json
    assert [item["id"] for item in report["items"]] == ["good", "4"]


@pytest.mark.parametrize("options", [[], ["--jsonl"]], ids=["file", "lines"])
def test_a_file_without_items_does_not_pass(
    knowledge: Path, data_dir: Path, tmp_path: Path, options: list[str]
) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text("\n", encoding="utf-8")
    done = run(knowledge, data_dir, "check-items", *options, file)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"Error: {file} holds no questions. Write {{question, options, correct}} as one JSON object a line.\n"
    )


def test_many_items_give_one_line_each_and_the_set_last(
    knowledge: Path, data_dir: Path, tmp_path: Path
) -> None:
    file = json_lines(tmp_path / "items.txt", [GOOD, {**GOOD, "id": "again"}])
    first, again, whole = run(knowledge, data_dir, "check-items", "--jsonl", file).lines
    assert (first["id"], first["passed"], first["failed_gates"]) == ("good", True, [])
    assert again["id"] == "again"
    assert {gate["gate"]: gate["passed"] for gate in whole["set_gates"]}["duplicates"] is False


def test_a_bank_file_is_checked_against_its_documents(knowledge: Path, data_dir: Path) -> None:
    bank = knowledge / "questions" / "vectors.yaml"
    report = run(knowledge, data_dir, "check-items", bank, "--json").json
    failed = {item["id"]: item["failed_gates"] for item in report["items"]}
    assert "quote" not in failed["ivf-mcq-01"]
    assert "model_answer" in failed["ivf-open-01"]


def test_a_missing_file_is_one_line_with_a_hint(knowledge: Path, data_dir: Path) -> None:
    done = run(knowledge, data_dir, "check-items", "missing.yaml")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert "Check the path." in done.err


def test_a_quiz_quotes_its_source_at_the_offsets(knowledge: Path, data_dir: Path) -> None:
    result = run(knowledge, data_dir, "quiz", "--n", "5", "--json").json
    assert {question["kind"] for question in result["questions"]} == {"mcq", "open"}
    for question in result["questions"]:
        source = question["source"]
        assert DOCUMENT[source["start"] : source["end"]] == source["quote"]
        assert question["origin"] == "bank"
    (choice,) = [question for question in result["questions"] if question["kind"] == "mcq"]
    assert choice["options"][choice["answer"]] == "scanned lists"
    assert "options_judged" in choice["checks"]
    assert result["rejected"] == {}


def test_a_quiz_on_an_unknown_topic_names_the_topics(knowledge: Path, data_dir: Path) -> None:
    done = run(knowledge, data_dir, "quiz", "--topic", "cooking")
    assert done.code == 1
    assert "Topics: vectors." in done.err


@pytest.mark.parametrize("number", ["0", "x", "1.5"])
def test_a_number_of_questions_that_is_none_is_wrong_usage(
    knowledge: Path, data_dir: Path, number: str
) -> None:
    done = run(knowledge, data_dir, "quiz", "--n", number)
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("argument --n: give a whole number from 1")


def test_a_quiz_for_people_has_the_answers_at_the_end(knowledge: Path, data_dir: Path) -> None:
    out = run(knowledge, data_dir, "quiz").out
    assert out.index("What does nprobe count?") < out.index("Answers") < out.index("It counts lists.")


def test_the_inventory_counts_documents_and_questions(knowledge: Path, data_dir: Path) -> None:
    result = run(knowledge, data_dir, "inventory", "--json").json
    (topic,) = result["topics"]
    assert (topic["topic"], topic["documents"], topic["open"], topic["multiple_choice"]) == (
        "vectors",
        1,
        1,
        1,
    )
    assert topic["levels"]["junior"]["multiple_choice"] == 1
    assert result["total"]["chunks"] >= 1
    assert result["items"] == {"questions": 2, "beyond_recall": 1, "scenarios": 0}


def test_a_reader_judges_on_the_command_line(knowledge: Path, data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "knowledge"
    shutil.copytree(knowledge, copy)
    shutil.rmtree(copy / "questions" / "verdicts")
    done = run(copy, data_dir, "judge-items", entered=b"n\nn\nn\nn\n")
    assert "1 items judged, 0 still wait." in done.out
    stored = (copy / "questions" / "verdicts" / "vectors.jsonl").read_text(encoding="utf-8")
    assert json.loads(stored)["verdicts"] == ["not_stated"] * 4
