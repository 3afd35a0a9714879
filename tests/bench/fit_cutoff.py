"""Fits the cut-off of `rag/retrieval/cutoff.py` to the library: run it after the library has grown.

Run `python3 -m tests.bench.fit_cutoff`. The tuning halves of the golden sets give the signs and what the
right decision is: questions the library answers against questions it does not. It prints the weights to copy,
and how often each kind of question is answered, answered in part and refused, on both halves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.golden import Answerable, GoldenItem, Unanswerable, load
from rag.retrieval import cutoff, retriever
from rag.retrieval.cutoff import Evidence
from rag.services import Services, build_services
from rag.settings import load_settings

ROOT = Path(__file__).parents[2]
SIGNS = ("question", "cover", "neighbourhood", "terms")
"""Window and sentence add nothing to the author's question; passages without one are weighed by them."""
RIDGE = 0.01
"""L2 penalty on standardised signs: some of them say nearly the same."""
NEAR_MISS_WEIGHT = 0.15
"""Near misses have the words and the subject of an answer, so no sign can tell all of them apart."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One golden question with the signs that the cut-off sees."""

    kind: str
    split: str
    evidence: Evidence

    @property
    def answerable(self) -> bool:
        """The library holds the answer."""
        return self.kind in ("answerable", "interview")

    @property
    def weight(self) -> float:
        """How much it counts in the fit."""
        return NEAR_MISS_WEIGHT if self.kind == "near_miss" else 1.0


def samples(services: Services) -> list[Sample]:
    """Return the signs of every golden question that stands alone and presupposes nothing false."""
    found = []
    for item in load(ROOT / "tests" / "golden"):
        if (kind := _kind(item)) is None:
            continue
        seen: list[Evidence] = []

        def weigh(evidence: Evidence, seen: list[Evidence] = seen) -> cutoff.Verdict:
            seen.append(evidence)
            return cutoff.weigh(evidence)

        with patch.object(retriever, "weigh", weigh):
            services.retriever.retrieve(item.question)
        found.append(Sample(kind, item.split, seen[0]))
    return found


def _kind(item: GoldenItem) -> str | None:
    if isinstance(item, Answerable):
        return None if item.history else "answerable"
    return item.kind if isinstance(item, Unanswerable) or item.kind == "interview" else None


def fit(chosen: Sequence[Sample]) -> NDArray[np.float64]:
    """Return the intercept and the weight of each sign: penalised logistic regression, Newton's method."""
    signs = np.array([_signs(sample) for sample in chosen])
    wanted = np.array([sample.answerable for sample in chosen], float)
    weights = np.array([sample.weight for sample in chosen])
    weights *= np.where(wanted, 0.5 / weights[wanted > 0].sum(), 0.5 / weights[wanted == 0].sum())
    centre, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(signs)), (signs - centre) / spread])
    penalty = RIDGE * np.diag([0.0, *np.ones(signs.shape[1])])
    found = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ found))
        slope = design.T @ (weights * (chance - wanted)) + penalty @ found
        curve = (design * (weights * chance * (1 - chance))[:, None]).T @ design + penalty
        found -= np.linalg.solve(curve, slope)
    return np.concatenate([[found[0] - (found[1:] * centre / spread).sum()], found[1:] / spread])


def _signs(sample: Sample) -> NDArray[np.float64]:
    return np.array([getattr(sample.evidence, name) for name in SIGNS], float)


def table(all_samples: Sequence[Sample], model: NDArray[np.float64], upper: float, lower: float) -> None:
    """Print the shares of the three decisions by kind and half."""
    for kind in ("answerable", "interview", "off_topic", "neighbouring", "near_miss"):
        for split in ("tune", "check"):
            own = [s for s in all_samples if (s.kind, s.split) == (kind, split)]
            margins = np.array([model[0] + model[1:] @ _signs(sample) for sample in own])
            print(
                f"{kind:<14}{split:<7}{len(own):>4}   answered {np.mean(margins >= upper):.3f}   "
                f"in part {np.mean((margins < upper) & (margins >= lower)):.3f}   "
                f"refused {np.mean(margins < lower):.3f}"
            )


def main() -> None:
    """Fit on the tuning halves and show both."""
    with tempfile.TemporaryDirectory() as folder:
        services = build_services(load_settings({}, data_dir=Path(folder), knowledge_dir=ROOT / "knowledge"))
        found = samples(services)
        services.close()
    model = fit([sample for sample in found if sample.split == "tune"])
    named = zip(("intercept", *SIGNS), model, strict=True)
    print(", ".join(f"{name} {weight:.2f}" for name, weight in named))
    for upper, lower in ((0.5, -0.5), (0.8, -0.8), (1.0, -1.0)):
        print(f"answered from {upper}, refused below {lower}")
        table(found, model, upper, lower)


if __name__ == "__main__":
    main()
