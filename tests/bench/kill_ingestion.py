"""Kills ingestion at random moments and checks that nothing is half saved and every job goes on.

Run `python3 -m tests.bench.kill_ingestion [KILLS] [SEED]`. By default it kills 50 times; every fifth kill
ends the server instead of the worker, so that the next server has to go on.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from rag.embedding.onnx import OnnxEmbedder, open_onnx_embedder
from rag.evaluation.metrics import percentile
from rag.services import Services
from rag.storage.jobs import Job
from tests.uploads import UNFINISHED, finished, flaws, is_gone, open_services, prose

ROOT = Path(__file__).parents[2]
BYTES, FILES = 30_000, 3
LONGEST_S = 5.0
"""A kill comes so long after the worker's start at most; reading the files takes about as long."""

SERVER = """
import sys, threading
from rag.services import build_services
from rag.settings import load_settings
services = build_services(load_settings({}, data_dir=sys.argv[1], load_knowledge=False))
services.start_jobs()
while services._supervisor.worker_pid is None:
    threading.Event().wait(0.01)
print(services._supervisor.worker_pid, flush=True)
threading.Event().wait()
"""


def killed_worker(services: Services, wait: float) -> None:
    """Let the services begin, and kill their worker after some seconds."""
    services.start_jobs()
    assert services._supervisor is not None
    while (pid := services._supervisor.worker_pid) is None:
        time.sleep(0.01)
    time.sleep(wait)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def killed_server(data_dir: Path, wait: float) -> None:
    """Let a server of its own begin, kill it after some seconds and see its worker go."""
    command = [sys.executable, "-c", SERVER, str(data_dir)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    time.sleep(wait)
    server.kill()
    server.communicate()
    assert is_gone(worker), "the worker outlived its server"


def point(job: Job) -> str:
    """Return what a kill found the job at."""
    for file in job.files:
        if file.state in UNFINISHED:
            return file.stage or ("before the first file" if file.position == 0 else "between two files")
    return "after the last file"


def life(
    data_dir: Path, embedder: OnnxEmbedder, models: Path, name: str, wait: float
) -> tuple[str, float, Job]:
    """Upload, kill, check, go on, check; return what was hit, seconds until all was done, and the job."""
    services = open_services(data_dir, embedder, models, jobs=False)
    job_id = services.upload(prose(BYTES, FILES, name))
    if "server" in name:
        killed_server(data_dir, wait)
    else:
        killed_worker(services, wait)
    job = services.jobs.get(job_id)
    assert job is not None
    assert flaws(services) == []
    services._build_index(None)
    started = time.perf_counter()
    services.start_jobs()
    ended = finished(services, job_id, 300)
    seconds = time.perf_counter() - started
    assert flaws(services) == []
    services.close()
    return point(job), seconds, ended


def main() -> None:
    """Print what the kills hit and what came of the files."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    points: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    attempts: Counter[int] = Counter()
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        embedder = open_onnx_embedder(Path(folder))
        for number in range(kills):
            name = f"{'server' if number % 5 == 4 else 'worker'}-{number}"
            hit, took, job = life(
                Path(folder) / f"data-{number // 10}",
                embedder,
                Path(folder) / "models",
                name,
                chance.uniform(0, LONGEST_S),
            )
            points[f"{name.partition('-')[0]}: {hit}"] += 1
            outcomes.update(file.state for file in job.files)
            attempts.update(file.attempts for file in job.files)
            seconds.append(took)
            print(f"{number + 1:3} {name}: {hit}, done {took:.1f} s later", file=sys.stderr, flush=True)
    print(f"kills                {kills}, none left a document or vector half saved")
    for what, count in sorted(points.items()):
        print(f"  {what:30} {count:3}")
    print(f"files                {dict(outcomes)}")
    print(f"readings a file      {dict(sorted(attempts.items()))}")
    print(f"done after the kill  {percentile(seconds, 0.5):.1f} s p50, {max(seconds):.1f} s at most")


if __name__ == "__main__":
    main()
