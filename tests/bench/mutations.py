"""Measures what the gates of generation catch: planted flaws, models with a habit, and a real small model.

Run `python3 -m tests.bench.mutations`, or with `--model FILE.gguf` the part on a real model (llama.cpp
through xllamacpp; tens of minutes on two cores). The questions are the shipped bank's multiple-choice items,
each on the passage that it quotes, changed by one flaw at a time. Peer of the first table: a schema check
alone, which catches none of these. What a strong model catches is not measured: none can run on two cores.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.embedding.onnx import open_onnx_embedder
from rag.errors import IncompleteAnswer
from rag.ingestion.chunking import chunk
from rag.ingestion.loading import load_folder
from rag.providers.choice import ModelChoice
from rag.quiz.bank import load_bank
from rag.quiz.form_gates import Item
from rag.quiz.generation.asking import ModelVoice
from rag.quiz.generation.drafting import evidence
from rag.quiz.generation.forms import Voice
from rag.quiz.generation.gates import Repeats, form_fault
from rag.quiz.generation.judging import Judge, about, flipped
from rag.quiz.generation.passages import Passage, statements
from rag.quiz.generation.solving import Solver
from rag.quiz.grading.coverage import CoverageHint
from rag.quiz.validation import Embed
from rag.quiz_types import AskedQuestion, Evidence
from rag.settings import ChatSettings
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from tests import voices
from tests.bench.item_gates import KNOWLEDGE, MUTATIONS, remembering

Asked = tuple[AskedQuestion, Passage]
Mutation = Callable[[AskedQuestion, Passage, random.Random, Sequence[Asked]], Asked]
SAMPLE = 200
PATIENT = ChatSettings(
    context_tokens=2500,
    max_output_tokens=160,
    first_token_timeout_s=300,
    token_timeout_s=120,
    total_timeout_s=600,
)


def bank_questions() -> list[Asked]:
    """Return the bank's multiple-choice items, each on the chunk that holds its quote."""
    documents = load_folder(KNOWLEDGE)
    parts = {name: chunk(document) for name, document in documents.items()}
    found = []
    for topic in load_bank(KNOWLEDGE / "questions"):
        for item in topic.multiple_choice:
            document = documents[item.document]
            start = document.text.find(item.quote, document.body_start)
            end = start + len(item.quote)
            part = next((one for one in parts[document.id] if one.start <= start and end <= one.end), None)
            if start < 0 or part is None:
                continue
            shown = item.shown()
            question = AskedQuestion(
                id=item.id,
                kind="mcq",
                topic=topic.topic,
                level=item.level,
                skill=item.skill,
                prompt=item.question,
                origin="generated",
                evidence=Evidence(document.id, document.title, start, end, item.quote),
                options=tuple(option.text for option in shown),
                answer=next(place for place, option in enumerate(shown) if option.correct),
                whys=tuple(option.why for option in shown),
            )
            found.append((question, Passage(document, part)))
    return found


def planted(name: str) -> Mutation:
    """Return a flaw of `item_gates` for questions with their passage."""

    def change(
        question: AskedQuestion, passage: Passage, chooser: random.Random, others: Sequence[Asked]
    ) -> Asked:
        item = MUTATIONS[name](_item(question, passage), chooser, [_item(*other) for other in others])
        place = replace(question.evidence, quote=item.quote)
        changed = replace(
            question,
            prompt=item.question,
            options=item.options,
            answer=item.correct,
            whys=item.whys,
            evidence=place,
        )
        return changed, passage

    return change


def swapped_with_reasons(
    question: AskedQuestion, passage: Passage, chooser: random.Random, others: Sequence[Asked]
) -> Asked:
    """Call a distractor right and let it change its explanation with the key's."""
    wrong = chooser.choice([place for place in range(4) if place != question.answer])
    whys = list(question.whys)
    whys[wrong], whys[question.answer] = whys[question.answer], whys[wrong]
    return replace(question, answer=wrong, whys=tuple(whys)), passage


def negated_key(
    question: AskedQuestion, passage: Passage, chooser: random.Random, others: Sequence[Asked]
) -> Asked:
    """Let the key deny what is right."""
    options = list(question.options)
    key = options[question.answer]
    options[question.answer] = flipped(key) or f"not {key[:1].lower()}{key[1:]}"
    return replace(question, options=tuple(options)), passage


def wrong_passage(
    question: AskedQuestion, passage: Passage, chooser: random.Random, others: Sequence[Asked]
) -> Asked:
    """Rest the question on another document, with a sentence that really stands there."""
    _, elsewhere = chooser.choice([one for one in others if one[1].document.id != passage.document.id])
    said = [one for one in statements(elsewhere.chunk.text) if evidence(one, elsewhere)]
    proof = evidence(chooser.choice(said), elsewhere) if said else None
    return replace(question, evidence=proof or replace(question.evidence, quote="-")), elsewhere


FLAWS: dict[str, Mutation] = {
    **{name: planted(name) for name in MUTATIONS},
    "swapped key, explanations too": swapped_with_reasons,
    "negated key": negated_key,
    "wrong passage, real quote": wrong_passage,
}


def _item(question: AskedQuestion, passage: Passage) -> Item:
    return Item(
        question.id,
        question.prompt,
        question.options,
        question.answer,
        passage=passage.chunk.text,
        quote=question.evidence.quote,
        whys=question.whys,
        source=f"{passage.document.id}: {passage.chunk.id}",
    )


def code_fault(question: AskedQuestion, passage: Passage, repeats: Repeats, embed: Embed) -> str:
    """Return the first gate of code that a question fails, as a run asks them."""
    if evidence(question.evidence.quote, passage) is None:
        return "quote"
    return form_fault(question, passage, embed) or ("duplicates" if repeats.has(question) else "")


def code_alone(questions: Sequence[Asked], embed: Embed, seed: int = 0) -> dict[str, float]:
    """Return the share of planted flaws that the gates of code catch, by the kind of flaw, 0 to 1."""
    chooser = random.Random(seed)
    chosen = chooser.sample(list(questions), min(SAMPLE, len(questions)))
    nothing = Repeats([], embed)
    caught = {
        name: sum(
            bool(code_fault(*change(*one, chooser, questions), nothing, embed)) for one in chosen
        ) / len(chosen)
        for name, change in FLAWS.items()
    }  # fmt: skip
    known = Repeats([question for question, _ in chosen], embed)
    again = [
        replace(one, prompt=f"In production, {one.prompt[:1].lower()}{one.prompt[1:]}") for one, _ in chosen
    ]
    caught["duplicate, reworded"] = sum(known.has(one) for one in again) / len(again)
    return caught


def passing(questions: Sequence[Asked], voice: Voice, embed: Embed, seed: int = 0) -> Counter[str]:
    """Return how many questions each gate of a model drops; those that pass count as "passed"."""
    chooser = random.Random(seed)
    judge = Judge(voice, embed, elsewhere(questions, chooser), chooser)
    solver = Solver(voice, CoverageHint(embed), chooser)
    return Counter(
        judge.fault(*one) or ("passed" if solver.solves(*one) else "blind_solve") for one in questions
    )


def elsewhere(questions: Sequence[Asked], chooser: random.Random) -> list[tuple[str, str]]:
    """Return a sentence of each of 40 passages."""
    some = chooser.sample(list(questions), min(40, len(questions)))
    said = ((passage.document.id, statements(passage.chunk.text)) for _, passage in some)
    return [(name, chooser.choice(found)) for name, found in said if found]


class Patient:
    """A model whose answers may be cut off as often as they like."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def ask(self, *asked: Any) -> Any:
        """Return the answer; None when it was cut off or has no form."""
        try:
            return self._voice.ask(*asked)
        except IncompleteAnswer:
            return None


def real_model(questions: Sequence[Asked], file: str, embed: Embed, n: int, folder: Path) -> None:
    """Print how a real model judges controls and options, and how many good items pass with it."""
    database = Database(f"sqlite:///{folder / 'viva.db'}")
    voice = Patient(
        ModelVoice(
            ModelChoice("local", file),
            PATIENT,
            Ledger(database, lambda: datetime.now(UTC)),
            trace_id="mutations",
            check_budget=lambda: None,
            on_wait=lambda: None,
        )
    )
    chooser = random.Random(0)
    chosen = chooser.sample(list(questions), n)
    judge = Judge(voice, embed, elsewhere(questions, chooser), chooser)
    solver = Solver(voice, CoverageHint(embed), chooser)
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    passed = 0
    for question, passage in chosen:
        verdicts = []
        for statement in (*judge.controls(passage), *about(question)):
            kind = f"{statement.gate}: {statement.passes.replace('_', ' ')}"
            verdicts.append(judge.holds(statement, passage))
            asked[kind] += 1
            right[kind] += verdicts[-1]
        solved = solver.solves(question, passage)
        asked["solved three times of three"] += 1
        right["solved three times of three"] += solved
        passed += all(verdicts) and solved
        print(f"{question.id}: {sum(verdicts)} of {len(verdicts)} verdicts right, {solved=}", flush=True)
    print(f"{Path(file).name} on {n} good items of the bank:")
    for kind, number in sorted(asked.items()):
        print(f"  {kind:<44}{right[kind]:>4} of {number}")
    print(f"  {'items that pass every gate':<44}{passed:>4} of {n}")
    database.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", help="a GGUF file, for the last part")
    parser.add_argument("--items", type=int, default=10, help="good items the real model is given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embed = remembering(open_onnx_embedder(folder).embed)
        questions = bank_questions()
        if options.model:
            real_model(questions, options.model, embed, options.items, folder)
            return
        nothing = Repeats([], embed)
        sound = sum(not code_fault(*one, nothing, embed) for one in questions)
        print(f"unchanged: {sound} of {len(questions)} items of the bank pass the gates of code")
        print(f"\nplanted into {min(SAMPLE, len(questions))} items, caught by code alone:")
        for flaw, share in code_alone(questions, embed).items():
            print(f"  {flaw:<34}{share:>7.1%}")
        print(f"\n{len(questions)} unchanged items, judged and solved by a model that ...")
        habits: dict[str, Voice] = {
            "knows the answers": voices.Knowing([question for question, _ in questions]),
            "agrees, picks A": voices.agreeing(),
            "agrees, picks the longest option": voices.agreeing(voices.longest_option),
            "denies everything": voices.denying(),
            "calls nothing stated": voices.ignorant(),
            "agrees to every fourth": voices.alternating(),
            "counts shared words": voices.counting_words(),
        }
        for habit, voice in habits.items():
            found = passing(questions, voice, embed)
            print(f"  {habit:<34}{found.pop('passed', 0):>4} pass; dropped: {dict(found.most_common())}")
        guessed = sum(passing(questions, voices.guessing(seed), embed)["passed"] for seed in range(10))
        print(f"  {'guesses (ten times)':<34}{guessed:>4} of {10 * len(questions)} pass")
        chooser = random.Random(1)
        swapped = [swapped_with_reasons(*one, chooser, questions) for one in questions]
        found = passing(swapped, voices.counting_words(), embed)
        print(f"  {'counts words, keys swapped':<34}{found['passed']:>4} of {len(swapped)} pass")


if __name__ == "__main__":
    main()
