"""Opens random citations of real answers in a browser and compares what is marked with what was quoted.

Run `python3 -m tests.bench.open_citations DATA_DIR`; it needs /usr/bin/chromium. The folder is copied; the
copy is asked questions of the golden set until there are enough citations. Every link is opened afresh, as
after a refresh or in somebody else's browser: in turn with all evidence of its answer and alone.
`--sentences N` opens N random sentences of the library as well, whatever kind they are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pages.shared.links import source_url
from rag.services import Services, build_services
from rag.settings import load_settings
from rag.text.sentences import sentences
from rag.types import Ask, Completed

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]
MARKUP = re.compile(r"^(?:```|~~~)[^\n]*\n|\n[ \t>]*(?:```|~~~)[ \t]*$|\]\([^)]*\)|[\s`*_~|#>\\\[\]]")
"""What of a source a reader does not see, or sees as space: signs of Markdown, addresses of links."""


class Link(NamedTuple):
    """An address with the words that should be marked there."""

    url: str
    quote: str


def seen(text: str) -> str:
    """Return a text without white space and without what Markdown does not show."""
    return MARKUP.sub("", text)


def cited(services: Services, number: int, seed: int) -> list[Link]:
    """Ask until there are `number` citations, storing answers as the chat does; return them shuffled."""
    lines = (ROOT / "tests/golden/answerable.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    random.Random(seed).shuffle(questions)
    links: list[Link] = []
    for count, question in enumerate(questions):
        if len(links) >= number:
            break
        trace = f"bench{count:03}"
        conversation = services.conversations.create()
        turn = services.conversations.add_turn(conversation.id, question)
        answer_id = services.conversations.begin_answer(turn, "embedded", "", trace)
        last = list(services.answerer().stream(Ask(question, trace_id=trace)))[-1]
        assert isinstance(last, Completed)
        services.conversations.complete(answer_id, last.answer)
        for one in last.answer.citations:
            shown = trace if len(links) % 2 == 0 else ""
            links.append(Link(source_url(one.document_id, one.start, one.end, one.quote, shown), one.quote))
    print(f"{len(links)} citations of {count} answers")
    random.Random(seed).shuffle(links)
    return links


def any_sentences(services: Services, number: int, seed: int) -> list[Link]:
    """Return links to random sentences of the library: prose, items, rows, code and headings alike."""
    links = []
    for summary in services.library.summaries():
        document = services.library.document(summary.id)
        assert document is not None
        for sentence in sentences(document.text, document.body_start):
            quote = document.text[sentence.start : sentence.end]
            links.append(Link(source_url(document.id, sentence.start, sentence.end, quote), quote))
    return random.Random(seed).sample(links, min(number, len(links)))


def opened(url: str, links: Iterable[Link]) -> list[tuple[Link, str]]:
    """Return for each link what is marked when it is opened in a new tab; empty when nothing is."""
    from playwright.sync_api import Error, sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        for link in links:
            page.goto("about:blank")
            page.goto(url + link.url)
            mark = page.locator(".st-key-sources_reader .st-key-sources_mark")
            try:
                mark.first.wait_for(timeout=30_000)
            except Error:
                found.append((link, ""))
                continue
            found.append((link, "".join(mark.all_inner_texts())))
        browser.close()
    return found


def serve(data_dir: Path) -> tuple[str, subprocess.Popen[bytes]]:
    """Start the app on a free port and wait until it can answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "VIVA_DATA_DIR": str(data_dir)})
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5) as response:
                if b'"ok"' in response.read():
                    return url, server
        except OSError:
            pass
        time.sleep(0.2)
    server.kill()
    raise RuntimeError("The app did not start.")


def main() -> None:
    """Print how many links mark exactly what was quoted, and each one that does not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--citations", type=int, default=200)
    parser.add_argument("--sentences", type=int, default=0)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        shutil.copytree(asked.data_dir, data_dir)
        services = build_services(load_settings(data_dir=data_dir))
        links = cited(services, asked.citations, asked.seed)[: asked.citations]
        links += any_sentences(services, asked.sentences, asked.seed)
        services.close()
        url, server = serve(data_dir)
        try:
            found = opened(url, links)
        finally:
            server.terminate()
            server.wait(20)
    different = [(link, marked) for link, marked in found if not marked or seen(marked) != seen(link.quote)]
    print(f"{len(found) - len(different)} of {len(found)} links mark exactly the words that were quoted")
    for link, marked in different:
        print(f"{link.url}\n  quoted {link.quote!r}\n  marked {marked!r}")


if __name__ == "__main__":
    main()
