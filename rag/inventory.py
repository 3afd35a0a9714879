"""Counts what the library and the question bank hold, per topic and level."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rag.quiz.bank import BEYOND_RECALL, load_bank
from rag.services import Services

COLUMNS = ("documents", "words", "chunks", "open", "multiple_choice")


def take_inventory(services: Services) -> dict[str, Any]:
    """Return counts per topic and level; words are those of the texts without their front matter.

    The bank is that of the knowledge folder; without one, its counts are 0. A document that names no level
    counts under "unstated".
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for summary in services.library.summaries():
        document = services.library.document(summary.id)
        words = len(document.text[document.body_start :].split()) if document else 0
        here = (summary.topic, summary.level or "unstated")
        counts.update({(*here, "documents"): 1, (*here, "words"): words, (*here, "chunks"): summary.chunks})
    folder = services.settings.knowledge_dir / "questions"
    bank = load_bank(folder) if any(folder.glob("*.y*ml")) else []
    counts.update((topic.topic, item.level, "open") for topic in bank for item in topic.open)
    counts.update(
        (topic.topic, item.level, "multiple_choice") for topic in bank for item in topic.multiple_choice
    )
    items = [item for topic in bank for item in (*topic.open, *topic.multiple_choice)]
    topics = sorted({topic for topic, _, _ in counts})
    return {
        "topics": [
            {
                "topic": topic,
                **_sums(counts, topic),
                "levels": {
                    level: _sums(counts, topic, level)
                    for level in ("junior", "mid", "senior", "unstated")
                    if any(_sums(counts, topic, level).values())
                },
            }
            for topic in topics
        ],
        "total": _sums(counts),
        "items": {
            "questions": len(items),
            "beyond_recall": sum(item.skill in BEYOND_RECALL for item in items),
            "scenarios": sum(item.scenario for item in items),
        },
    }


def _sums(
    counts: Counter[tuple[str, str, str]], topic: str | None = None, level: str | None = None
) -> dict[str, int]:
    """Return the sum of each column over one topic and level, or over all."""
    return {
        column: sum(
            number
            for (of_topic, of_level, name), number in counts.items()
            if name == column and topic in (None, of_topic) and level in (None, of_level)
        )
        for column in COLUMNS
    }
