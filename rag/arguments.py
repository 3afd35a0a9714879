"""Declares what the command line accepts."""

from __future__ import annotations

import argparse
from pathlib import Path


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of `python -m rag`; the options it yields hold `command` and what that one takes."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, metavar="DIR")
    common.add_argument(
        "--no-knowledge",
        action="store_true",
        default=argparse.SUPPRESS,
        help="leave out the shipped documents",
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object"
    )
    whole = argparse.ArgumentParser(prog="python -m rag", description=description, parents=[common])
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    command("ingest", "add or update documents").add_argument("paths", nargs="+", metavar="PATH")
    command("documents", "list the documents")
    command("remove", "delete a document").add_argument("id")
    command("chunks", "show the chunks of a document").add_argument("id")
    command("inventory", "count words, documents, chunks and questions per topic and level")
    command("doctor", "check the installation")
    evaluate = command("evaluate", "measure answers on golden questions")
    evaluate.add_argument("--set", type=Path, default=Path("tests/golden"), metavar="FILE")
    check = command("check-items", "check quiz questions: form, quotes, tells, repeats")
    check.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a .yaml file or folder of the bank, or .jsonl; without it, the shipped bank",
    )
    search = command("search", "find passages")
    _one_or_many(search, "query")
    search.add_argument("--top-k", type=int, metavar="N", help="how many hits")
    ask = command("ask", "answer a question")
    _one_or_many(ask, "question")
    ask.add_argument(
        "--history", type=Path, metavar="FILE", help="earlier turns: [{question, answer}] as JSON"
    )
    ask.add_argument("--topic", help="search this topic only")
    ask.add_argument("--document", metavar="ID", help="search this document only")
    return whole


def _one_or_many(command: argparse.ArgumentParser, name: str) -> None:
    either = command.add_mutually_exclusive_group(required=True)
    either.add_argument(name, nargs="?", help=f"the {name}")
    either.add_argument(
        "--jsonl", metavar="FILE", help=f"one JSON object with `{name}` a line; - reads stdin"
    )
