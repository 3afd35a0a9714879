"""`python -m rag` as scripts and people use it: fields, order, exit codes, and what must never be printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag.__main__ import main
from tests.conftest import ROOT
from tests.forked import run_forked

Json = dict[str, Any]

BILLING = """# Billing

## Invoices

Zorvex sends invoices on the third working day of every month. An invoice is due within 21 days.

## Refunds

A refund reaches the customer within nine days. Refunds above 500 euros need the approval of a team lead.
"""
LEAVE = (
    "---\r\ntitle: Leave\r\n---\r\n# Leave\r\n\r\n"
    "Parental leave “à la carte” 🍼 lasts sixteen weeks.\r\n\r\n"
    "Unused holidays expire on the last day of March.\r\n"
)
SECRET = "sk-never-print-this-0123456789"
INVOICE_QUESTION = "When is an invoice due?"


@dataclass(frozen=True)
class Run:
    """What one call of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        assert (self.code, "Traceback" in self.err) == (0, False), self.err
        return dict(json.loads(self.out))

    @property
    def lines(self) -> list[Json]:
        assert (self.code, "Traceback" in self.err) == (0, False), self.err
        return [json.loads(line) for line in self.out.splitlines()]


def rag(*arguments: str | Path, entered: bytes = b"", **environ: str) -> Run:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VIVA_") and k != "OPENAI_API_KEY"}
    done = run_forked(main, [*map(str, arguments)], environ=kept | environ, cwd=ROOT, entered=entered)
    return Run(done.code, done.out.decode(), done.err.decode())


def json_lines(path: Path, rows: Iterable[object]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Library:
    """A data folder with the documents `money/billing` and `people/leave`."""

    documents: Path
    data_dir: Path
    ingested: Run

    def run(self, *arguments: str | Path, **more: Any) -> Run:
        return rag("--no-knowledge", "--data-dir", self.data_dir, *arguments, **more)

    def text(self, document_id: str) -> str:
        """The text that offsets count in: the file's, with \\n line ends."""
        names = {"money.billing": "money/billing.md", "people.leave": "people/leave.md"}
        return (self.documents / names[document_id]).read_text(encoding="utf-8")


LibraryIn = Callable[[Path], Library]


@pytest.fixture(scope="module")
def library_in(exported: Path) -> LibraryIn:
    """A function that makes a library in an empty folder."""

    def make(folder: Path) -> Library:
        documents, data_dir = folder / "documents", folder / "data"
        shutil.copytree(exported / "models", data_dir / "models")
        for name, text in (("money/billing.md", BILLING), ("people/leave.md", LEAVE)):
            (documents / name).parent.mkdir(parents=True)
            (documents / name).write_bytes(text.encode())
        return Library(
            documents, data_dir, rag("ingest", documents, "--json", "--no-knowledge", "--data-dir", data_dir)
        )

    return make


@pytest.fixture(scope="module")
def library(library_in: LibraryIn, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library that tests share for reading."""
    return library_in(tmp_path_factory.mktemp("library"))


# Documents


def test_ingest_reports_every_file(library: Library) -> None:
    result = library.ingested.json
    assert result["documents"] == [
        {
            "id": "money.billing",
            "path": str(library.documents / "money" / "billing.md"),
            "status": "added",
            "chunks": 2,
        },
        {
            "id": "people.leave",
            "path": str(library.documents / "people" / "leave.md"),
            "status": "added",
            "chunks": 1,
        },
    ]
    assert result["seconds"] > 0


def test_ingest_shows_progress_by_file_name_and_nothing_of_the_text(library: Library) -> None:
    assert library.ingested.err.splitlines() == [
        "Indexing billing.md (0/2)",
        "Indexing leave.md (1/2)",
        "Indexing (2/2)",
    ]


def test_documents_are_listed_with_topic_and_size(library: Library) -> None:
    keys = ("id", "title", "topic", "chunks", "bytes")
    listed = [
        {key: document[key] for key in keys}
        for document in library.run("documents", "--json").json["documents"]
    ]
    assert listed == [
        {"id": "money.billing", "title": "Billing", "topic": "money", "chunks": 2, "bytes": 240},
        {"id": "people.leave", "title": "Leave", "topic": "people", "chunks": 1, "bytes": 139},
    ]


def test_documents_are_lines_for_people_and_the_data_folder_may_stand_last(library: Library) -> None:
    run = rag("documents", "--no-knowledge", "--data-dir", library.data_dir)
    assert [line.split()[:3] for line in run.out.splitlines()] == [
        ["money", "money.billing", "Billing"],
        ["people", "people.leave", "Leave"],
    ]


@pytest.mark.parametrize("document_id", ["money.billing", "people.leave"])
def test_chunks_are_exact_slices_of_the_file(library: Library, document_id: str) -> None:
    chunks = library.run("chunks", document_id, "--json").json["chunks"]
    text = library.text(document_id)
    assert chunks
    assert set(chunks[0]) >= {"id", "heading_path", "start", "end", "tokens", "text"}
    assert [chunk["text"] for chunk in chunks] == [text[chunk["start"] : chunk["end"]] for chunk in chunks]


def test_a_document_is_embedded_again_only_after_a_change(library_in: LibraryIn, tmp_path: Path) -> None:
    own = library_in(tmp_path)
    again = own.run("ingest", own.documents, "--json").json["documents"]
    (own.documents / "money" / "billing.md").write_text(BILLING + "\nA reminder costs four euros.\n")
    changed = own.run("ingest", own.documents, "--json").json["documents"]
    assert [document["status"] for document in again] == ["unchanged", "unchanged"]
    assert [document["status"] for document in changed] == ["updated", "unchanged"]
    found = own.run("ask", "What does a reminder cost?", "--json").json
    assert "A reminder costs four euros." in found["answer"]


def test_a_removed_document_is_gone_everywhere(library_in: LibraryIn, tmp_path: Path) -> None:
    own = library_in(tmp_path)
    assert own.run("remove", "money.billing", "--json").json == {"removed": "money.billing"}
    assert [document["id"] for document in own.run("documents", "--json").json["documents"]] == [
        "people.leave"
    ]
    hits = own.run("search", INVOICE_QUESTION, "--json").json["hits"]
    assert {hit["document_id"] for hit in hits} == {"people.leave"}
    stored = b"".join(path.read_bytes() for path in own.data_dir.glob("viva.db*"))
    assert b"Zorvex sends invoices" not in stored


def test_a_file_that_cannot_be_read_does_not_stop_the_others(library_in: LibraryIn, tmp_path: Path) -> None:
    own = library_in(tmp_path / "own")
    more = tmp_path / "more"
    more.mkdir()
    (more / "a-binary.md").write_bytes(b"\x00\x01\x02\xff\xff")
    (more / "b-empty.md").touch()
    Path(os.fsdecode(os.fsencode(more) + b"/c-caf\xe9.md")).write_text("# Coffee\n\nIt is free on Mondays.")
    run = own.run("ingest", more, "--json")
    documents = run.json["documents"]
    assert [document["status"] for document in documents] == ["failed", "failed", "added"]
    assert [document.get("error") for document in documents] == [
        "a-binary.md is not a text file.",
        "b-empty.md has no text.",
        None,
    ]


def test_ingest_exits_with_1_when_no_file_could_be_read(library_in: LibraryIn, tmp_path: Path) -> None:
    own = library_in(tmp_path / "own")
    (tmp_path / "empty.md").touch()
    run = own.run("ingest", tmp_path / "empty.md", "--json")
    assert (run.code, json.loads(run.out)["documents"][0]["status"]) == (1, "failed")


def test_ingest_says_which_files_it_takes_when_a_folder_holds_none(library: Library, tmp_path: Path) -> None:
    run = library.run("ingest", tmp_path)
    assert (run.code, run.out.splitlines()[1]) == (
        0,
        "No file was found. Supported formats: Markdown, plain text, HTML, PDF, Word (.docx) and CSV.",
    )


# Search and answers

HIT_FIELDS = set(
    "rank chunk_id document_id title heading_path start end text score dense_rank lexical_rank cut".split()
)


def test_search_returns_as_many_hits_as_asked_for_with_every_field(library: Library) -> None:
    found = library.run("search", "approval of refunds", "--top-k", "1", "--json").json
    assert found["query"] == "approval of refunds"
    assert set(found["timings_ms"]) == {"embed", "dense", "lexical", "fuse", "total"}
    [hit] = found["hits"]
    assert set(hit) >= HIT_FIELDS
    assert (hit["rank"], hit["document_id"], hit["dense_rank"], hit["cut"]) == (1, "money.billing", 1, None)
    assert hit["text"] == library.text("money.billing")[hit["start"] : hit["end"]]


def test_search_is_readable_for_people(library: Library) -> None:
    lines = library.run("search", "approval of refunds").out.splitlines()
    assert lines[0] == "1. Billing > Refunds [money.billing#1] (1 by meaning, 1 by words)"
    assert "need the approval of a team lead" in lines[1]
    assert lines[-1].endswith(" ms")


ANSWER_FIELDS = set(
    "outcome answer claims citations hits searched_for usage timings_ms provider model trace_id".split()
)


@pytest.fixture(scope="module")
def asked(library: Library) -> Json:
    return library.run("--json", "ask", INVOICE_QUESTION).json


def test_ask_returns_every_field(asked: Json) -> None:
    assert set(asked) >= ANSWER_FIELDS
    assert set(asked["claims"][0]) >= {"text", "markers", "support"}
    assert set(asked["citations"][0]) >= {"marker", "chunk_id", "document_id", "start", "end", "quote"}
    assert set(asked["hits"][0]) >= HIT_FIELDS
    assert set(asked["timings_ms"]) >= {"embed", "dense", "lexical", "fuse", "first_token", "total"}


def test_ask_answers_with_exact_quotes(asked: Json, library: Library) -> None:
    assert (asked["outcome"], asked["provider"]) == ("answered", "embedded")
    assert "An invoice is due within 21 days." in [citation["quote"] for citation in asked["citations"]]
    assert [citation["quote"] for citation in asked["citations"]] == [
        library.text(citation["document_id"])[citation["start"] : citation["end"]]
        for citation in asked["citations"]
    ]


def test_embedded_answers_are_free(asked: Json) -> None:
    assert asked["usage"] == {
        "input_tokens": 0,
        "cached_input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": 0.0,
        "estimated": False,
    }


def test_quotes_are_exact_behind_wide_characters_and_windows_line_ends(library: Library) -> None:
    found = library.run("ask", "When do unused holidays expire?", "--document", "people.leave", "--json").json
    text = library.text("people.leave")
    quotes = [(c["quote"], text[c["start"] : c["end"]]) for c in found["citations"]]
    assert quotes[-1] == ("Unused holidays expire on the last day of March.",) * 2
    assert all(quote == exact for quote, exact in quotes)


def test_an_answer_for_people_shows_sources_and_cost_and_is_silent_on_the_error_stream(
    library: Library,
) -> None:
    run = library.run("ask", INVOICE_QUESTION, VIVA_LOG_LEVEL="DEBUG")
    assert "An invoice is due within 21 days. [2]" in run.out
    assert "[2] Billing (money.billing, characters 87-120)" in run.out
    assert "Quoted word for word from the sources; nothing was generated." in run.out
    assert "free" in run.out
    assert run.err == ""


def test_earlier_turns_complete_a_follow_up(library: Library, tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    history.write_text(json.dumps([{"question": "How long does parental leave last?"}]))
    found = library.run("ask", "and when is it paid?", "--history", history, "--json").json
    assert "parental" in found["searched_for"]


def test_without_knowledge_other_subjects_are_refused(library: Library) -> None:
    found = library.run("ask", "What is HNSW?", "--topic", "money", "--json").json
    assert (found["outcome"], found["citations"]) == ("not_in_kb", [])


# Many at once


@pytest.fixture(scope="module")
def asked_lines(library: Library, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    rows = [
        {"id": "first", "question": INVOICE_QUESTION},
        {"id": 2, "question": "  "},
        {"id": "filtered", "question": INVOICE_QUESTION, "topic": "people"},
        ["no object"],
        {"id": "misspelt", "question": INVOICE_QUESTION, "document": "money.biling"},
        {"id": "later", "question": "and when is it paid?", "history": [{"question": "What is a refund?"}]},
        {
            "id": "half a \ud83d pair",
            "question": f"\ud83d {INVOICE_QUESTION}",
            "history": [{"question": "\ud83d"}],
        },
        {"id": "none"},
        {"id": "extra", "question": INVOICE_QUESTION, "error": "not ours"},
    ]
    return library.run(
        "ask", "--jsonl", json_lines(tmp_path_factory.mktemp("many") / "ask.jsonl", rows)
    ).lines


def test_lines_are_answered_in_order_under_their_ids(asked_lines: list[Json]) -> None:
    assert [line["id"] for line in asked_lines] == [
        "first",
        2,
        "filtered",
        None,
        "misspelt",
        "later",
        "half a \ud83d pair",
        "none",
        "extra",
    ]


def test_an_answered_line_is_what_a_single_question_prints(asked_lines: list[Json], asked: Json) -> None:
    assert set(asked_lines[0]) == {*asked, "id"}
    assert asked_lines[0]["answer"] == asked["answer"]


def test_a_bad_line_is_an_error_with_a_hint_and_the_next_one_goes_on(asked_lines: list[Json]) -> None:
    assert [asked_lines[place] for place in (1, 3, 4, 7)] == [
        {"id": 2, "error": "The question is empty.", "hint": "Type a question."},
        {"id": None, "error": "Line 4 is not a JSON object.", "hint": "Correct the line."},
        {
            "id": "misspelt",
            "error": "The library has no document 'money.biling'.",
            "hint": "Did you mean money.billing?",
        },
        {
            "id": "none",
            "error": "`question` is not valid: Field required.",
            "hint": 'Give {"question": text, "history": [{"question": text, "answer": text}]}.',
        },
    ]


def test_a_line_filters_and_carries_history_like_the_options(asked_lines: list[Json]) -> None:
    assert {hit["document_id"] for hit in asked_lines[2]["hits"]} <= {"people.leave"}
    assert "refund" in asked_lines[5]["searched_for"]


def test_half_a_surrogate_pair_in_a_line_does_not_stop_the_batch(asked_lines: list[Json]) -> None:
    assert "An invoice is due within 21 days." in asked_lines[6]["answer"]


def test_a_field_that_is_not_ours_is_ignored(asked_lines: list[Json]) -> None:
    assert asked_lines[8]["outcome"] == "answered"


def test_options_hold_for_every_line_that_does_not_say_otherwise(library: Library, tmp_path: Path) -> None:
    rows = [
        {"id": 1, "question": INVOICE_QUESTION},
        {"id": 2, "question": INVOICE_QUESTION, "topic": "money"},
    ]
    lines = library.run("ask", "--topic", "people", "--jsonl", json_lines(tmp_path / "ask.jsonl", rows)).lines
    assert [line["retrieval"]["filters"]["topics"] for line in lines] == [["people"], ["money"]]


def test_search_reads_lines_from_standard_input(library: Library) -> None:
    entered = (
        b'{"id": "a", "query": "refunds", "top_k": 1}\n\n{"id": "b", "query": "caf\xe9"}\n{not json}\n'
        b'{"id": "c", "query": "refunds", "top-k": 2}\n{"id": "d", "query": "refunds", "top_k": true}\n'
        b'{"id": "deep", "query": ' + 100_000 * b"[" + b"\n"
    )
    lines = library.run("search", "--jsonl", "-", entered=entered).lines
    assert [(line["id"], len(line.get("hits", [])), line.get("error")) for line in lines] == [
        ("a", 1, None),
        (None, 0, "Line 3 is not a JSON object."),
        (None, 0, "Line 4 is not a JSON object."),
        ("c", 2, None),
        ("d", 0, "`top_k` is not valid."),
        (None, 0, "Line 7 is not a JSON object."),
    ]


# Starting


def test_wrong_usage_does_not_wait_for_slow_imports() -> None:
    code = (
        "import sys, rag.__main__ as program\n"
        "try:\n    program.main(['quiz', '--n', 'x'])\n"
        "except SystemExit:\n    print(sorted({'numpy', 'pydantic', 'sqlalchemy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert found.stdout == "[]\n"


def program(library: Library) -> list[str]:
    return [sys.executable, "-m", "rag", "--no-knowledge", "--data-dir", str(library.data_dir), "documents"]


def test_the_package_is_a_program(library: Library) -> None:
    found = subprocess.run(program(library), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (found.returncode, found.stderr) == (0, "")
    assert "money.billing" in found.stdout


def test_a_reader_that_goes_away_is_no_error(library: Library) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        found = subprocess.run(program(library), cwd=ROOT, stdout=gone, stderr=subprocess.PIPE, timeout=120)
    assert (found.returncode, found.stderr) == (0, b"")


def test_several_first_starts_at_once_all_have_the_whole_knowledge(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    shutil.copytree(exported / "models", tmp_path / "models")
    with ThreadPoolExecutor() as pool:
        starting = [
            pool.submit(
                rag, "documents", "--json", "--data-dir", tmp_path, VIVA_KNOWLEDGE_DIR=str(library.documents)
            )
            for _ in range(3)
        ]
    listed = [{document["id"] for document in run.result().json["documents"]} for run in starting]
    assert listed == [{"money.billing", "people.leave"}] * 3


# Failures


def assert_one_error(run: Run, message: str) -> None:
    assert (run.code, run.out, run.err) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["chunks", "nowhere"],
            "There is no document 'nowhere'. `python -m rag documents` lists them.",
        ),
        (
            ["remove", "nowhere"],
            "There is no document 'nowhere'. `python -m rag documents` lists them.",
        ),
        (["ask", " "], "The question is empty. Type a question."),
        (["ask", "Refunds?", "--topic", "mony"], "The library has no topic 'mony'. Did you mean money?"),
        (
            ["ask", "Refunds?", "--history", "pyproject.toml"],
            'pyproject.toml can\'t be read as JSON. It holds [{"question": text, "answer": text}].',
        ),
        (
            ["search", "--jsonl", "nowhere.jsonl"],
            "nowhere.jsonl can't be read: No such file or directory. Check the path.",
        ),
        (["ingest", "nowhere.md"], "nowhere.md does not exist. Check the spelling of the path."),
    ],
)
def test_a_failure_is_one_line_with_a_hint(library: Library, arguments: list[str], message: str) -> None:
    assert_one_error(library.run(*arguments), message)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert_one_error(
        rag("--data-dir", path, "documents"),
        f"The data folder {path} can't be made: File exists. "
        "Set VIVA_DATA_DIR or --data-dir to a folder that you may write to.",
    )


def test_a_misspelt_setting_stops_the_start_with_the_nearest_name(library: Library) -> None:
    assert_one_error(
        library.run("documents", VIVA_CHAT__PROVIDR="openai"),
        "There is no setting VIVA_CHAT__PROVIDR. Did you mean VIVA_CHAT__PROVIDER? "
        "The README lists all settings.",
    )


def test_openai_without_a_key_says_how_to_set_one(library: Library) -> None:
    assert_one_error(
        library.run("ask", INVOICE_QUESTION, VIVA_CHAT__PROVIDER="openai"),
        "OpenAI needs an API key. Set OPENAI_API_KEY or VIVA_CHAT__API_KEY, or enter a key for this session.",
    )


UNREACHABLE = {
    "VIVA_CHAT__PROVIDER": "openai_compatible",
    "VIVA_CHAT__BASE_URL": "http://127.0.0.1:9/v1",
    "VIVA_CHAT__MODEL": "some-model",
    "VIVA_CHAT__API_KEY": SECRET,
    "VIVA_LOG_LEVEL": "DEBUG",
}


def test_a_failed_call_prints_neither_question_nor_passages_nor_key(library: Library) -> None:
    assert_one_error(
        library.run("ask", INVOICE_QUESTION, **UNREACHABLE),
        "The server at 127.0.0.1:9 can't be reached. Check that it is running, and the network.",
    )


def test_doctor_checks_everything_and_prints_no_key(library: Library) -> None:
    run = library.run("doctor", "--json", **UNREACHABLE)
    checks = run.json["checks"]
    assert set(checks[0]) >= {"name", "ok", "detail"}
    assert {check["name"] for check in checks} >= set(
        "versions settings database documents index answers configuration".split()
    )
    assert [check["name"] for check in checks if not check["ok"]] == []
    assert SECRET not in run.out + run.err


def test_doctor_tells_people_what_to_do(library: Library) -> None:
    lines = library.run("doctor", VIVA_CHAT__PROVIDER="openai").out.splitlines()
    place = lines.index("FAILED answers: OpenAI needs an API key.")
    assert lines[place + 1].strip().startswith("Set OPENAI_API_KEY or VIVA_CHAT__API_KEY")


def test_a_key_is_not_written_to_the_data_folder(library: Library) -> None:
    written = [path for path in library.data_dir.rglob("*") if path.is_file()]
    assert [path.name for path in written if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["search"],
        ["ask", "Refunds?", "--jsonl", "ask.jsonl"],
        ["search", "x", "--top-k", "y"],
        ["search", "x", "--top-k", "0"],
        ["search", "x", "--top-k", "501"],
    ],
    ids=["no command", "unknown command", "no query", "two questions", "no number", "no hits", "many hits"],
)
def test_wrong_usage_ends_with_2_and_prints_no_result(arguments: list[str]) -> None:
    run = rag(*arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("usage: python -m rag")
