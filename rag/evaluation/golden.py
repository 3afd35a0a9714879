"""Asks the golden questions and counts what came back: right documents, facts, refusals, exact quotes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rag.errors import KnowledgeError
from rag.evaluation.metrics import contains, mean, percentile, without_markers
from rag.services import Services
from rag.types import Answer, Ask, Completed, Turn

Fact = list[str]
"""Alternative phrases; one of them is enough."""


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    split: Literal["tune", "check"] = "check"
    kind: str = ""
    question: str


class _Earlier(BaseModel):
    question: str
    answer: str = ""


class Answerable(_Item):
    """A question the library answers."""

    history: list[_Earlier] = Field(default_factory=list)
    standalone: str = ""
    documents: list[str]
    """Ids of documents each of which holds the whole answer."""
    key_facts: list[Fact]


class FalsePremise(_Item):
    """A question that presupposes what the library contradicts."""

    documents: list[str]
    correction: list[Fact]


class Unanswerable(_Item):
    """A question the library does not answer."""

    kind: Literal["off_topic", "neighbouring", "near_miss"]


class InterviewQuery(_Item):
    """What an interviewer asks or a candidate types, written without sight of the documents."""

    kind: Literal["interview"]
    topic: str
    documents: list[str]
    """Ids of documents each of which answers it, judged by reading them and not by what a search found."""


GoldenItem = Answerable | FalsePremise | Unanswerable | InterviewQuery
_ITEM: TypeAdapter[GoldenItem] = TypeAdapter(Annotated[GoldenItem, Field(union_mode="left_to_right")])


def load(path: Path) -> list[GoldenItem]:
    """Return the questions of a JSON lines file, or of all such files in a folder.

    Raises KnowledgeError naming the file and line that is not valid.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    items = []
    for file in files:
        try:
            lines = file.read_bytes().splitlines()
        except OSError as error:
            raise KnowledgeError(
                f"{file} can't be read: {error.strerror}.", path=file, hint="Check the path of the set."
            ) from None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                items.append(_ITEM.validate_json(line))
            except ValidationError:
                raise KnowledgeError(
                    f"{file}, line {number} is not a golden question.",
                    path=file,
                    line=number,
                    hint="tests/golden shows the four forms.",
                ) from None
    if not items:
        raise KnowledgeError(f"{path} holds no questions.", path=path, hint="Give a .jsonl file.")
    return items


def measure(services: Services, path: Path) -> dict[str, Any]:
    """Return the metrics of the embedded or configured answers on the golden questions in `path`.

    Shares lie between 0 and 1, latencies are in milliseconds. `tune` and `check` are the two halves: the
    cut-off and the weights were chosen on `tune`. `topics` has the interview queries of each topic.
    """
    answered = [(item, *_timed(services, item)) for item in load(path)]
    report: dict[str, Any] = {"all": _report(answered)}
    for split in ("tune", "check"):
        report[split] = _report([row for row in answered if row[0].split == split])
    report["topics"] = _by_topic(answered)
    answers = [answer for _, answer, _ in answered]
    quotes = [citation for answer in answers for citation in answer.citations]
    texts = {c.document_id: services.library.document(c.document_id) for c in quotes}
    exact = [
        float((document := texts[c.document_id]) is not None and c.quote == document.text[c.start : c.end])
        for c in quotes
    ]
    milliseconds = [ms for _, _, ms in answered]
    return report | {
        "citations": len(quotes),
        "citations_exact": mean(exact),
        "latency_p50_ms": percentile(milliseconds, 0.5),
        "latency_p95_ms": percentile(milliseconds, 0.95),
        "cost_usd": sum(float(answer.usage.cost_usd or 0) for answer in answers),
    }


def _timed(services: Services, item: GoldenItem) -> tuple[Answer, float]:
    history = item.history if isinstance(item, Answerable) else []
    ask = Ask(item.question, tuple(Turn(turn.question, turn.answer) for turn in history))
    started = time.perf_counter()
    for event in services.answerer().stream(ask):
        if isinstance(event, Completed):
            return event.answer, (time.perf_counter() - started) * 1000
    raise AssertionError("an answer ends with Completed")


def _report(answered: Sequence[tuple[GoldenItem, Answer, float]]) -> dict[str, float]:
    """Return counts and shares for the three kinds of questions."""
    report: dict[str, float] = {}
    for name, follow_up in (("answerable", False), ("follow_up", True)):
        rows = [
            (item, answer)
            for item, answer, _ in answered
            if isinstance(item, Answerable) and bool(item.history) is follow_up
        ]
        facts = [
            float(contains(without_markers(answer.text), fact))
            for item, answer in rows
            for fact in item.key_facts
        ]
        report |= {
            **_ranked(name, rows),
            f"{name}_key_facts": mean(facts),
            f"{name}_refused": mean([float(a.outcome == "not_in_kb") for _, a in rows]),
            f"{name}_partial": mean([float(a.outcome == "partial") for _, a in rows]),
            f"{name}_words": mean([len(without_markers(a.text).split()) for _, a in rows]),
        }
    queries = [(item, answer) for item, answer, _ in answered if isinstance(item, InterviewQuery)]
    report |= _ranked("interview", queries)
    report["interview_refused"] = mean([float(a.outcome == "not_in_kb") for _, a in queries])
    for kind in ("off_topic", "neighbouring", "near_miss"):
        outcomes = [a.outcome for i, a, _ in answered if isinstance(i, Unanswerable) and i.kind == kind]
        report |= {
            f"{kind}_questions": len(outcomes),
            f"{kind}_answered": mean([float(outcome == "answered") for outcome in outcomes]),
            f"{kind}_partial": mean([float(outcome == "partial") for outcome in outcomes]),
        }
    premises = [(i, a) for i, a, _ in answered if isinstance(i, FalsePremise)]
    return report | {
        "false_premise_questions": len(premises),
        "false_premise_corrected": mean(
            [
                float(all(contains(without_markers(a.text), fact) for fact in i.correction))
                for i, a in premises
            ]
        ),
    }


def _by_topic(
    answered: Sequence[tuple[GoldenItem, Answer, float]],
) -> dict[str, dict[str, float]]:
    queries = [(item, answer) for item, answer, _ in answered if isinstance(item, InterviewQuery)]
    return {
        topic: _ranked("interview", [row for row in queries if row[0].topic == topic])
        for topic in sorted({item.topic for item, _ in queries})
    }


def _ranked(name: str, rows: Sequence[tuple[Answerable | InterviewQuery, Answer]]) -> dict[str, float]:
    """Return how many there are and how often a right document is first and among the first three."""
    return {
        f"{name}_questions": len(rows),
        f"{name}_right_document_in_top_3": mean([_found(item, answer, 3) for item, answer in rows]),
        f"{name}_right_document_first": mean([_found(item, answer, 1) for item, answer in rows]),
    }


def _found(item: Answerable | InterviewQuery, answer: Answer, places: int) -> float:
    hits = answer.retrieval.hits if answer.retrieval else ()
    documents = list(dict.fromkeys(hit.chunk.document_id for hit in hits))[:places]
    return float(any(document in item.documents for document in documents))
