"""Adds up judged answers to the metrics of a run: ranking, refusal, facts, citations, time and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from rag.evaluation.golden import Group
from rag.evaluation.metrics import averaged, mean, percentile, ranking
from rag.evaluation.results import Result

MUST_BE_REFUSED: tuple[Group, ...] = ("off_topic", "neighbouring")
"""A near miss is not among them: the sources come close, so an answer in part may be right."""
UNANSWERABLE: tuple[Group, ...] = (*MUST_BE_REFUSED, "near_miss")
RANKED: tuple[Group, ...] = ("answerable", "interview")
"""Questions that stand alone and whose right documents are known."""
_TOPS = {"first": 1, "in_top_3": 3, "in_top_5": 5, "in_top_10": 10}


def report(results: Sequence[Result]) -> dict[str, Any]:
    """Return the metrics of a run.

    Shares lie between 0 and 1, latencies are in milliseconds; a share over no questions is 0, and its number
    of questions says so. `tune` and `check` are the two halves of the shipped sets: the cut-off and the
    weights were chosen on `tune`. `topics` has the interview queries of each topic. Questions whose answer
    failed are counted in `failed_questions` and nowhere else.
    """
    told = [result for result in results if not result.error]
    queries = _of(told, "interview")
    citations, claims = sum(r.citations for r in told), sum(r.claims for r in told)
    milliseconds = [result.ms for result in told]
    return {
        "all": _shares(told),
        "tune": _shares([result for result in told if result.split == "tune"]),
        "check": _shares([result for result in told if result.split == "check"]),
        "topics": {
            topic: _found("interview", [result for result in queries if result.topic == topic])
            for topic in sorted({result.topic for result in queries})
        },
        "questions": len(told),
        "failed_questions": len(results) - len(told),
        "citations": citations,
        "citations_exact": _share(sum(r.citations_exact for r in told), citations),
        "claims": claims,
        "claims_supported": _share(sum(r.claims_supported for r in told), claims),
        "latency_mean_ms": mean(milliseconds),
        "latency_p50_ms": percentile(milliseconds, 0.5),
        "latency_p95_ms": percentile(milliseconds, 0.95),
        "cost_usd": float(sum(result.cost_usd or 0 for result in told)),
        "unpriced_questions": sum(result.cost_usd is None for result in told),
    }


@dataclass(frozen=True, slots=True)
class GroupShares:
    """How one group of questions went; None: does not apply to it."""

    group: Group
    questions: int
    answered: float
    partial: float
    refused: float
    right_first: float | None
    right_in_top_3: float | None
    facts: float | None
    """Share of the key facts, or of a correction, that the answers have."""


def by_group(results: Sequence[Result]) -> list[GroupShares]:
    """Return how each group went that has questions, in a fixed order."""
    told = [result for result in results if not result.error]
    return [_group(name, rows) for name in get_args(Group) if (rows := _of(told, name))]


def _group(name: Group, rows: Sequence[Result]) -> GroupShares:
    shares = _found("group", rows)
    facts = sum(len(r.facts_found) + len(r.facts_missing) for r in rows)
    has_documents = any(r.wanted for r in rows)
    return GroupShares(
        name,
        len(rows),
        mean([float(r.outcome == "answered") for r in rows]),
        mean([float(r.outcome == "partial") for r in rows]),
        mean([float(r.refused) for r in rows]),
        shares["group_right_document_first"] if has_documents else None,
        shares["group_right_document_in_top_3"] if has_documents else None,
        sum(len(r.facts_found) for r in rows) / facts if facts else None,
    )


def _shares(results: Sequence[Result]) -> dict[str, float]:
    """Return counts and shares for each group of questions, then over several groups."""
    shares: dict[str, float] = {}
    for name in ("answerable", "follow_up"):
        rows = _of(results, name)
        facts = sum(len(r.facts_found) + len(r.facts_missing) for r in rows)
        shares |= {
            **_found(name, rows),
            f"{name}_facts": facts,
            f"{name}_key_facts": _share(sum(len(r.facts_found) for r in rows), facts),
            f"{name}_refused": mean([float(r.refused) for r in rows]),
            f"{name}_partial": mean([float(r.outcome == "partial") for r in rows]),
            f"{name}_words": mean([r.words for r in rows]),
        }
    queries = _of(results, "interview")
    shares |= _found("interview", queries)
    shares["interview_refused"] = mean([float(r.refused) for r in queries])
    for name in UNANSWERABLE:
        rows = _of(results, name)
        shares |= {
            f"{name}_questions": len(rows),
            f"{name}_answered": mean([float(r.outcome == "answered") for r in rows]),
            f"{name}_partial": mean([float(r.outcome == "partial") for r in rows]),
            f"{name}_refused": mean([float(r.refused) for r in rows]),
        }
    premises = _of(results, "false_premise")
    return shares | {
        "false_premise_questions": len(premises),
        "false_premise_corrected": mean([float(not r.facts_missing) for r in premises]),
        **_ranking(_of(results, *RANKED)),
        **_refusals(results),
    }


def _ranking(rows: Sequence[Result]) -> dict[str, float]:
    """Return how well documents are ranked, over the questions that stand alone."""
    lists = [ranking(r.found, dict.fromkeys(r.wanted, 1.0)) for r in rows]
    means = averaged(lists) or dict.fromkeys(ranking([], {"": 1.0}), 0.0)
    del means["hit@1"]  # it is `ranked_right_document_first`
    return _found("ranked", rows, tuple(_TOPS)) | means


def _refusals(results: Sequence[Result]) -> dict[str, float]:
    """Return how reliable a refusal is; near misses count neither way."""
    owed = _of(results, *MUST_BE_REFUSED)
    others = [r for r in results if r.group not in UNANSWERABLE]
    right, wrong = sum(r.refused for r in owed), sum(r.refused for r in others)
    return {
        "must_be_refused_questions": len(owed),
        "refusal_recall": _share(right, len(owed)),
        "refused_questions": right + wrong,
        "refusal_precision": _share(right, right + wrong),
        "must_be_answered_questions": len(others),
        "wrongly_refused": _share(wrong, len(others)),
    }


def _found(
    name: str, rows: Sequence[Result], tops: Sequence[str] = ("in_top_3", "first")
) -> dict[str, float]:
    """Return how many there are and how often a right document is among the first so many."""
    places = [r.place for r in rows]
    return {f"{name}_questions": len(rows)} | {
        f"{name}_right_document_{top}": mean([float(p is not None and p <= _TOPS[top]) for p in places])
        for top in tops
    }


def _of(results: Sequence[Result], *groups: Group) -> list[Result]:
    return [result for result in results if result.group in groups]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
