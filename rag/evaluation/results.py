"""Asks a golden question and judges the answer: right documents, facts, refusal, exact quotes, support."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from typing import Any

from rag.errors import ProviderError
from rag.evaluation.golden import (
    Answerable,
    Fact,
    FalsePremise,
    GoldenItem,
    Group,
    InterviewQuery,
    Unanswerable,
    group,
)
from rag.evaluation.metrics import contains, without_markers
from rag.providers.choice import ModelChoice
from rag.services import Services
from rag.types import Answer, Ask, Citation, Completed, Filters, Outcome, Turn, never_stopped

Json = dict[str, Any]

PLACES = 10
"""Documents of a ranking that are kept and counted."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one golden question brought."""

    item_id: str
    group: Group
    kind: str
    split: str
    topic: str
    """Of an interview query; empty for the others."""
    question: str
    wanted: tuple[str, ...] = ()
    """Ids of the documents each of which answers it."""
    outcome: Outcome = "interrupted"
    found: tuple[str, ...] = ()
    """Ids of the first PLACES documents that were found, best first."""
    facts_found: tuple[str, ...] = ()
    facts_missing: tuple[str, ...] = ()
    """Key facts, or of a false premise its correction; alternatives are joined by " / "."""
    citations: int = 0
    citations_exact: int = 0
    """Quotes that equal the document's text at their place."""
    claims: int = 0
    claims_supported: int = 0
    """Claims whose cited sentences bear them out, as the program checks it."""
    words: int = 0
    ms: float = 0.0
    cost_usd: Decimal | None = Decimal(0)
    """None: the model's price is unknown."""
    answer: str = ""
    error: str = ""
    """Why there is no answer; then nothing above counts."""

    @property
    def place(self) -> int | None:
        """1-based place of the first right document; None when it is not among the first PLACES."""
        return next((n for n, found in enumerate(self.found, start=1) if found in self.wanted), None)

    @property
    def refused(self) -> bool:
        """The answer says that the sources do not hold it."""
        return self.outcome == "not_in_kb"


class Examiner:
    """Asks golden questions, one at a time, and judges the answers."""

    def __init__(
        self,
        services: Services,
        choice: ModelChoice | None = None,
        *,
        reader: str = "",
        stopped: Callable[[], bool] = never_stopped,
    ) -> None:
        """`choice`: who answers, None: the configured model; `reader`: whose documents are searched, too.

        Raises ConfigurationError when the choice lacks something, such as a key.
        """
        self._answerer = services.answerer(choice)
        self._document = services.document
        self._filters = Filters(reader=reader)
        self._stopped = stopped
        self._texts: dict[str, str] = {}

    def ask(self, item: GoldenItem) -> Result:
        """Return the judged answer; a failed call that may work another time becomes a result with an error.

        Raises RagError when a call failed in a way that concerns every question.
        """
        blank = Result(
            item.id, group(item), item.kind, item.split, _topic(item), item.question, _wanted(item)
        )
        history = item.history if isinstance(item, Answerable) else []
        ask = Ask(
            item.question,
            tuple(Turn(turn.question, turn.answer) for turn in history),
            self._filters,
            stopped=self._stopped,
        )
        started = time.perf_counter()
        try:
            answer = self._answer(ask)
        except ProviderError as error:
            if not error.retryable:
                raise
            return replace(blank, error=str(error), cost_usd=None)
        if answer.outcome == "interrupted":
            return replace(blank, error=answer.note or "The answer was interrupted.", cost_usd=None)
        return self._judged(blank, item, answer, (time.perf_counter() - started) * 1000)

    def _answer(self, ask: Ask) -> Answer:
        for event in self._answerer.stream(ask):
            if isinstance(event, Completed):
                return event.answer
        raise AssertionError("an answer ends with Completed")

    def _judged(self, blank: Result, item: GoldenItem, answer: Answer, ms: float) -> Result:
        text = without_markers(answer.text)
        facts = {" / ".join(fact): contains(text, fact) for fact in _facts(item)}
        hits = answer.retrieval.hits if answer.retrieval else ()
        return replace(
            blank,
            outcome=answer.outcome,
            found=tuple(dict.fromkeys(hit.chunk.document_id for hit in hits))[:PLACES],
            facts_found=tuple(fact for fact, is_there in facts.items() if is_there),
            facts_missing=tuple(fact for fact, is_there in facts.items() if not is_there),
            citations=len(answer.citations),
            citations_exact=sum(self._is_exact(citation) for citation in answer.citations),
            claims=len(answer.claims),
            claims_supported=sum(claim.support == "supported" for claim in answer.claims),
            words=len(text.split()),
            ms=ms,
            cost_usd=answer.usage.cost_usd,
            answer=answer.text,
        )

    def _is_exact(self, citation: Citation) -> bool:
        if citation.document_id not in self._texts:
            document = self._document(citation.document_id)
            self._texts[citation.document_id] = document.text if document else ""
        return citation.quote == self._texts[citation.document_id][citation.start : citation.end]


def result_to_json(result: Result) -> Json:
    """Return a result as JSON values, with the place of the first right document for readers of it."""
    found = asdict(result) | {"place": result.place, "refused": result.refused}
    return found | {"cost_usd": None if result.cost_usd is None else str(result.cost_usd)}


def result_from_json(found: Mapping[str, Any]) -> Result:
    """Return the result that `result_to_json` wrote; unknown keys are ignored."""
    known = {field.name: found[field.name] for field in fields(Result) if field.name in found}
    lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    cost = known.get("cost_usd")
    return Result(**{**known, **lists, "cost_usd": None if cost is None else Decimal(cost)})


def _wanted(item: GoldenItem) -> tuple[str, ...]:
    return () if isinstance(item, Unanswerable) else tuple(item.documents)


def _topic(item: GoldenItem) -> str:
    return item.topic if isinstance(item, InterviewQuery) else ""


def _facts(item: GoldenItem) -> Sequence[Fact]:
    match item:
        case Answerable():
            return item.key_facts
        case FalsePremise():
            return item.correction
        case _:
            return ()
