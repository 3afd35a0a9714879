"""Writes questions as the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.quiz_types import AskedQuestion

Json = dict[str, Any]


def quiz_to_json(questions: Sequence[AskedQuestion], rejected: Mapping[str, int]) -> Json:
    """Return the questions in their order, and how many may not be asked now, by the gate they fail."""
    return {"questions": [question_to_json(one) for one in questions], "rejected": dict(rejected)}


def question_to_json(question: AskedQuestion) -> Json:
    """Return a question with its key and its evidence; options in the order to show them.

    `source` is null for an imported question that names none.
    """
    evidence = question.evidence
    common = {
        "id": question.id,
        "topic": question.topic,
        "level": question.level,
        "skill": question.skill,
        "scenario": question.scenario,
        "prompt": question.prompt,
        "source": evidence
        and {
            "document_id": evidence.document_id,
            "start": evidence.start,
            "end": evidence.end,
            "quote": evidence.quote,
        },
        "origin": question.origin,
        "kind": question.kind,
        "checks": list(question.checks),
    }
    if question.answer is None:
        return common | {
            "explanation": question.model_answer,
            "rubric": [
                {
                    "point": point.claim,
                    "must_have": point.must_have,
                    "weight": point.weight,
                    "document_id": point.evidence and point.evidence.document_id,
                    "source_quote": point.evidence and point.evidence.quote,
                }
                for point in question.points
            ],
            "follow_ups": list(question.follow_ups),
        }
    whys = question.whys or ("",) * len(question.options)
    return common | {
        "options": list(question.options),
        "answer": question.answer,
        "explanation": whys[question.answer],
        "distractor_notes": [None if place == question.answer else why for place, why in enumerate(whys)],
    }
