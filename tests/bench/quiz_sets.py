"""Sets of 30 questions from the shipped bank, each from another seed, held against plain random draws.

`python3 -m tests.bench.quiz_sets --data-dir DIR` takes an indexed library; without it one is made (a minute).
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.quiz.assembling import assemble, compared
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import DUPLICATE, policies, policy_bound
from rag.quiz_types import AskedQuestion
from rag.services import build_services
from rag.settings import load_settings

ROOT = Path(__file__).parents[2]
SIZE = 30


def within_bounds(questions: Sequence[AskedQuestion]) -> bool:
    """Tell whether no policy that knows nothing picks the keys of a set more often than chance allows."""
    items = [Item(one.id, one.prompt, one.options, one.answer) for one in questions if one.answer is not None]
    return max(policies(items).values()) <= policy_bound(len(items))


def main() -> None:
    """Print what holds for how many of the sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = build_services(
            load_settings({}, data_dir=options.data_dir or Path(folder), knowledge_dir=ROOT / "knowledge")
        )
        pool = services.study.pool
        questions = pool.questions("")
        choices = [one for one in questions if one.answer is not None]
        counts: Counter[str] = Counter()
        for seed in range(options.sets):
            chosen = assemble(questions, pool.embed, n=SIZE, seed=seed)
            vectors = pool.embed([compared(one) for one in chosen])
            topics = Counter(one.topic for one in chosen)
            several = sum(one.answer is not None for one in chosen)
            counts["every policy within its bound"] += within_bounds(chosen)
            counts["as many multiple-choice items drawn at random: within the bound"] += within_bounds(
                random.Random(seed).sample(choices, several)
            )
            counts["every topic once or twice"] += set(topics.values()) <= {1, 2} and len(topics) == len(
                {one.topic for one in questions}
            )
            counts["no duplicate"] += bool(np.triu(vectors @ vectors.T, k=1).max() < DUPLICATE)
            counts["the same again from the same seed"] += chosen == assemble(
                questions, pool.embed, n=SIZE, seed=seed
            )
        for name, number in counts.items():
            print(f"{name:<66} {number} of {options.sets}")
        services.close()


if __name__ == "__main__":
    main()
