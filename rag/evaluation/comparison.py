"""Compares two runs: what the figures say, and which questions got better or worse and in what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rag.evaluation.figures import Figure, figures
from rag.evaluation.metrics import by_chance
from rag.evaluation.report import UNANSWERABLE
from rag.evaluation.results import PLACES, Result
from rag.types import Outcome

Verdict = Literal["better", "worse", "mixed"]

OUTCOMES: Mapping[Outcome, str] = {
    "answered": "answered",
    "partial": "answered in part",
    "not_in_kb": "refused",
    "interrupted": "not finished",
}
_ANSWERED: Mapping[Outcome, int] = {"answered": 2, "partial": 1, "not_in_kb": 0, "interrupted": 0}


@dataclass(frozen=True, slots=True)
class Change:
    """A question that went otherwise in the second run."""

    item_id: str
    question: str
    verdict: Verdict
    """mixed: better in one way and worse in another."""
    reasons: tuple[str, ...]
    """What changed, for people, e.g. "right document 1st, was 3rd"."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one run to a later one."""

    figures: tuple[tuple[Figure, Figure], ...]
    """Those that both runs have: before, after."""
    changes: tuple[Change, ...]
    """Worse ones first, then mixed, then better."""
    same: int
    """Questions that went as before, whatever the words of the answer."""
    only_before: int
    """Questions of the first run that the second one did not ask, or asked for something else."""
    only_after: int

    def count(self, verdict: Verdict) -> int:
        """Return how many questions went that way."""
        return sum(change.verdict == verdict for change in self.changes)

    @property
    def chance(self) -> float:
        """How likely a split this uneven is when nothing changed, by the sign test."""
        return by_chance(self.count("better"), self.count("worse"))


def compare(
    metrics_before: Mapping[str, Any],
    before: Sequence[Result],
    metrics_after: Mapping[str, Any],
    after: Sequence[Result],
) -> Comparison:
    """Compare figure by figure and question by question; questions that failed in a run are left out."""
    first = {_asked(r): r for r in before if not r.error}
    second = {_asked(r): r for r in after if not r.error}
    both = [(result, second[key]) for key, result in first.items() if key in second]
    changes = [change for pair in both if (change := _change(*pair))]
    order = ("worse", "mixed", "better")
    earlier, later = figures(metrics_before), figures(metrics_after)
    return Comparison(
        tuple((figure, later[key]) for key, figure in earlier.items() if key in later),
        tuple(sorted(changes, key=lambda change: order.index(change.verdict))),
        len(both) - len(changes),
        len(first) - len(both),
        len(second) - len(both),
    )


def changed_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what else differs between the configurations of two runs, e.g. "top k 6, then 8"."""
    first, second = _flat(before), _flat(after)
    return [
        f"{key.replace('_', ' ')} {first.get(key, 'unknown')}, then {second.get(key, 'unknown')}"
        for key in dict.fromkeys((*first, *second))
        if first.get(key) != second.get(key)
    ]


def faults(result: Result) -> list[str]:
    """Return what is wrong with one answer, for people; empty when it is as it should be."""
    if result.error:
        return [f"no answer: {result.error}"]
    if result.group in UNANSWERABLE:
        return [] if result.refused else [f"{OUTCOMES[result.outcome]} although the sources do not hold it"]
    found = []
    if result.refused:
        found.append("refused although the sources hold it")
    if result.wanted and result.place is None:
        found.append(f"right document not among the first {PLACES}")
    elif result.wanted and result.place != 1:
        found.append(f"right document {_ordinal(result.place)}")
    if result.facts_missing:
        found.append(f"{_of_facts(result)} key facts")
    if result.citations_exact < result.citations:
        found.append(f"{result.citations - result.citations_exact} citations differ from the source")
    if result.claims_supported < result.claims:
        found.append(f"{result.claims_supported} of {result.claims} claims supported")
    return found


def severity(result: Result) -> float:
    """Return how bad an answer is, to order the worst first; 0 when nothing is wrong."""
    if result.error:
        return 5.0
    if result.group in UNANSWERABLE:
        return _ANSWERED[result.outcome] * (1.0 if result.group == "near_miss" else 1.5)
    facts = len(result.facts_found) + len(result.facts_missing)
    place = 1.0 - 1.0 / result.place if result.place else 1.5
    return (
        3.0 * result.refused
        + (place if result.wanted else 0.0)
        + (len(result.facts_missing) / facts if facts else 0.0)
        + 2.0 * (result.citations_exact < result.citations)
        + (1.0 - result.claims_supported / result.claims if result.claims else 0.0)
    )


def _asked(result: Result) -> tuple[object, ...]:
    """Return what makes two results comparable: the same question with the same expectation."""
    facts = tuple(sorted((*result.facts_found, *result.facts_missing)))
    return result.item_id, result.group, result.question, tuple(sorted(result.wanted)), facts


def _change(before: Result, after: Result) -> Change | None:
    old, new = _aspects(before), _aspects(after)
    gains = [name for name in new if new[name].score > old[name].score]
    losses = [name for name in new if new[name].score < old[name].score]
    if not gains and not losses:
        return None
    verdict: Verdict = "mixed" if gains and losses else "better" if gains else "worse"
    reasons = [f"{new[name].words}, was {old[name].value}" for name in new if name in (*gains, *losses)]
    return Change(after.item_id, after.question, verdict, tuple(reasons))


@dataclass(frozen=True, slots=True)
class _Aspect:
    """How good an answer is in one respect."""

    score: float
    """More is better."""
    value: str
    form: str = "{}"

    @property
    def words(self) -> str:
        return self.form.format(self.value)


def _aspects(result: Result) -> dict[str, _Aspect]:
    """Return by name how good the answer is in each respect."""
    outcome, answered = OUTCOMES[result.outcome], float(_ANSWERED[result.outcome])
    if result.group in UNANSWERABLE:
        return {"outcome": _Aspect(-answered, outcome)}
    aspects = {"outcome": _Aspect(answered, outcome)}
    if result.wanted:
        place = result.place
        told = _ordinal(place) if place else f"not in the first {PLACES}"
        aspects["place"] = _Aspect(-float(place or PLACES + 1), told, "right document {}")
    if result.facts_found or result.facts_missing:
        aspects["facts"] = _Aspect(float(len(result.facts_found)), _of_facts(result), "{} key facts")
    inexact = result.citations - result.citations_exact
    aspects["exact"] = _Aspect(-float(inexact), str(inexact), "{} inexact citations")
    doubtful = result.claims - result.claims_supported
    aspects["support"] = _Aspect(-float(doubtful), str(doubtful), "{} claims without full support")
    return aspects


def _of_facts(result: Result) -> str:
    return f"{len(result.facts_found)} of {len(result.facts_found) + len(result.facts_missing)}"


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings on one level, without hashes and versions that say nothing to a reader."""
    silent = ("set", "set_sha256", "library_version", "retrieval")
    retrieval: Mapping[str, Any] = config.get("retrieval", {})
    return {**{key: value for key, value in config.items() if key not in silent}, **retrieval}


def _ordinal(place: int | None) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(place or 0, f"{place}th")
