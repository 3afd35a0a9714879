"""The evaluation run under way: one at a time, since two would measure each other's load."""

from __future__ import annotations

from pages.shared.one_run import OneRun
from rag.errors import InvalidInput
from rag.evaluation import runs
from rag.evaluation.golden import GoldenSet
from rag.providers.choice import ModelChoice
from rag.services import Services

_runs = OneRun("evaluation")
underway = _runs.underway
stop = _runs.stop


def begin(services: Services, chosen: GoldenSet, choice: ModelChoice, reader: str) -> str:
    """Start a run of `reader`, whose documents are searched, too, and return its id.

    Raises InvalidInput while another run is under way, ConfigurationError when the choice lacks something.
    """
    return _runs.begin(
        lambda: runs.start(services, chosen, choice, owner=reader),
        lambda run_id, stopped: runs.carry_out(
            services, run_id, chosen, choice, reader=reader, stopped=stopped
        ),
        InvalidInput("Another run is under way.", hint="Wait for its end or stop it."),
    )
