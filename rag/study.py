"""Wires what quizzes need: where questions come from, who grades them, when they come again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rag.embedding.base import Embedder
from rag.settings import Settings
from rag.storage.engine import Database
from rag.storage.ledger import Ledger
from rag.storage.library import Library


class Study:
    """Everything about quizzes that the pages and the command line work with."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        library: Library,
        embedder: Embedder,
        ledger: Ledger,
        check_budget: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`check_budget` raises BudgetExceeded when no model call may be made."""
        self._settings = settings
        self._database = database
        self._library = library
        self._embedder = embedder
        self._ledger = ledger
        self._check_budget = check_budget
        self._clock = clock
