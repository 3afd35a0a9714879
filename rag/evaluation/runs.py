"""Carries out evaluation runs: asks every question of a set, stores each result, and adds up at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rag import __version__
from rag.errors import ProviderUnavailable, RagError
from rag.evaluation.golden import GoldenSet, load
from rag.evaluation.report import report
from rag.evaluation.results import Examiner, Result, result_to_json
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.types import Usage, never_stopped

Json = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called with the number of questions asked and of all."""

FAILURES_IN_A_ROW = 5
"""After so many the model is not there, and the run ends."""
EMBEDDED_MS = 90.0
"""Milliseconds a quoted answer takes where nothing was measured yet."""
TYPICAL = Usage(input_tokens=2500, output_tokens=250)
"""Tokens of an answer by a model where nothing was measured yet."""
STOPPED = "It was stopped."


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take."""

    questions: int
    seconds: float | None
    """None: this model was not measured yet."""
    cost_usd: Decimal | None
    """None: the model's price is unknown."""


def measure(services: Services, path: Path) -> Json:
    """Return the metrics of the configured answers on the golden questions in `path`; nothing is stored."""
    examiner = Examiner(services)
    return report([examiner.ask(item) for item in load(path)])


def start(
    services: Services, chosen: GoldenSet, choice: ModelChoice | None = None, *, owner: str = ""
) -> str:
    """Store that a run of `owner` begins and return its id.

    Raises ConfigurationError for an incomplete choice.
    """
    services.answerer(choice)
    config = _config(services, chosen, choice or services.default_choice)
    return services.evaluations.start(chosen.name, config, len(chosen.items), owner)


def carry_out(
    services: Services,
    run_id: str,
    chosen: GoldenSet,
    choice: ModelChoice | None = None,
    *,
    reader: str = "",
    stopped: Callable[[], bool] = never_stopped,
    progress: Progress = lambda done, total: None,
) -> Json | None:
    """Ask the questions of a run that was started and return its metrics; None when it was stopped.

    Whatever happens, the run does not stay open. Raises RagError when a question could not be asked for a
    reason that concerns all of them.
    """
    try:
        examiner = Examiner(services, choice, reader=reader, stopped=stopped)
        results: list[Result] = []
        for result in _asked(examiner, chosen, stopped):
            services.evaluations.result(run_id, len(results), result.item_id, result_to_json(result))
            results.append(result)
            progress(len(results), len(chosen.items))
        if len(results) < len(chosen.items):
            services.evaluations.interrupt(run_id, STOPPED)
            return None
        metrics = report(results)
        services.evaluations.finish(run_id, metrics)
        return metrics
    except RagError as error:
        services.evaluations.fail(run_id, f"{error} {error.hint}".strip())
        raise
    except BaseException:
        services.evaluations.interrupt(run_id, "It ended before it was finished.")
        raise


def estimate(services: Services, questions: int, choice: ModelChoice, owner: str = "") -> Estimate:
    """Return what so many questions will take, by the owner's last finished run with this model if any."""
    is_free = choice.provider in ("embedded", "local")
    for run in services.evaluations.list(owner=owner):
        metrics = run.metrics or {}
        if (run.config.get("answers"), run.config.get("model")) != (choice.provider, choice.model_name):
            continue
        if measured := metrics.get("questions"):
            unpriced = metrics.get("unpriced_questions")
            each = Decimal(str(metrics["cost_usd"])) / measured
            cost = None if unpriced else each * questions
            return Estimate(questions, questions * metrics["latency_mean_ms"] / 1000, cost)
    seconds = questions * EMBEDDED_MS / 1000 if choice.provider == "embedded" else None
    return Estimate(questions, seconds, Decimal(0) if is_free else _list_price(choice, questions))


def _asked(examiner: Examiner, chosen: GoldenSet, stopped: Callable[[], bool]) -> Iterator[Result]:
    """Yield the results up to the end or the stop; a result that came after the stop is left out."""
    failed = 0
    for item in chosen.items:
        result = examiner.ask(item)
        if stopped():
            return
        failed = failed + 1 if result.error else 0
        if failed == FAILURES_IN_A_ROW:
            raise ProviderUnavailable(
                f"{failed} questions in a row got no answer. The last one: {result.error}",
                hint="Start the run again when the model is there.",
            )
        yield result


def _config(services: Services, chosen: GoldenSet, choice: ModelChoice) -> Json:
    """Return everything that decides about the figures of a run; no key is among it."""
    config = services.retrieval_config
    return {
        "answers": choice.provider,
        "model": choice.model_name,
        "embedding": services.embedder.model,
        "top_k": config.top_k,
        "retrieval": asdict(config),
        "documents": len(services.library.summaries()),
        "library_version": services.library.version(),
        "version": __version__,
        "set": chosen.source or chosen.name,
        "set_sha256": chosen.sha256,
    }


def _list_price(choice: ModelChoice, questions: int) -> Decimal | None:
    from rag.providers.prices import cost_usd  # its tables cost a tenth of a second

    each = cost_usd(choice, TYPICAL)
    return None if each is None else each * questions
