"""Uploads to real services with real workers, waits for them, and checks that documents are whole."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from rag.embedding.onnx import OnnxEmbedder
from rag.ingestion.chunking import chunk, windows
from rag.services import Services
from rag.settings import load_settings
from rag.storage.engine import Database
from rag.storage.jobs import Job
from rag.text.sentences import sentences

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
UNFINISHED = ("queued", "running")


def prose(size: int, files: int = 1, volume: str = "volume") -> list[tuple[str, bytes]]:
    """Return Markdown files of `size` bytes in all: the knowledge documents under other titles."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(KNOWLEDGE.glob("*/*.md"))]
    bodies = [re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL) for text in texts]
    made: list[tuple[str, bytes]] = []
    number = 0
    for file in range(1, files + 1):
        parts = [f"# Collected notes, {volume} {file}\n"]
        while sum(map(len, parts)) < size / files:
            body = bodies[number % len(bodies)]
            parts.append(re.sub(r"^# (.*)$", rf"## Note {number}: \1", body, flags=re.MULTILINE))
            number += 1
        text = "\n".join(parts).encode()[: size // files].decode(errors="ignore")
        made.append((f"{volume}-{file}.md", text.encode()))
    return made


def open_services(data_dir: Path, embedder: OnnxEmbedder, models: Path, *, jobs: bool = True) -> Services:
    """Return services whose library begins empty, with the jobs begun; a worker finds its model in place."""
    data_dir.mkdir(exist_ok=True)
    if not (data_dir / "models").exists():
        shutil.copytree(models, data_dir / "models")
    settings = load_settings({}, data_dir=data_dir, load_knowledge=False)
    services = Services(settings, embedder, Database(settings.sqlalchemy_url), lambda *_: None)
    if jobs:
        services.start_jobs()
    return services


def finished(services: Services, job_id: str, seconds: float = 120) -> Job:
    """Wait for the end of a job and until the index knows what came of it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = services.jobs.get(job_id)
        assert job is not None
        if job.state not in UNFINISHED and services.retriever.index.version == services.library.version():
            return job
        time.sleep(0.05)
    raise AssertionError(f"The job is not finished after {seconds} s: {services.jobs.get(job_id)}")


def flaws(services: Services) -> list[str]:
    """Return what any document of the library lacks: its chunks, windows and sentences, or a vector."""
    library = services.library
    with library.snapshot():
        summaries = library.summaries()
        of_chunk: dict[str, list[tuple[int, int]]] = {}
        for window in library.windows():
            of_chunk.setdefault(window.chunk_id, []).append((window.start, window.end))
        of_document: dict[str, list[tuple[int, int]]] = {}
        for sentence in library.sentences():
            of_document.setdefault(sentence.document_id, []).append((sentence.start, sentence.end))
        keys = {window.vector_key for window in library.windows()}
        keys |= {sentence.vector_key for sentence in library.sentences() if sentence.vector_key}
        lacking = len(keys - library.vectors(services.embedder.model, keys).keys())
        found = [f"{lacking} vectors are missing"] if lacking else []
        for summary in summaries:
            document = library.document(summary.id)
            assert document is not None
            cut, stored = chunk(document), library.chunks(summary.id)
            if [(c.id, c.start, c.end, c.text) for c in cut] != [
                (c.id, c.start, c.end, c.text) for c in stored
            ]:
                found.append(f"{summary.id}: chunks")
            if any(
                [(span.start, span.end) for span in windows(document, part)] != of_chunk.get(part.id)
                for part in stored
            ):
                found.append(f"{summary.id}: windows")
            told = [(unit.start, unit.end) for unit in sentences(document.text, document.body_start)]
            if told != of_document.get(summary.id):
                found.append(f"{summary.id}: sentences")
    return found + services.database.problems()


def is_gone(pid: int, seconds: float = 60) -> bool:
    """Tell whether a process ends within so many seconds; a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
