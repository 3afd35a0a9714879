"""Runs the commands of `python -m rag`, whose options have been read already, and prints their results."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rag.answering.asking import checked_question, parse_ask
from rag.arguments import MOST_HITS, json_file, json_lines
from rag.errors import InvalidInput, RagError
from rag.evaluation.command import evaluate
from rag.evaluation.text import evaluation_lines
from rag.quiz_commands import check_items, grade, inventory, judge_items, quiz
from rag.services import Services, build_services
from rag.settings import Settings, load_settings, log_to_stderr
from rag.storage.serialising import contract_answer, hit_to_json, retrieval_to_json
from rag.text_output import (
    answer_lines,
    check_lines,
    checked_lines,
    document_lines,
    grade_lines,
    hit_lines,
    ingest_lines,
    inventory_lines,
    judged_lines,
    quiz_lines,
)
from rag.types import Completed

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Run one command; return 0 when done, 1 if all files failed. Raises RagError."""
    settings = load_settings(**_overrides(options))
    log_to_stderr(settings.log_level)
    if options.command in WITHOUT_LIBRARY:
        result = WITHOUT_LIBRARY[options.command](settings, vars(options))
        return _print_lines(result) if getattr(options, "jsonl", None) else _print(options, result)
    services = build_services(settings, _show_progress)
    try:
        return _with_library(options, services)
    finally:
        services.close()


def _with_library(options: argparse.Namespace, services: Services) -> int:
    command = COMMANDS[options.command]
    if getattr(options, "jsonl", None):
        given = {key: value for key, value in vars(options).items() if value is not None}
        for _, line in json_lines(options.jsonl):
            print(json.dumps(_answered(command, services, given, line), ensure_ascii=False), flush=True)
        return 0
    result = command(services, vars(options))
    return _print(options, result) or int(options.command == "ingest" and _nothing_read(result))


def _print(options: argparse.Namespace, result: Json) -> int:
    if getattr(options, "json", False):
        print(json.dumps(result, ensure_ascii=False))
    else:
        for text in TEXT[options.command](result):
            print(text)
    return 0


def _print_lines(result: Json) -> int:
    for line in (*result.pop("items"), result):
        print(json.dumps(line, ensure_ascii=False))
    return 0


def _answered(
    command: Callable[[Services, Json], Json], services: Services, given: Json, line: Json | InvalidInput
) -> Json:
    """Return the result of one line, whose fields go before the options that were given for all."""
    number = None
    try:
        if isinstance(line, InvalidInput):
            raise line
        number = line.get("id")
        return command(services, given | line) | {"id": number}
    except RagError as error:
        return {"id": number, "error": str(error), "hint": error.hint}


def _ingest(services: Services, options: Json) -> Json:
    started = time.perf_counter()
    results = services.ingest([Path(path) for path in options["paths"]], _show_progress)
    return {
        "documents": [
            {key: value for key, value in asdict(result).items() if value != ""} for result in results
        ],
        "seconds": round(time.perf_counter() - started, 3),
    }


def _nothing_read(result: Json) -> bool:
    """Tell whether there were files and every one failed."""
    statuses = {document["status"] for document in result["documents"]}
    return statuses == {"failed"}


def _documents(services: Services, options: Json) -> Json:
    return {
        "documents": [
            {**asdict(summary), "updated_at": summary.updated_at.isoformat()}
            for summary in services.library.summaries()
        ]
    }


def _remove(services: Services, options: Json) -> Json:
    if not services.remove(options["id"]):
        raise InvalidInput(
            f"There is no document {options['id']!r}.", hint="`python -m rag documents` lists them."
        )
    return {"removed": options["id"]}


def _chunks(services: Services, options: Json) -> Json:
    if services.document(options["id"]) is None:
        raise InvalidInput(
            f"There is no document {options['id']!r}.", hint="`python -m rag documents` lists them."
        )
    return {
        "chunks": [
            {
                "id": chunk.id,
                "heading_path": list(chunk.heading_path),
                "start": chunk.start,
                "end": chunk.end,
                "tokens": chunk.tokens,
                "text": chunk.text,
            }
            for chunk in services.library.chunks(options["id"])
        ]
    }


def _search(services: Services, options: Json) -> Json:
    query = options.get("query")
    if not isinstance(query, str):
        raise InvalidInput("`query` is missing.", hint='Give {"query": text}.')
    top_k = options.get("top_k")
    if top_k is None:
        top_k = services.settings.retrieval.top_k
    if type(top_k) is not int or not 1 <= top_k <= MOST_HITS:  # not isinstance: True is an int
        raise InvalidInput("`top_k` is not valid.", hint=f"Give a whole number from 1 to {MOST_HITS}.")
    retrieval = services.retriever.retrieve(checked_question(query), top_k=top_k)
    return retrieval_to_json(retrieval) | {"hits": [hit_to_json(hit) for hit in retrieval.hits[:top_k]]}


def _ask(services: Services, options: Json) -> Json:
    values = {key: value for key, value in options.items() if value is not None}
    if isinstance(values.get("history"), Path):
        values["history"] = json_file(values["history"])
    summaries = services.library.summaries()
    ask = parse_ask(values).ask({s.topic for s in summaries}, {s.id for s in summaries})
    for event in services.answerer().stream(ask):
        if isinstance(event, Completed):
            return contract_answer(event.answer)
    raise AssertionError("an answer ends with Completed")


def _doctor(services: Services, options: Json) -> Json:
    from rag.doctor import examine

    checks = [{k: v for k, v in asdict(check).items() if v != ""} for check in examine(services)]
    return {"checks": checks}


def _overrides(options: argparse.Namespace) -> Json:
    given = vars(options)
    overrides: Json = {}
    if "data_dir" in given:
        overrides["data_dir"] = given["data_dir"]
    if given.get("no_knowledge"):
        overrides["load_knowledge"] = False
    return overrides


_shown_step = ""


def _show_progress(step: str, done: int, total: int) -> None:
    """Show progress on stderr: a line that changes on a terminal, one line per tenth elsewhere."""
    global _shown_step
    if sys.stderr.isatty():
        print(
            f"\r\033[K{step} ({done}/{total})", end="\n" if done >= total else "", file=sys.stderr, flush=True
        )
        return
    tenth = f"{step.split(' ')[0]} {10 * done // total if total else 10}"
    if tenth != _shown_step:
        _shown_step = tenth
        print(f"{step} ({done}/{total})", file=sys.stderr, flush=True)


WITHOUT_LIBRARY: Mapping[str, Callable[[Settings, Json], Json]] = {
    "check-items": partial(check_items, progress=_show_progress),
    "judge-items": judge_items,
}
COMMANDS: Mapping[str, Callable[[Services, Json], Json]] = {
    "ingest": _ingest,
    "documents": _documents,
    "remove": _remove,
    "chunks": _chunks,
    "search": _search,
    "ask": _ask,
    "doctor": _doctor,
    "evaluate": partial(evaluate, progress=_show_progress),
    "inventory": inventory,
    "quiz": quiz,
    "grade": grade,
}
TEXT: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "ingest": ingest_lines,
    "documents": document_lines,
    "remove": lambda result: iter([f"Removed {result['removed']}."]),
    "chunks": lambda result: iter(f"[{c['start']}-{c['end']}] {c['text']}\n" for c in result["chunks"]),
    "search": hit_lines,
    "ask": answer_lines,
    "doctor": check_lines,
    "evaluate": evaluation_lines,
    "inventory": inventory_lines,
    "check-items": checked_lines,
    "judge-items": judged_lines,
    "quiz": quiz_lines,
    "grade": grade_lines,
}
