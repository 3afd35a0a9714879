"""Runs code in a process of its own, forked from one that has the slow imports behind it."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PRELOADED = [
    "pytest",
    "rag.commands",
    "rag.embedding.onnx",
    "rag.ingestion.indexing",
    "onnxruntime",
    "faiss",
]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(_PRELOADED)


@dataclass(frozen=True)
class Finished:
    """How a process ended and what it wrote."""

    code: int
    out: bytes
    err: bytes


def run_forked(
    target: Callable[..., Any],
    *arguments: object,
    environ: Mapping[str, str],
    cwd: Path,
    entered: bytes = b"",
    timeout: float = 120,
) -> Finished:
    """Return what `target(*arguments)`, a function of a module, wrote; it sees this environment alone.

    Its result is the exit code, as of a main function. Raises TimeoutError when it does not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in").write_bytes(entered)
        child = _context.Process(target=_run, args=(folder, dict(environ), cwd, target, arguments))
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise TimeoutError(f"{target.__name__}{arguments} did not end within {timeout} s")
        return Finished(child.exitcode, Path(folder, "out").read_bytes(), Path(folder, "err").read_bytes())


def _run(
    folder: str,
    environ: Mapping[str, str],
    cwd: Path,
    target: Callable[..., Any],
    arguments: tuple[object, ...],
) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.stdin = _stream(0, Path(folder, "in"), "r", "strict")
    sys.stdout = _stream(1, Path(folder, "out"), "w", "strict")
    sys.stderr = _stream(2, Path(folder, "err"), "w", "backslashreplace")
    sys.exit(target(*arguments))


def _stream(descriptor: int, path: Path, mode: str, errors: str) -> io.TextIOWrapper:
    with path.open(f"{mode}b") as opened:
        os.dup2(opened.fileno(), descriptor)
    raw = os.fdopen(descriptor, f"{mode}b", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", errors, write_through=True)
