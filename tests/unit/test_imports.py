"""Who may import whom, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIERS = (
    {"text"},
    {"types", "errors", "quiz_types"},
    {"settings", "prompts", "login"},
    {"stores", "storage", "embedding", "providers"},
    {"ingestion"},
    {"retrieval"},
    {"answering"},
    {"quiz"},
    {"supervising"},
    {"study"},
    {"services"},
    {"arguments", "evaluation", "doctor", "inventory", "judging", "quiz_commands", "text_output", "working"},
    {"commands"},
    {"__main__"},
)
"""From left to right: a module imports from its own tier and from those before it."""
TIER_OF = {part: number for number, tier in enumerate(TIERS) for part in tier}
LANGCHAIN_AT_HOME = {
    "rag/answering/chain.py",
    "rag/answering/condensing.py",
    "rag/stores/faiss.py",
    "rag/providers/calls.py",
    "rag/providers/chat_models.py",
    "rag/providers/structured.py",
}
TORCH_AT_HOME = {"rag/embedding/export.py", "rag/embedding/sentence_transformers.py"}
PICKLES = {"save_local", "load_local", "allow_dangerous_deserialization"}


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the program by its path."""
    files = [*(ROOT / "rag").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(files)
    }


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that the nodes of a tree import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(*packages: str) -> set[str]:
    """Return the paths of the modules that import one of these packages anywhere."""
    return {
        path
        for path, tree in trees().items()
        if any(name.split(".")[0] in packages for name in imported(tree))
    }


def part_of(path: str) -> str:
    """Return which part of rag a module belongs to: rag/stores/faiss.py is of "stores"."""
    return path.removeprefix("rag/").removesuffix(".py").split("/")[0]


RAG_MODULES = [path for path in trees() if path.startswith("rag/") and path != "rag/__init__.py"]


@pytest.mark.parametrize("path", RAG_MODULES)
def test_a_module_imports_only_from_its_left(path: str) -> None:
    own = TIER_OF[part_of(path)]
    parts = [name.split(".")[1] for name in imported(trees()[path]) if name.startswith("rag.")]
    assert [part for part in parts if part != "__version__" and TIER_OF[part] > own] == []


def test_text_stands_alone() -> None:
    imports = {
        name.split(".")[1]
        for path in RAG_MODULES
        if part_of(path) == "text"
        for name in imported(trees()[path])
        if name.startswith("rag.")
    }
    assert imports == {"text"}


def test_rag_knows_nothing_of_the_pages() -> None:
    assert {path for path in importers("pages", "app", "tests") if path.startswith("rag/")} == set()


def test_rag_imports_no_streamlit() -> None:
    assert {path for path in importers("streamlit") if path.startswith("rag/")} == set()


def test_langchain_stays_behind_its_borders() -> None:
    assert importers("langchain", "langchain_core", "langchain_openai") <= LANGCHAIN_AT_HOME


def test_langchain_community_is_imported_for_faiss_alone() -> None:
    assert importers("langchain_community") == {"rag/stores/faiss.py"}


def test_nothing_imports_pickle() -> None:
    assert importers("pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib") == set()


def test_no_index_is_written_to_or_read_from_a_pickle() -> None:
    names = {
        (path, name)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        for name in (getattr(node, "attr", None), getattr(node, "id", None), getattr(node, "arg", None))
        if name in PICKLES
    }
    assert names == set()


def test_torch_is_imported_by_the_modules_that_need_it_alone() -> None:
    assert importers("torch", "sentence_transformers") == TORCH_AT_HOME


def test_importing_a_module_never_imports_torch() -> None:
    at_once = {
        path
        for path, tree in trees().items()
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        for name in imported(statement)
        if name.split(".")[0] in {"torch", "sentence_transformers", "onnx", "transformers"}
    }
    assert at_once == set()


def test_concrete_backends_are_chosen_in_services_alone() -> None:
    backends = {"rag.stores.faiss", "rag.embedding.onnx", "rag.embedding.sentence_transformers"}
    choosing = {
        path
        for path, tree in trees().items()
        if backends & {name.rpartition(".")[0] for name in imported(tree)}
    }
    assert choosing == {"rag/services.py", "rag/embedding/export.py"}
