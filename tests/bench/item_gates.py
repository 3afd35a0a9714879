"""Measures what the question validator catches: flaws planted into good items, and a published course.

Run `python3 -m tests.bench.item_gates`. 200 multiple-choice items of the shipped bank are changed, one flaw
at a time; "caught" is the share that fails a gate of its own, or for duplicates the gate of the set. The
course (2,026 items, where picking the longest option scores about 91 %) is the negative fixture. Peer: a
schema check alone, which is what other quiz generators do; it catches none of these.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.embedding.base import Vectors
from rag.embedding.onnx import open_onnx_embedder
from rag.ingestion.loading import load_folder
from rag.quiz.bank import load_bank
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import DUPLICATE
from rag.quiz.validation import Embed, check_all, check_values, item_of, repeated
from rag.text.sentences import sentences

ROOT = Path(__file__).parents[2]
KNOWLEDGE = ROOT / "knowledge"
ITEMS = 200

Mutation = Callable[[Item, random.Random, Sequence[Item]], Item]


def bank_items() -> list[Item]:
    """Return every multiple-choice item of the shipped bank as it is shown."""
    documents = load_folder(KNOWLEDGE)
    topics = load_bank(KNOWLEDGE / "questions")
    return [item_of(item, topic.topic, documents) for topic in topics for item in topic.multiple_choice]


def swapped_key(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Call a distractor right; texts and explanations stay where they are."""
    return replace(item, correct=chooser.choice([n for n in range(len(item.options)) if n != item.correct]))


def second_true_option(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Replace a distractor by what the source says, cut to the length of an option."""
    stated = [item.passage[unit.start : unit.end] for unit in sentences(item.passage) if unit.kind == "prose"]
    return _with_distractor(item, chooser, chooser.choice(stated or [item.quote])[:150])


def paraphrased_key(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Replace a distractor by the key in slightly other words."""
    return _with_distractor(item, chooser, "in effect, " + item.key[:1].lower() + item.key[1:])


def wrong_quote(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Quote what another document says."""
    foreign = [other for other in others if other.source.split(":")[0] != item.source.split(":")[0]]
    return replace(item, quote=chooser.choice(foreign).quote)


def altered_quote(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Change one word of the quote."""
    words = item.quote.split()
    words[chooser.randrange(len(words))] = "usually"
    return replace(item, quote=" ".join(words))


def long_key(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Let the key say more than the others, as writers do."""
    return _with_key(item, item.key + ", which is what engineers observe in production systems under load")


def all_of_them(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Offer "all of the above"."""
    return _with_distractor(item, chooser, "all of the above")


def leaning_stem(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Let the question speak of its source."""
    return replace(item, question=f"According to the text, {item.question[:1].lower()}{item.question[1:]}")


def lost_explanation(item: Item, chooser: random.Random, others: Sequence[Item]) -> Item:
    """Leave one option without its explanation."""
    place = chooser.randrange(len(item.whys))
    return replace(item, whys=(*item.whys[:place], "", *item.whys[place + 1 :]))


MUTATIONS: dict[str, Mutation] = {
    "wrong quote": wrong_quote,
    "altered quote": altered_quote,
    "long key": long_key,
    "all of the above": all_of_them,
    "stem leans on its source": leaning_stem,
    "explanation missing": lost_explanation,
    "second true option, copied": second_true_option,
    "second true option, paraphrased": paraphrased_key,
    "swapped key": swapped_key,
}


def _with_distractor(item: Item, chooser: random.Random, text: str) -> Item:
    place = chooser.choice([n for n in range(len(item.options)) if n != item.correct])
    return replace(item, options=(*item.options[:place], text, *item.options[place + 1 :]))


def _with_key(item: Item, text: str) -> Item:
    return replace(item, options=(*item.options[: item.correct], text, *item.options[item.correct + 1 :]))


def remembering(embed: Embed) -> Embed:
    """Return the embedding that reads every text once: a flaw leaves most of an item as it was."""
    known: dict[str, Vectors] = {}

    def look_up(texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return look_up


def measure(items: Sequence[Item], embed: Embed, seed: int = 0) -> dict[str, float]:
    """Return the share of planted flaws that is caught, by the kind of flaw, 0 to 1."""
    embed = remembering(embed)
    chooser = random.Random(seed)
    chosen = chooser.sample(list(items), min(ITEMS, len(items)))
    caught = {}
    for name, change in MUTATIONS.items():
        checked = check_all([change(item, chooser, items) for item in chosen], embed)
        caught[name] = sum(not item.passed for item in checked) / len(checked)
    texts = [(item.id, f"{item.question} {item.key}") for item in chosen]
    again = [(f"{item.id} again", f"{_reworded(item.question)} {item.key}") for item in chosen]
    pairs = {(one, other) for one, other, _ in repeated([*texts, *again], embed)}
    caught["duplicate, reworded"] = sum((item.id, f"{item.id} again") in pairs for item in chosen) / len(
        chosen
    )
    return caught


def _reworded(question: str) -> str:
    """Return the question with another opening, as a generator that repeats itself writes it."""
    return "In a production system, " + question[:1].lower() + question[1:]


def duplicate_figures(embed: Embed) -> dict[str, float]:
    """Return precision and recall of the duplicate gate on the hand-labelled pairs, 0 to 1."""
    lines = (ROOT / "tests/golden/quiz/duplicate_pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    one, other = (embed([pair[side] for pair in pairs]) for side in ("one", "other"))
    called = (one * other).sum(axis=1) >= DUPLICATE
    same = [bool(pair["same"]) for pair in pairs]
    both = sum(a and b for a, b in zip(called, same, strict=True))
    return {"pairs": len(pairs), "precision": both / called.sum(), "recall": both / sum(same)}


def course(folder: Path) -> dict[str, Any]:
    """Return the figures of the published course in the evaluation data; repeats are not looked for."""
    lines = (folder / "quiz_negative" / "items.jsonl").read_text(encoding="utf-8").splitlines()
    report = check_values(
        enumerate(map(json.loads, lines), start=1), lambda texts: np.zeros((len(texts), 1), np.float32)
    )
    longest = next(gate for gate in report.gates if gate.gate == "longest")
    passed = sum(item.passed for item in report.items)
    return {"items": len(report.items), "pass their own gates": passed, "longest": longest}


def main() -> None:
    """Print the catch rates."""
    with tempfile.TemporaryDirectory() as folder:
        embed = open_onnx_embedder(Path(folder)).embed
        items = bank_items()
        sound = sum(item.passed for item in check_all(items, embed))
        print(f"unchanged: {sound} of {len(items)} items of the bank pass every gate of their own")
        for name, share in measure(items, embed).items():
            print(f"{name:<34}{share:>7.1%} caught")
        figures = duplicate_figures(embed)
        print(
            f"duplicates on {figures['pairs']} labelled pairs: precision {figures['precision']:.2f}, "
            f"recall {figures['recall']:.2f}"
        )
        data = Path(os.environ.get("VIVA_EVAL_DIR") or ROOT / ".." / "shared" / "eval" / "dev")
        if data.is_dir():
            figures = course(data)
            longest = figures["longest"]
            print(
                f"published course: {figures['pass their own gates']} of {figures['items']} items pass; "
                f"picking the longest option scores {longest.value:.1%}, the bound is {longest.bound:.1%}"
            )


if __name__ == "__main__":
    main()
