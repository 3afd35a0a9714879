"""The figures of a run as people read them: in words, with the number of cases and the 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rag.evaluation.metrics import wilson

Unit = Literal["share", "mean", "ms", "usd"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A figure that every run has: what it is called and where the metrics hold it."""

    key: str
    label: str
    section: str
    of: str
    """Key of the number of cases."""
    cases: str
    """What the cases are."""
    unit: Unit = "share"
    more_is_better: bool = True
    needs: str = ""
    """Key of a second number of cases without which it says nothing."""


FINDING, ANSWERING, REFUSING, CITING, SPENDING = (
    "Finding the right document",
    "Saying what matters",
    "Refusing what the sources do not hold",
    "Citing",
    "Time and cost",
)
KINDS: tuple[Kind, ...] = (
    Kind("ranked_right_document_first", "Right document first", FINDING, "ranked_questions", "questions"),
    Kind(
        "ranked_right_document_in_top_3",
        "Right document in the top 3",
        FINDING,
        "ranked_questions",
        "questions",
    ),
    Kind(
        "ranked_right_document_in_top_10",
        "Right document in the top 10",
        FINDING,
        "ranked_questions",
        "questions",
    ),
    Kind(
        "follow_up_right_document_in_top_3",
        "Follow-ups: in the top 3",
        FINDING,
        "follow_up_questions",
        "questions",
    ),
    Kind("recall@1", "Recall@1", FINDING, "ranked_questions", "questions", "mean"),
    Kind("recall@3", "Recall@3", FINDING, "ranked_questions", "questions", "mean"),
    Kind("recall@5", "Recall@5", FINDING, "ranked_questions", "questions", "mean"),
    Kind("recall@10", "Recall@10", FINDING, "ranked_questions", "questions", "mean"),
    Kind("mrr@10", "MRR@10", FINDING, "ranked_questions", "questions", "mean"),
    Kind("ndcg@10", "nDCG@10", FINDING, "ranked_questions", "questions", "mean"),
    Kind("answerable_key_facts", "Key facts in the answer", ANSWERING, "answerable_facts", "facts"),
    Kind("follow_up_key_facts", "Key facts, follow-ups", ANSWERING, "follow_up_facts", "facts"),
    Kind(
        "false_premise_corrected",
        "False premises corrected",
        ANSWERING,
        "false_premise_questions",
        "questions",
    ),
    Kind("refusal_recall", "Refused as it should be", REFUSING, "must_be_refused_questions", "questions"),
    Kind(
        "refusal_precision",
        "Refusals that were right",
        REFUSING,
        "refused_questions",
        "refusals",
        needs="must_be_refused_questions",
    ),
    Kind(
        "wrongly_refused",
        "Refused although answerable",
        REFUSING,
        "must_be_answered_questions",
        "questions",
        more_is_better=False,
    ),
    Kind("near_miss_refused", "Near misses refused", REFUSING, "near_miss_questions", "questions"),
    Kind("citations_exact", "Citations equal to the source", CITING, "citations", "citations"),
    Kind("claims_supported", "Claims their citations support", CITING, "claims", "claims"),
    Kind("latency_p50_ms", "Time for half of the answers", SPENDING, "questions", "answers", "ms", False),
    Kind("latency_p95_ms", "Time for 95 % of the answers", SPENDING, "questions", "answers", "ms", False),
    Kind("cost_usd", "Cost", SPENDING, "questions", "answers", "usd", False),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a kind of figure in one run."""

    kind: Kind
    value: float
    n: int
    unpriced: int = 0
    """Of a cost: answers whose price is unknown; they are not in it."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of a share; None for what is no share."""
        return wilson(self.value, self.n) if self.kind.unit == "share" else None

    @property
    def amount(self) -> str:
        """The value with its unit, e.g. "91.9 %"."""
        match self.kind.unit:
            case "share":
                return f"{100 * self.value:.1f} %"
            case "mean":
                return f"{self.value:.3f} of 1"
            case "ms":
                return f"{self.value:.0f} ms" if self.value < 1000 else f"{self.value / 1000:.1f} s"
            case "usd" if self.unpriced == self.n:
                return "price unknown"
            case "usd":
                more = " and more" if self.unpriced else ""
                return f"${self.value:.4f}{more}" if self.value else f"free{more}"

    @property
    def certainty(self) -> str:
        """The number of cases and the interval, e.g. "of 111 questions, 85–96 %" or "539 answers"."""
        counted = f"{self.n:,} {self.kind.cases if self.n != 1 else self.kind.cases[:-1]}"
        return counted if self.interval is None else f"of {counted}, {_between(*self.interval)}"

    @property
    def words(self) -> str:
        """All of it, e.g. "91.9 % of 111 questions, 85–96 %"."""
        return f"{self.amount}{',' if self.interval is None else ''} {self.certainty}"


def figures(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Return by key the figures that the questions of a run allow, in the order they are read."""
    held = {**metrics.get("all", {}), **metrics}
    found = {
        kind.key: Figure(
            kind,
            float(held[kind.key]),
            int(held.get(kind.of, 0)),
            int(held.get("unpriced_questions", 0)) if kind.unit == "usd" else 0,
        )
        for kind in KINDS
        if kind.key in held and (not kind.needs or held[kind.needs])
    }
    return {key: figure for key, figure in found.items() if figure.n}


def difference(before: Figure, after: Figure) -> str:
    """Return what changed, e.g. "+2.7 points, better"; empty when nothing that is shown did."""
    change = after.value - before.value
    sign = "+" if change > 0 else "−"
    match after.kind.unit:
        case "share":
            told, unit = f"{100 * abs(change):.1f}", "points"
        case "mean":
            told, unit = f"{abs(change):.3f}", ""
        case "ms":
            told, unit = f"{abs(change):.0f}", "ms"
        case "usd":
            told, unit = f"{abs(change):.4f}", "USD"
    if not float(told):
        return ""
    judged = "better" if (change > 0) == after.kind.more_is_better else "worse"
    return f"{sign}{told} {unit}".rstrip() + f", {judged}"


def _between(low: float, high: float) -> str:
    """Return an interval in whole percent, finer where it ends within one percent of 0 or 100."""
    is_fine = 0 < low < 0.01 or low > 0.99 or high < 0.01 or 0.99 < high < 1
    digits = 1 if is_fine else 0
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f} %"
