"""Asks a reader, option by option, what the source says of it: the check that code can't make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rag.quiz.bank import load_bank
from rag.quiz.validation import section_with
from rag.quiz.verdicts import (
    ItemVerdicts,
    OptionVerdict,
    add_verdicts,
    faults,
    fingerprint,
    load_verdicts,
    outstanding,
)
from rag.types import Document

_ANSWERS: Mapping[str, OptionVerdict] = {"s": "supported", "c": "contradicted", "n": "not_stated"}
_PROMPT = "[s]upported, [c]ontradicted, [n]ot stated, [q]uit: "


def judge(
    bank: Path,
    folder: Path,
    documents: Mapping[str, Document],
    ask: Callable[[str], str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Show each option that has no verdict yet beside its source, and store what the reader says.

    `ask` shows a prompt and returns a line; "q", the end of input or an interrupt stops. An item is stored as
    soon as its last option is judged. Returns counts and, by item, where the reader disagrees with the key.
    """
    topics = load_bank(bank)
    judged = load_verdicts(folder)
    waiting = outstanding(topics, judged)
    topic_of = {item.id: topic.topic for topic in topics for item in topic.multiple_choice}
    given: dict[str, dict[int, OptionVerdict]] = {}
    new = []
    for number, one in enumerate(waiting, start=1):
        item = one.item
        document = documents.get(item.document)
        say(f"\n{section_with(document, item.quote) if document else 'The document is missing.'}")
        say(f"\n({number} of {len(waiting)}) {item.question}\n  {item.options[one.place].text}")
        verdict = _ask(ask)
        if verdict is None:
            say("")  # the prompt has no line end of its own
            break
        verdicts = given.setdefault(item.id, {})
        verdicts[one.place] = verdict
        if len(verdicts) == len(item.options):
            found = tuple(verdicts[place] for place in range(len(item.options)))
            judged[item.id] = ItemVerdicts(id=item.id, fingerprint=fingerprint(item), verdicts=found)
            add_verdicts(folder, topic_of[item.id], judged[item.id])
            new.append(item)
    return {
        "judged": len(new),
        "outstanding": len(outstanding(topics, judged)) // 4,
        "disagreements": {item.id: said for item in new if (said := list(faults(item, judged)))},
    }


def _ask(ask: Callable[[str], str]) -> OptionVerdict | None:
    """Return the verdict; None when the reader stops."""
    while True:
        try:
            answer = ask(_PROMPT).strip().lower()[:1]
        except (EOFError, KeyboardInterrupt):
            return None
        if answer == "q":
            return None
        if answer in _ANSWERS:
            return _ANSWERS[answer]
