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
    faults,
    fingerprint,
    load_verdicts,
    outstanding,
    save_verdicts,
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

    `ask` shows a prompt and returns a line; the end of input or "q" stops. An item is stored once all its
    options are judged. Returns counts and, by item, where the reader disagrees with the key.
    """
    topics = load_bank(bank)
    judged = load_verdicts(folder)
    waiting = outstanding(topics, judged)
    given: dict[str, dict[int, OptionVerdict]] = {}
    for number, one in enumerate(waiting, start=1):
        document = documents.get(one.item.document)
        say(f"\n{section_with(document, one.item.quote) if document else 'The document is missing.'}")
        say(f"\n({number} of {len(waiting)}) {one.item.question}\n  {one.item.options[one.place].text}")
        verdict = _ask(ask)
        if verdict is None:
            break
        given.setdefault(one.item.id, {})[one.place] = verdict
    new = []
    for topic in topics:
        for item in topic.multiple_choice:
            verdicts = given.get(item.id, {})
            if len(verdicts) == len(item.options):
                found = tuple(verdicts[place] for place in range(len(item.options)))
                judged[item.id] = ItemVerdicts(id=item.id, fingerprint=fingerprint(item), verdicts=found)
                new.append(item)
        own = [judged[item.id] for item in topic.multiple_choice if item.id in judged]
        if own:
            save_verdicts(folder / f"{topic.topic}.jsonl", own)
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
        except EOFError:
            return None
        if answer == "q":
            return None
        if answer in _ANSWERS:
            return _ANSWERS[answer]
