"""The command `evaluate`: measures on a set and stores the run, lists the runs, compares two."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rag.embedding.base import Progress
from rag.errors import InvalidInput
from rag.evaluation import runs
from rag.evaluation.cases import set_of
from rag.evaluation.comparison import Comparison, changed_settings, compare
from rag.evaluation.figures import Figure, difference
from rag.evaluation.golden import GoldenSet, read_set
from rag.evaluation.results import result_from_json
from rag.services import Services
from rag.storage.evaluations import Run

Json = dict[str, Any]

LISTED = 1000
"""Runs that are listed and can be named."""


def evaluate(services: Services, options: Json, *, progress: Progress) -> Json:
    """Return the metrics of a new run with its id, or the history, or a comparison of two runs.

    Raises InvalidInput for a run that is not there.
    """
    if options.get("history"):
        return {"runs": [_run(run) for run in services.evaluations.list(LISTED)]}
    if named := options.get("compare"):
        return _compared(services, *(_find(services, name) for name in named))
    chosen = _chosen(services, options)
    run_id = runs.start(services, chosen)
    metrics = runs.carry_out(
        services, run_id, chosen, progress=lambda done, total: progress("Asking questions", done, total)
    )
    run = services.evaluations.get(run_id)
    return {"run_id": run_id, "config": run.config if run else {}, "metrics": metrics}


def _chosen(services: Services, options: Json) -> GoldenSet:
    if not options.get("cases"):
        return read_set(options["set"])
    chosen = set_of(services.test_cases.list())
    if not chosen.items:
        raise InvalidInput(
            "There are no test cases.", hint='Make them in the chat: "Make this a test case" under an answer.'
        )
    return chosen


def _find(services: Services, name: str) -> Run:
    """Return the run with this id or with the only id that begins like this."""
    found = [run for run in services.evaluations.list(LISTED) if run.id.startswith(name)]
    if len(found) != 1:
        many = f"{len(found)} runs begin with" if found else "There is no run"
        raise InvalidInput(f"{many} {name!r}.", hint="`python -m rag evaluate --history` lists them.")
    if found[0].metrics is None:
        raise InvalidInput(f"The run {name!r} was not finished.", hint="Compare runs that are done.")
    return found[0]


def _compared(services: Services, before: Run, after: Run) -> Json:
    results = [
        [result_from_json(found) for found in services.evaluations.results(run.id)] for run in (before, after)
    ]
    compared = compare(before.metrics or {}, results[0], after.metrics or {}, results[1])
    return {
        "before": _run(before),
        "after": _run(after),
        "settings": changed_settings(before.config, after.config),
        "figures": [_pair(*pair) for pair in compared.figures],
        "questions": [asdict(change) for change in compared.changes],
        **_counts(compared),
    }


def _counts(compared: Comparison) -> Json:
    return {
        "better": compared.count("better"),
        "worse": compared.count("worse"),
        "mixed": compared.count("mixed"),
        "same": compared.same,
        "only_before": compared.only_before,
        "only_after": compared.only_after,
        "chance": compared.chance,
    }


def _pair(before: Figure, after: Figure) -> Json:
    return {
        "key": after.kind.key,
        "label": after.kind.label,
        "before": _figure(before),
        "after": _figure(after),
        "difference": difference(before, after),
    }


def _figure(figure: Figure) -> Json:
    low, high = figure.interval or (None, None)
    return {"value": figure.value, "n": figure.n, "low": low, "high": high, "words": figure.words}


def _run(run: Run) -> Json:
    return asdict(run) | {
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
    }
