"""Processes that are killed at any moment lose nothing that was saved and leave nothing half saved."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from rag.storage.cited import Citations
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from rag.storage.library import Library

KILLS = 20
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

CHILD = """
import sys
from datetime import UTC, datetime
import numpy as np
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.ledger import CallRecord, Ledger
from rag.storage.library import Library, Original
from rag.types import FREE, Answer, Chunk, Citation, Document, Span

database = Database(sys.argv[1])
life = sys.argv[2]
library = Library(database)
clock = lambda: datetime.now(UTC)
conversations, ledger = Conversations(database, clock), Ledger(database, clock)
print("ready", flush=True)
for number in range(100_000):
    name = f"{life}-{number}"
    chunks = [Chunk(f"{name}-{n}", name, (), 0, 5, "Text." * 300, 2) for n in range(20)]
    library.save(
        Document(name, name, "T", "Text." * 300, "h"),
        chunks,
        {chunk.id: [(Span(0, 5), chunk.id)] for chunk in chunks},
        [(Span(0, 5), "prose", None, name)] * 20,
        model="mini",
        vectors={key: np.zeros(384, np.float32) for key in (*(chunk.id for chunk in chunks), name)},
        original=Original(name, b"file" * 9_000),
    )
    print("document", name, flush=True)
    call_id = ledger.open(CallRecord(name, "answer", "openai", "m"))
    conversation = conversations.create(name)
    turn_id = conversations.add_turn(conversation.id, name)
    answer_id = conversations.begin_answer(turn_id, "openai", "m", name)
    print("begun", conversation.id, flush=True)
    citations = (Citation(1, f"{name}-0", name, name, 0, 5, "Text."),)
    conversations.complete(answer_id, Answer("answered", name * 200, "passages", citations=citations))
    ledger.settle(call_id, "completed", FREE, 1.0)
    print("answer", conversation.id, flush=True)
    print("settled", call_id, flush=True)
    if number % 3 == 2:
        print("removing", name, flush=True)
        library.remove(name)
        print("removed", name, flush=True)
    if number % 3 == 1:
        print("taking", name, flush=True)
        library.take_out(name)
        print("taken", name, flush=True)
"""


def _live_and_die(url: str, life: int, seconds: float) -> list[tuple[str, str]]:
    """Run the child, kill it after some seconds of work, and return what it said: (what, id)."""
    command = [sys.executable, "-c", CHILD, url, str(life)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(seconds)
    child.kill()
    lines = child.stdout.read().split("\n")[:-1]  # the last line may be cut
    child.stdout.close()
    child.wait()
    return [(what, name) for what, name in (line.split(" ", 1) for line in lines)]


def test_killed_processes_lose_nothing_and_leave_nothing_half_saved(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'viva.db'}"
    chance = random.Random(7)
    with ThreadPoolExecutor(2) as pool:  # two at a time also compete for the file
        lives = [pool.submit(_live_and_die, url, life, chance.uniform(0, 0.3)) for life in range(KILLS)]
        said: dict[str, set[str]] = defaultdict(set)
        for life in lives:
            for what, name in life.result():
                said[what].add(name)

    database = Database(url)
    assert database.problems() == []

    library = Library(database)
    found = {summary.id: summary.chunks for summary in library.summaries()}
    kept = {removed.id: library.taken_out(removed.id) for removed in library.removed()}
    assert said["document"] - said["removing"] - said["taking"] <= found.keys()
    assert not (said["removed"] | said["taken"]) & found.keys()
    assert not found.keys() & kept.keys()
    assert said["taking"] <= found.keys() | {name for name, copy in kept.items() if copy}
    files = [library.original(name) for name in found] + [copy[2] for copy in kept.values() if copy]
    assert {file.content for file in files if file} == {b"file" * 9_000}
    assert None not in files
    assert set(found.values()) == {20}
    keys = {window.vector_key for window in library.windows()}
    keys |= {sentence.vector_key for sentence in library.sentences() if sentence.vector_key}
    assert len(library.windows()) == len(library.sentences()) == 20 * len(found)
    assert len(keys) == 21 * len(found)
    assert library.vectors("mini", keys).keys() == keys
    assert library.drop_unused_vectors() == 0

    conversations = Conversations(database, lambda: NOW)
    begun = [turn for each in said["begun"] for turn in conversations.turns(each)]
    assert len(begun) == len(said["begun"])
    assert {turn.answers[0].answer.outcome for turn in begun} <= {"answered", "interrupted"}
    answered = [turn for each in said["answer"] for turn in conversations.turns(each)]
    assert {turn.answers[0].answer.outcome for turn in answered} == {"answered"}
    cited = Counter(turn.question for turn in begun if turn.answers[0].answer.citations)
    assert Citations(database).counts().items() >= cited.items()

    ledger = Ledger(database, lambda: NOW)
    status = {call.id: call.status for call in ledger.calls(100_000)}
    assert {status[call_id] for call_id in said["settled"]} == {"completed"}
    assert ledger.close_open() <= KILLS
    database.close()


def test_a_log_cut_at_any_frame_opens_to_a_prefix_of_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "viva.db"
    database = Database(f"sqlite:///{file}")
    conversations = Conversations(database, lambda: NOW)
    for title in ("a", "b", "c", "d", "e", "f"):
        conversations.create(title)
    main, log = file.read_bytes(), Path(f"{file}-wal").read_bytes()
    database.close()

    prefixes = set()
    for end in range(32, len(log) + 1, 24 + 4096):  # header, then frames: header and page
        cut = tmp_path / f"{end}.db"
        cut.write_bytes(main)
        Path(f"{cut}-wal").write_bytes(log[:end])
        opened = Database(f"sqlite:///{cut}")
        assert opened.problems() == []
        titles = sorted(found.title for found in Conversations(opened, lambda: NOW).list())
        prefixes.add("".join(titles))
        opened.close()
    assert prefixes == {"", "a", "ab", "abc", "abcd", "abcde", "abcdef"}
