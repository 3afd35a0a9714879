"""The writing of questions under way: one run at a time for all, since each keeps a model busy for long."""

from __future__ import annotations

from collections.abc import Sequence

from pages.shared.one_run import OneRun
from rag.errors import InvalidInput
from rag.providers.choice import ModelChoice
from rag.quiz_types import Kind
from rag.services import Services

_runs = OneRun("generation")
underway = _runs.underway
stop = _runs.stop


def begin(
    services: Services,
    document_ids: Sequence[str],
    n: int,
    choice: ModelChoice,
    reader: str,
    kind: Kind | None = None,
) -> str:
    """Start writing `n` questions for `reader` and return the id of the run; kind None: of both kinds.

    Raises InvalidInput while another run is under way or when there is nothing to write on, and
    ConfigurationError when the choice lacks something.
    """
    generator = services.study.generator(choice)
    return _runs.begin(
        lambda: generator.start(document_ids, n, reader, kind),
        lambda run_id, stopped: generator.run(run_id, document_ids, n, reader, stopped=stopped, kind=kind),
        InvalidInput("Questions are being written already.", hint="Wait until that is done, or stop it."),
    )
