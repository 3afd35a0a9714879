"""Every document of the library has the form that readers, search and quizzes rely on, and its code runs."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from rag.ingestion.front_matter import front_matter
from rag.ingestion.loading import documents_in, load_folder
from rag.text.markdown import blocks
from tests.conftest import ROOT
from tests.forked import run_forked

KNOWLEDGE = ROOT / "knowledge"
TOPICS = frozenset(
    """
    backend async-python api-design state-and-jobs llm-internals prompting inference embeddings
    chunking-and-parsing vector-search retrieval rag beyond-rag evaluation agents security privacy
    observability cost reliability system-design interview
    """.split()
)
SECTIONS = ("what", "why", "trade-off", "failure", "cost", "interview", "mistake", "reference")
CASE_SECTIONS = ("what", "requirement", "number", "design", *SECTIONS[2:])
RUNNABLE = frozenset({"numpy", "pydantic", "faiss"})
"""Packages that a sample may import and still be run here; what imports others is parsed."""
FENCE = re.compile(r"^[ \t]*```(\w+)[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)

FILES = sorted(documents_in([KNOWLEDGE]))
DOCUMENTS = load_folder(KNOWLEDGE)
NAMES = [path.stem for path in FILES]


def headings(path: Path) -> list[str]:
    """Return the titles of the document's sections."""
    text = path.read_text(encoding="utf-8")
    start = front_matter(text, path.name)[1]
    return [block.title for block in blocks(text, start) if block.kind == "heading" and block.level > 1]


def samples(language: str) -> list[tuple[str, str]]:
    """Return the code samples in one language, each with the name of its document."""
    return [
        (document.id, code)
        for document in DOCUMENTS.values()
        for found, code in FENCE.findall(document.text[document.body_start :])
        if found == language
    ]


def test_the_library_has_sixty_documents_over_all_topics() -> None:
    assert len(DOCUMENTS) >= 60
    assert {document.topic for document in DOCUMENTS.values()} == TOPICS


def test_every_topic_has_at_least_two_documents() -> None:
    counts = Counter(document.topic for document in DOCUMENTS.values())
    assert [topic for topic, number in counts.items() if number < 2] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_document_says_what_it_is(path: Path) -> None:
    meta, _ = front_matter(path.read_text(encoding="utf-8"), path.name)
    assert (meta.id, meta.topic) == (path.stem, re.sub(r"^\d+-", "", path.parent.name))
    assert meta.title and meta.level and meta.tags and meta.updated
    assert set(meta.prerequisites) <= set(DOCUMENTS) - {path.stem}


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_document_has_700_to_1600_words(path: Path) -> None:
    document = DOCUMENTS[path.stem]
    assert 700 <= len(document.text[document.body_start :].split()) <= 1600


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_document_has_every_section(path: Path) -> None:
    wanted = CASE_SECTIONS if "system-design" in path.parent.name else SECTIONS
    titles = " | ".join(headings(path)).lower()
    assert [name for name in wanted if name not in titles] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_questions_of_a_document_belong_to_its_sections(path: Path) -> None:
    meta, _ = front_matter(path.read_text(encoding="utf-8"), path.name)
    own = headings(path)
    assert len(set(own)) == len(own)
    assert set(meta.questions) <= {title for title in own if title != "References"}
    assert len(meta.questions) >= 5


def test_at_least_eight_system_design_cases() -> None:
    assert sum(document.topic == "system-design" for document in DOCUMENTS.values()) >= 8


def run_sample(code: str) -> None:
    """Run code as a program of its own."""
    sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(code, "sample", "exec"), vars(sys.modules["__main__"]))


@pytest.mark.parametrize(("name", "code"), samples("python"))
def test_python_samples_run(name: str, code: str, tmp_path: Path) -> None:
    tree = ast.parse(code)
    imports = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    if imports <= RUNNABLE | sys.stdlib_module_names:
        finished = run_forked(run_sample, code, environ=os.environ, cwd=tmp_path, timeout=30)
        assert finished.code == 0, finished.err.decode()


@pytest.mark.parametrize(("name", "code"), samples("json"))
def test_json_samples_parse(name: str, code: str) -> None:
    json.loads(code)


@pytest.mark.parametrize(("name", "code"), samples("yaml"))
def test_yaml_samples_parse(name: str, code: str) -> None:
    list(yaml.safe_load_all(code))
