"""The commands on questions: choose, check, judge and count them."""

from __future__ import annotations

import sys
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.arguments import json_lines, json_object
from rag.embedding.base import Progress
from rag.errors import InvalidInput
from rag.ingestion.loading import load_folder
from rag.inventory import take_inventory
from rag.judging import judge
from rag.providers.prices import total
from rag.quiz.assembling import assemble
from rag.quiz.bank import load_bank
from rag.quiz.grading import grade_choice
from rag.quiz.grading.interchange import (
    FORM,
    GradeInput,
    RubricOrigin,
    grade_to_json,
    option_of,
    parse_grade,
)
from rag.quiz.serialising import quiz_to_json
from rag.quiz.validation import check_bank, check_values
from rag.services import Services, open_embedder
from rag.settings import Settings
from rag.types import FREE

Json = dict[str, Any]
NOBODY = ""
"""Whose questions the command line asks: it knows no login."""


def quiz(services: Services, options: Json) -> Json:
    """Return checked questions: of the bank, and those that belong to nobody in particular.

    Raises InvalidInput for a topic without questions, and when there are none at all.
    """
    pool = services.study.pool
    questions, rejected = pool.questions(NOBODY), pool.rejected(NOBODY)
    if not questions and rejected:
        return quiz_to_json([], rejected)
    if not questions:
        raise InvalidInput(
            "There are no questions yet.",
            hint="Set VIVA_KNOWLEDGE_DIR to a folder whose `questions` folder holds a question bank.",
        )
    topic = options["topic"]
    wanted = {name: options[name] for name in ("n", "level", "kind", "seed")}
    chosen = assemble(questions, pool.embed, topics=() if topic is None else (topic,), **wanted)
    return quiz_to_json(chosen, rejected)


def grade(services: Services, options: Json) -> Json:
    """Grade one answer: to a question of the pool, or to any question with a reference answer.

    Without such options the values are read from standard input, as one JSON object. Raises InvalidInput,
    ProviderError and BudgetExceeded.
    """
    values = {name: options[name] for name in GradeInput.model_fields if options.get(name) is not None}
    if not values and not options.get("jsonl"):
        values = json_object(sys.stdin.buffer.read().decode("utf-8", "replace"), FORM)
    asked = parse_grade(values)
    trace_id = uuid.uuid4().hex
    rubric: RubricOrigin = "fixed"
    spent = FREE
    if asked.question_id is not None:
        found = services.study.pool.get(NOBODY, asked.question_id)
        if found is None:
            raise InvalidInput(
                f"There is no question {asked.question_id!r}.", hint="`python -m rag quiz --json` lists some."
            )
        question = found
    else:
        question, rubric, spent = services.study.reference_question(
            asked.question or "", asked.reference or "", trace_id=trace_id
        )
    if question.kind == "mcq":
        result = grade_choice(question, option_of(question, asked.answer))
    else:
        result = services.study.grader().grade(question, str(asked.answer), trace_id=trace_id)
    return grade_to_json(result, rubric=rubric, usage=total([spent, result.usage]), trace_id=trace_id)


def inventory(services: Services, options: Json) -> Json:
    """Return how much the library and the bank hold."""
    return take_inventory(services)


def check_items(settings: Settings, options: Json, *, progress: Progress) -> Json:
    """Check the questions of a file; needs the embedding model and the documents, and no database.

    Raises InvalidInput when the file can't be read or holds none.
    """
    file = Path(options.get("jsonl") or options["file"] or settings.knowledge_dir / "questions")
    embed = open_embedder(settings, progress).embed
    if options.get("jsonl") or file.suffix in (".jsonl", ".json") or str(file) == "-":
        lines = json_lines(str(file))
        values = ((number, None if isinstance(line, InvalidInput) else line) for number, line in lines)
        report = check_values(values, embed)
    else:
        report = check_bank(load_bank(file), load_folder(settings.knowledge_dir), embed)
    if not report.items:
        raise InvalidInput(
            f"{file} holds no questions.",
            hint="Write {question, options, correct} as one JSON object a line.",
        )
    return {
        "items": [
            {
                "id": item.id,
                "passed": item.passed,
                "failed_gates": [failure.gate for failure in item.failures],
                "reasons": [failure.reason for failure in item.failures],
            }
            for item in report.items
        ],
        "set_gates": [asdict(gate) for gate in report.gates],
        "passed": report.passed,
    }


def judge_items(settings: Settings, options: Json) -> Json:
    """Ask the person at the terminal for the verdicts that new or changed questions lack."""
    folder = settings.knowledge_dir / "questions"
    documents = load_folder(settings.knowledge_dir)
    return judge(options["file"] or folder, folder / "verdicts", documents, input, print)
