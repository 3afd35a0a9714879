"""Writes questions as the JSON that scripts read."""

from __future__ import annotations

from typing import Any

from rag.quiz.bank import MultipleChoice
from rag.quiz.selection import Chosen, Quiz

CHECKS = ("form", "quote", "key_evidence")
"""What every question of the bank has passed (`python -m rag check-items`)."""


def quiz_to_json(quiz: Quiz) -> dict[str, Any]:
    """Return the questions in their order, options in the order to show them."""
    return {
        "questions": [_question(chosen) for chosen in quiz.questions],
        "rejected": dict(quiz.rejected),
    }


def _question(chosen: Chosen) -> dict[str, Any]:
    question = chosen.question
    common = {
        "id": question.id,
        "topic": chosen.topic,
        "level": question.level,
        "skill": question.skill,
        "scenario": question.scenario,
        "prompt": question.question,
        "source": {
            "document_id": chosen.document.id,
            "start": chosen.start,
            "end": chosen.start + len(chosen.quote),
            "quote": chosen.quote,
        },
        "origin": "bank",
    }
    if isinstance(question, MultipleChoice):
        shown = question.shown()
        return common | {
            "kind": "mcq",
            "options": [option.text for option in shown],
            "answer": next(place for place, option in enumerate(shown) if option.correct),
            "explanation": next(option.why for option in shown if option.correct),
            "distractor_notes": [None if option.correct else option.why for option in shown],
            "checks": [*CHECKS, "options_judged"],
        }
    return common | {
        "kind": "open",
        "explanation": question.model_answer,
        "rubric": [
            {
                "point": point.claim,
                "must_have": point.must_have,
                "weight": point.weight,
                "document_id": point.document,
                "source_quote": point.quote,
            }
            for point in question.points
        ],
        "follow_ups": list(question.follow_ups),
        "checks": ["form", "quote"],
    }
