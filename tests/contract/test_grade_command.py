"""`grade` as scripts use it: with a model, without one, and with lines that are no answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.contract.test_command_line import Run, json_lines, rag
from tests.contract.test_question_commands import DOCUMENT
from tests.obeying import ObeyingServer
from tests.unit.test_bank import CHOICE, OPEN

REFERENCE = "Replication keeps a copy of the state on every node. A copy costs memory. Copies can disagree."
GOOD = "Every node keeps a copy of the state. Each copy costs memory, and the copies may disagree."
FLIPPED = "Replication keeps no copy of the state on every node. A copy costs memory. Copies can disagree."
ASKED = {"question": "What does replication do, and what does it cost?", "reference": REFERENCE}
LINES: list[object] = [
    {"id": 1, **ASKED, "answer": GOOD},
    {"id": 2, **ASKED, "answer": FLIPPED},
    {"id": 3, **ASKED, "answer": ASKED["question"]},
    {"id": 4, **ASKED, "answer": "fine"},
    {"id": 5, "question_id": "ivf-open-01", "answer": "It counts the lists that each query scans."},
    {"id": 6, "question_id": "ivf-mcq-01", "answer": "scanned lists"},
    {"id": 7, "question_id": "gone", "answer": "It counts the lists."},
    {"id": 8, "question": "What?", "answer": "Something or other that I know."},
    {"id": 9, **ASKED, "answer": None},
    ["no object"],
    {"id": 11, **ASKED, "answer": "half a \ud83d pair \0 in five words"},
    {"id": 12, **ASKED, "answer": "long " * 2000},
]


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "ivf.md").write_text(DOCUMENT, encoding="utf-8")
    (folder / "questions").mkdir()
    points = [{**OPEN["points"][0], "claim": f"Says that nprobe counts lists, part {n}."} for n in (1, 2, 3)]  # type: ignore[index]
    bank = {"topic": "vectors", "open": [{**OPEN, "points": points}], "multiple_choice": [CHOICE]}
    (folder / "questions" / "vectors.yaml").write_text(yaml.safe_dump(bank), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data_dir(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(exported / "models", folder / "models")
    return folder


def grade(
    knowledge: Path, data_dir: Path, *arguments: str | Path, entered: bytes = b"", **environ: str
) -> Run:
    return rag(
        "--data-dir",
        data_dir,
        "grade",
        *arguments,
        entered=entered,
        VIVA_KNOWLEDGE_DIR=str(knowledge),
        **environ,
    )


def test_with_a_model_code_computes_the_score_from_checked_verdicts(
    knowledge: Path, data_dir: Path, tmp_path: Path
) -> None:
    file = json_lines(tmp_path / "answers.jsonl", LINES)
    with ObeyingServer() as stub:
        model = {"PROVIDER": "openai_compatible", "MODEL": "m", "BASE_URL": stub.url}
        lines = grade(
            knowledge, data_dir, "--jsonl", file, **{f"VIVA_CHAT__{k}": v for k, v in model.items()}
        ).lines
        asked = [json.loads(request.body["messages"][1]["content"]) for request in stub.requests]
    assert [line["id"] for line in lines] == [1, 2, 3, 4, 5, 6, 7, 8, 9, None, 11, 12]
    good, flipped, repeated, blank, stored = lines[:5]
    assert (good["graded_by"], good["outcome"], good["score"], good["rubric"]) == (
        "llm",
        "graded",
        1.0,
        "model",
    )
    for verdict in good["verdicts"]:
        assert verdict["answer_quote"] in GOOD
        assert verdict["source_quote"] in REFERENCE
    assert [verdict["verdict"] for verdict in flipped["verdicts"]] == ["contradicted", "met", "met"]
    assert flipped["score"] == 0.5
    assert (repeated["outcome"], repeated["score"]) == ("off_topic", 0.0)
    assert (blank["outcome"], blank["verdicts"], "score" in blank) == ("not_answered", [], False)
    assert (stored["rubric"], stored["verdicts"][0]["source_quote"]) == ("fixed", "Recall rises.")
    assert sum("reference" in one for one in asked) == 1
    assert good["usage"]["output_tokens"] > stored["usage"]["output_tokens"]


def test_without_a_model_there_is_a_hint_and_never_a_score(
    knowledge: Path, data_dir: Path, tmp_path: Path
) -> None:
    lines = grade(knowledge, data_dir, "--jsonl", json_lines(tmp_path / "answers.jsonl", LINES)).lines
    assert [line["id"] for line in lines] == [1, 2, 3, 4, 5, 6, 7, 8, 9, None, 11, 12]
    for line in lines[:5]:
        assert (line["graded_by"], line["verdicts"], "score" in line) == ("coverage_hint", [], False)
    assert lines[0]["rubric"] == "sentences"
    assert lines[2]["not_mentioned"] == [
        "Replication keeps a copy of the state on every node.",
        "A copy costs memory.",
        "Copies can disagree.",
    ]
    for line in (lines[6], lines[7], lines[8], lines[9], lines[11]):
        assert set(line) == {"id", "error", "hint"}
    assert "`reference` is missing" in lines[7]["error"]


def test_one_answer_on_standard_input_is_graded_for_people(knowledge: Path, data_dir: Path) -> None:
    entered = json.dumps(
        {**ASKED, "answer": "The network between the machines has to be fast for that."}
    ).encode()
    done = grade(knowledge, data_dir, entered=entered)
    assert done.out.splitlines()[0] == "Coverage hint, not a grade: ungraded."
    assert "not mentioned, it seems: Copies can disagree." in done.out


def test_what_is_no_object_on_standard_input_is_one_line_with_a_hint(knowledge: Path, data_dir: Path) -> None:
    done = grade(knowledge, data_dir, entered=b"What?")
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert '"question_id"' in done.err
