"""Declares what the command line accepts, and reads the files it is given."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput

MOST_HITS = 500
"""Hits that one search returns."""


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
    command("remove", "delete a document for good; stored answers keep their quotes").add_argument("id")
    command("chunks", "show the chunks of a document").add_argument("id")
    command("inventory", "count words, documents, chunks and questions per topic and level")
    command("doctor", "check the installation")
    evaluate = command("evaluate", "measure answers on golden questions")
    evaluate.add_argument(
        "--set",
        type=Path,
        default=Path("tests/golden"),
        metavar="FILE",
        help="golden questions, a .jsonl file or a folder of them; tests/golden by default",
    )
    instead = evaluate.add_mutually_exclusive_group()
    instead.add_argument("--cases", action="store_true", help="measure on the test cases made in the chat")
    instead.add_argument("--history", action="store_true", help="list the runs, newest first")
    instead.add_argument(
        "--compare", nargs=2, metavar=("RUN_A", "RUN_B"), help="say what changed from one run to another"
    )
    quiz = command("quiz", "choose checked questions")
    quiz.add_argument("--n", type=_whole_number(), default=10, metavar="N", help="how many; 10 by default")
    quiz.add_argument("--topic", help="questions on this topic only")
    quiz.add_argument("--level", choices=("junior", "mid", "senior"))
    quiz.add_argument("--kind", choices=("mcq", "open"))
    quiz.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed gives the same quiz")
    check = command("check-items", "check quiz questions: form, quotes, tells, repeats")
    check.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a .yaml file or folder of the bank, or .jsonl; without it, the shipped bank",
    )
    check.add_argument("--jsonl", metavar="FILE", help="print one JSON object an item, and one for the set")
    judge = command("judge-items", "judge the options of new questions against their source, key unseen")
    judge.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a .yaml file or folder of the bank"
    )
    grade = command("grade", "grade an answer: one JSON object on standard input, or the options below")
    grade.add_argument("--question-id", metavar="ID", help="a question of the pool; `quiz --json` lists them")
    grade.add_argument("--question", metavar="TEXT", help="any question, with --reference")
    grade.add_argument("--reference", metavar="TEXT", help="its right answer")
    grade.add_argument("--answer", metavar="TEXT", help="what somebody answered")
    grade.add_argument("--jsonl", metavar="FILE", help="one JSON object a line; - reads stdin")
    search = command("search", "find passages")
    _one_or_many(search, "query")
    search.add_argument("--top-k", type=_whole_number(MOST_HITS), metavar="N", help="how many hits")
    ask = command("ask", "answer a question")
    _one_or_many(ask, "question")
    ask.add_argument(
        "--history", type=Path, metavar="FILE", help="earlier turns: [{question, answer}] as JSON"
    )
    ask.add_argument("--topic", help="search this topic only")
    ask.add_argument("--document", metavar="ID", help="search this document only")
    return whole


def _whole_number(most: int | None = None) -> Callable[[str], int]:
    wanted = "a whole number from 1" + (f" to {most}" if most else "")

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if number < 1 or (most and number > most):
            raise argparse.ArgumentTypeError(f"give {wanted}")
        return number

    return read


def _one_or_many(command: argparse.ArgumentParser, name: str) -> None:
    either = command.add_mutually_exclusive_group(required=True)
    either.add_argument(name, nargs="?", help=f"the {name}")
    either.add_argument(
        "--jsonl", metavar="FILE", help=f"one JSON object with `{name}` a line; - reads stdin"
    )


def json_lines(name: str) -> Iterator[tuple[int, dict[str, Any] | InvalidInput]]:
    """Yield the objects of a JSON lines file (- is stdin), or what is wrong with a line that holds none.

    Each comes with the number of its line, from 1; blank lines are left out.
    """
    with contextlib.ExitStack() as opened:
        try:
            stream = sys.stdin.buffer if name == "-" else opened.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise InvalidInput(f"{name} can't be read: {error.strerror}.", hint="Check the path.") from None
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                values = None
            if isinstance(values, dict):
                yield number, {key.replace("-", "_"): value for key, value in values.items()}
            else:
                yield number, InvalidInput(f"Line {number} is not a JSON object.", hint="Correct the line.")


def json_object(text: str, hint: str) -> dict[str, Any]:
    """Return the one JSON object in `text`; raises InvalidInput with `hint` when it holds none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput("The input is not one JSON object.", hint=hint)
    return found


def json_file(path: Path) -> Any:
    """Return what a JSON file holds; raises InvalidInput when it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InvalidInput(
            f"{path} can't be read as JSON.", hint='It holds [{"question": text, "answer": text}].'
        ) from None
