"""Turns answers and searches into JSON values and answers back again, exactly.

The same form is stored, exported and printed by the command line. Keys are only ever added: what an
older program wrote can be read, missing keys get their defaults, unknown ones are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Filters,
    Hit,
    Retrieval,
    RetrievalConfig,
    SentSpan,
    Usage,
)

Json = dict[str, Any]
_CONFIG_NAMES = frozenset(field.name for field in fields(RetrievalConfig))


def answer_to_json(answer: Answer) -> Json:
    """Return an answer as JSON values; `answer_from_json` gives an equal answer back.

    `answer` is its text, `hits` are those of `retrieval`, `usage.cost_usd` is text or null, and `sent` has
    [document id, start, end] of every sentence.
    """
    return {
        "outcome": answer.outcome,
        "answer": answer.text,
        "basis": answer.basis,
        "claims": [
            {"text": c.text, "markers": list(c.markers), "support": c.support, "reason": c.reason}
            for c in answer.claims
        ],
        "citations": [asdict(citation) for citation in answer.citations],
        "hits": [hit_to_json(hit) for hit in answer.retrieval.hits] if answer.retrieval else [],
        "retrieval": _trace(answer.retrieval) if answer.retrieval else None,
        "searched_for": answer.searched_for,
        "usage": usage_to_json(answer.usage),
        "timings_ms": dict(answer.timings_ms),
        "provider": answer.provider,
        "model": answer.model,
        "trace_id": answer.trace_id,
        "missing": answer.missing,
        "note": answer.note,
        "dropped_markers": answer.dropped_markers,
        "dropped_passages": answer.dropped_passages,
        "sent": [[span.document_id, span.start, span.end] for span in answer.sent],
    }


def contract_answer(answer: Answer) -> Json:
    """Return an answer as scripts get it: the cost is a number, and nothing names who asked."""
    found = answer_to_json(answer)
    cost = answer.usage.cost_usd
    return found | {
        "usage": found["usage"] | {"cost_usd": None if cost is None else float(cost)},
        "retrieval": _public_trace(answer.retrieval) if answer.retrieval else None,
    }


def retrieval_to_json(retrieval: Retrieval) -> Json:
    """Return a search with its hits, for people and scripts; nothing names who searched."""
    return _public_trace(retrieval) | {"hits": [hit_to_json(hit) for hit in retrieval.hits]}


def hit_to_json(hit: Hit) -> Json:
    """Return a hit with its chunk in one flat object."""
    return {
        "rank": hit.rank,
        "chunk_id": hit.chunk.id,
        "document_id": hit.chunk.document_id,
        "title": hit.title,
        "topic": hit.topic,
        "heading_path": list(hit.chunk.heading_path),
        "start": hit.chunk.start,
        "end": hit.chunk.end,
        "text": hit.chunk.text,
        "tokens": hit.chunk.tokens,
        "score": hit.score,
        "dense_rank": hit.dense_rank,
        "dense_score": hit.dense_score,
        "lexical_rank": hit.lexical_rank,
        "lexical_score": hit.lexical_score,
        "matched_terms": list(hit.matched_terms),
        "cut": hit.cut,
    }


def usage_to_json(usage: Usage) -> Json:
    """Return tokens and cost; the cost is text, so that no digit is lost, or null if unknown."""
    return {
        "input_tokens": usage.input_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": None if usage.cost_usd is None else str(usage.cost_usd),
        "estimated": usage.estimated,
    }


def config_to_json(config: RetrievalConfig) -> Json:
    """Return how passages were or shall be found; `config_from_json` gives an equal value back."""
    return asdict(config)


def config_from_json(found: Mapping[str, Any]) -> RetrievalConfig:
    """Return what `config_to_json` wrote, as it was: its ranges are not checked."""
    return RetrievalConfig(**{name: value for name, value in found.items() if name in _CONFIG_NAMES})


def answer_from_json(found: Mapping[str, Any]) -> Answer:
    """Return the answer that `answer_to_json` or `contract_answer` wrote."""
    trace = found.get("retrieval")
    return Answer(
        outcome=found.get("outcome", "interrupted"),
        text=found.get("answer", ""),
        basis=found.get("basis", "passages"),
        claims=tuple(_claim(claim) for claim in found.get("claims", ())),
        citations=tuple(_citation(citation) for citation in found.get("citations", ())),
        retrieval=None if trace is None else _retrieval(trace, found.get("hits", ())),
        searched_for=found.get("searched_for", ""),
        usage=_usage(found.get("usage", {})),
        timings_ms=dict(found.get("timings_ms", {})),
        provider=found.get("provider", "embedded"),
        model=found.get("model", ""),
        trace_id=found.get("trace_id", ""),
        missing=found.get("missing", ""),
        note=found.get("note", ""),
        dropped_markers=found.get("dropped_markers", 0),
        dropped_passages=found.get("dropped_passages", 0),
        sent=tuple(SentSpan(*place) for place in found.get("sent", ())),
    )


def _trace(retrieval: Retrieval) -> Json:
    return {
        "query": retrieval.query,
        "sufficient": retrieval.sufficient,
        "borderline": retrieval.borderline,
        "margin": retrieval.margin,
        "best_cosine": retrieval.best_cosine,
        "word_cover": retrieval.word_cover,
        "missing_terms": list(retrieval.missing_terms),
        "nearest_topics": list(retrieval.nearest_topics),
        "filters": {
            "topics": sorted(retrieval.filters.topics),
            "document_ids": sorted(retrieval.filters.document_ids),
            "reader": retrieval.filters.reader,
        },
        "config": config_to_json(retrieval.config),
        "timings_ms": dict(retrieval.timings_ms),
    }


def _public_trace(retrieval: Retrieval) -> Json:
    trace = _trace(retrieval)
    return trace | {"filters": {k: v for k, v in trace["filters"].items() if k != "reader"}}


def _retrieval(trace: Mapping[str, Any], hits: Any) -> Retrieval:
    filters = trace.get("filters", {})
    return Retrieval(
        query=trace.get("query", ""),
        hits=tuple(_hit(hit) for hit in hits),
        sufficient=trace.get("sufficient", False),
        borderline=trace.get("borderline", False),
        margin=trace.get("margin", 0.0),
        best_cosine=trace.get("best_cosine", 0.0),
        word_cover=trace.get("word_cover", 0.0),
        missing_terms=tuple(trace.get("missing_terms", ())),
        nearest_topics=tuple(trace.get("nearest_topics", ())),
        filters=Filters(
            topics=frozenset(filters.get("topics", ())),
            document_ids=frozenset(filters.get("document_ids", ())),
            reader=filters.get("reader", ""),
        ),
        config=config_from_json(trace.get("config", {})),
        timings_ms=dict(trace.get("timings_ms", {})),
    )


def _hit(found: Mapping[str, Any]) -> Hit:
    chunk = Chunk(
        id=found.get("chunk_id", ""),
        document_id=found.get("document_id", ""),
        heading_path=tuple(found.get("heading_path", ())),
        start=found.get("start", 0),
        end=found.get("end", 0),
        text=found.get("text", ""),
        tokens=found.get("tokens", 0),
    )
    return Hit(
        chunk=chunk,
        title=found.get("title", ""),
        topic=found.get("topic", ""),
        rank=found.get("rank", 0),
        score=found.get("score", 0.0),
        dense_rank=found.get("dense_rank"),
        dense_score=found.get("dense_score"),
        lexical_rank=found.get("lexical_rank"),
        lexical_score=found.get("lexical_score"),
        matched_terms=tuple(found.get("matched_terms", ())),
        cut=found.get("cut"),
    )


def _citation(found: Mapping[str, Any]) -> Citation:
    return Citation(
        marker=found.get("marker", 0),
        chunk_id=found.get("chunk_id", ""),
        document_id=found.get("document_id", ""),
        title=found.get("title", ""),
        start=found.get("start", 0),
        end=found.get("end", 0),
        quote=found.get("quote", ""),
    )


def _claim(found: Mapping[str, Any]) -> Claim:
    return Claim(
        text=found.get("text", ""),
        markers=tuple(found.get("markers", ())),
        support=found.get("support", "unchecked"),
        reason=found.get("reason", ""),
    )


def _usage(found: Mapping[str, Any]) -> Usage:
    cost = found.get("cost_usd")
    return Usage(
        input_tokens=found.get("input_tokens", 0),
        cached_input_tokens=found.get("cached_input_tokens", 0),
        output_tokens=found.get("output_tokens", 0),
        cost_usd=None if cost is None else Decimal(str(cost)),
        estimated=found.get("estimated", False),
    )
