"""Measures what questions feel of an upload: their time before and during, and the memory of both processes.

Run `python3 -m tests.bench.upload_load [DATA_DIR] [FILES]`. A copy of the data folder is used (without one,
a new library is indexed first); 1.3 MB of prose made of the knowledge documents are uploaded as that many
files (1), while one thread asks question after question with a pause between.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from rag.evaluation.metrics import percentile
from rag.services import Services, build_services
from rag.settings import load_settings
from rag.types import Ask
from tests.bench.speed import QUERIES
from tests.uploads import UNFINISHED, prose

ROOT = Path(__file__).parents[2]
BYTES = 1_300_000
PAUSE_S = 0.1
QUESTIONS_BEFORE = 150


def memory_mb(pid: int | str, field: str) -> float:
    """Return VmRSS or VmHWM (the peak) of a process, 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field)), 0.0)


class Asking:
    """A session that asks one question after the other until it is stopped."""

    def __init__(self, services: Services) -> None:
        self.times: list[float] = []
        self._services = services
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(PAUSE_S):
            started = time.perf_counter()
            list(self._services.answerer().stream(Ask(QUERIES[number % len(QUERIES)])))
            self.times.append((time.perf_counter() - started) * 1000)
            number += 1

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def main() -> None:
    """Print the figures."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    files = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        if given:
            shutil.copytree(given, data_dir)
        services = build_services(load_settings({}, data_dir=data_dir, knowledge_dir=ROOT / "knowledge"))
        services.start_jobs()
        with Asking(services) as before:
            while len(before.times) < QUESTIONS_BEFORE:
                time.sleep(0.1)
        resident = memory_mb("self", "VmRSS")
        peak = 0.0
        started = time.perf_counter()
        with Asking(services) as during:
            job_id = services.upload(prose(BYTES, files))
            while (job := services.jobs.get(job_id)) and job.state in UNFINISHED:
                supervisor = services._supervisor
                if supervisor and (pid := supervisor.worker_pid):
                    peak = max(peak, memory_mb(pid, "VmHWM"))
                time.sleep(0.2)
            ingested = time.perf_counter() - started
            while services.retriever.index.version != services.library.version():
                time.sleep(0.05)
            searchable = time.perf_counter() - started
        assert job is not None
        print(f"files                {[(file.state, file.chunks) for file in job.files]}")
        print(f"ingestion            {ingested:8.1f} s, searchable after {searchable:.1f} s")
        print(f"worker peak          {peak:8.0f} MB resident")
        grown = memory_mb("self", "VmRSS") - resident
        print(f"server               {grown:+8.0f} MB resident, of {resident:.0f}")
        for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
            was, is_now = percentile(before.times, share), percentile(during.times, share)
            print(f"question {name}         {was:8.1f} ms before, {is_now:.1f} during, x {is_now / was:.2f}")
        print(f"questions            {len(before.times)} before, {len(during.times)} during")
        services.close()


if __name__ == "__main__":
    main()
