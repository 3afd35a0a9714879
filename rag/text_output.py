"""Turns the command line's JSON results into lines for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rag.ingestion.parsing.reasons import FORMATS

Json = dict[str, Any]
WIDTH = 96


def ingest_lines(result: Json) -> Iterator[str]:
    """Yield a line per file and a sum."""
    for document in result["documents"]:
        if document["status"] == "failed":
            yield f"failed     {document['path']}: {document['error']} {document.get('hint', '')}".rstrip()
        else:
            yield f"{document['status']:<10} {document['id']} ({document['chunks']} chunks)"
    yield f"{len(result['documents'])} documents in {result['seconds']:.1f} s"
    if not result["documents"]:
        yield f"No file was found. Supported formats: {FORMATS}."


def document_lines(result: Json) -> Iterator[str]:
    """Yield a line per document."""
    for document in result["documents"]:
        yield (
            f"{document['topic']:<14} {document['id']:<26} {document['title']} "
            f"({document['chunks']} chunks, {document['bytes']:,} bytes)"
        )
    if not result["documents"]:
        yield "The library is empty. Add documents with `python -m rag ingest PATH`."


def hit_lines(result: Json) -> Iterator[str]:
    """Yield the hits with their places in words."""
    for hit in result["hits"]:
        places = [
            f"{place} by {what}"
            for place, what in ((hit["dense_rank"], "meaning"), (hit["lexical_rank"], "words"))
            if place is not None
        ]
        cut = f"; not used: {hit['cut']}" if hit["cut"] else ""
        path = " > ".join(dict.fromkeys((hit["title"], *hit["heading_path"])))
        yield f"{hit['rank']}. {path} [{hit['chunk_id']}] ({', '.join(places)}{cut})"
        yield textwrap.shorten(hit["text"], 3 * WIDTH, placeholder=" …")
        yield ""
    if not result["hits"]:
        yield "Nothing was found."
    yield f"{result['timings_ms']['total']:.0f} ms"


def answer_lines(result: Json) -> Iterator[str]:
    """Yield the answer, its sources and what it cost."""
    yield result["answer"]
    yield ""
    if result["missing"]:
        yield f"The sources do not say: {result['missing']}"
    if result["note"]:
        yield result["note"]
    if result["outcome"] == "not_in_kb" and result["retrieval"]:
        yield "Nearest topics: " + "; ".join(result["retrieval"]["nearest_topics"])
    for citation in result["citations"]:
        yield (
            f"[{citation['marker']}] {citation['title']} ({citation['document_id']}, "
            f"characters {citation['start']}-{citation['end']})"
        )
    claims = result["claims"]
    if claims:
        cited = sum(bool(claim["markers"]) for claim in claims)
        supported = sum(claim["support"] == "supported" for claim in claims)
        yield f"{len(claims)} claims, {cited} cited, {supported} supported"
    if result["basis"] == "quotes" and result["citations"]:
        yield "Quoted word for word from the sources; nothing was generated."
    usage = result["usage"]
    cost = {None: "price unknown", 0.0: "free"}.get(usage["cost_usd"], f"${usage['cost_usd'] or 0:.6f}")
    guess = " (estimated)" if usage["estimated"] else ""
    yield (
        f"{result['provider']} {result['model']}".rstrip()
        + f" · {usage['input_tokens']} tokens in ({usage['cached_input_tokens']} cached), "
        f"{usage['output_tokens']} out{guess} · {cost} · {result['timings_ms'].get('total', 0) / 1000:.2f} s"
        f" · trace {result['trace_id']}"
    )


def check_lines(result: Json) -> Iterator[str]:
    """Yield a line per check, with what to do where it failed."""
    for check in result["checks"]:
        yield f"{'ok    ' if check['ok'] else 'FAILED'} {check['name']}: {check['detail']}"
        if check.get("fix"):
            yield f"       {check['fix']}"


def checked_lines(result: Json) -> Iterator[str]:
    """Yield the questions that failed a gate, then a line per gate of the set."""
    for item in result["items"]:
        for gate, reason in zip(item["failed_gates"], item["reasons"], strict=True):
            yield f"{item['id']:<28} {gate}: {reason}"
    passed = sum(item["passed"] for item in result["items"])
    yield f"{passed} of {len(result['items'])} questions pass every gate of their own."
    for gate in result["set_gates"]:
        verdict = "ok    " if gate["passed"] else "FAILED"
        figure = f"{gate['value']:.3f} (at most {gate['bound']:.3f})"
        yield f"{verdict} {gate['gate']:<14} {figure} {gate['detail']}".rstrip()
    yield "All gates passed." if result["passed"] else "Not all gates passed."


def inventory_lines(result: Json) -> Iterator[str]:
    """Yield a line per topic and level, and the sums."""
    columns = ("documents", "words", "chunks", "open", "multiple_choice")
    yield f"{'':<26}" + "".join(f"{name.replace('_', ' '):>17}" for name in columns)
    for row in result["topics"]:
        yield f"{row['topic']:<26}" + "".join(f"{row[name]:>17,}" for name in columns)
        for level, counts in row["levels"].items():
            yield f"{'  ' + level:<26}" + "".join(f"{counts[name]:>17,}" for name in columns)
    yield f"{'all':<26}" + "".join(f"{result['total'][name]:>17,}" for name in columns)
    for name, count in result["items"].items():
        yield f"{name.replace('_', ' '):<26}{count:>17,}"


def judged_lines(result: Json) -> Iterator[str]:
    """Yield how many items were judged and where a reader disagrees with the key."""
    yield f"{result['judged']} items judged, {result['outstanding']} still wait."
    for item_id, reasons in result["disagreements"].items():
        for reason in reasons:
            yield f"{item_id}: {reason}"


def quiz_lines(result: Json) -> Iterator[str]:
    """Yield the questions, and after all of them the answers."""
    for number, question in enumerate(result["questions"], start=1):
        yield f"{number}. ({question['topic']}, {question['level']}) {question['prompt']}"
        for letter, option in zip("ABCDE", question.get("options", ()), strict=False):
            yield f"   {letter}. {option}"
        yield ""
    yield "Answers"
    for number, question in enumerate(result["questions"], start=1):
        key = f"{'ABCDE'[question['answer']]}. " if question["kind"] == "mcq" else ""
        yield textwrap.fill(f"{number}. {key}{question['explanation']}", WIDTH, subsequent_indent="   ")
        if source := question["source"]:
            yield f"   {source['document_id']}: “{source['quote']}”"
    for gate, count in result["rejected"].items():
        yield f"{count} left out: {gate.replace('_', ' ')}"


def grade_lines(result: Json) -> Iterator[str]:
    """Yield how an answer was graded, the verdict on each point with both quotations, and what is missing."""
    how = {"llm": f"Graded by {result['model']}", "key": "Graded by the key"}
    outcome = result["outcome"].replace("_", " ")
    yield f"{how.get(result['graded_by'], 'Coverage hint, not a grade')}: {outcome}."
    if "right" in result:
        yield "Right." if result["right"] else "Wrong."
    for verdict in result["verdicts"]:
        yield f"{verdict['verdict']:<13} {verdict['point']}"
        for whose, quote in (("answer", verdict["answer_quote"]), ("source", verdict["source_quote"])):
            if quote:
                yield textwrap.indent(textwrap.fill(f"{whose}: “{quote}”", WIDTH - 14), " " * 14)
        if reason := verdict["denied"] or verdict["why"]:
            yield f"{'':<14}{reason}"
    if "score" in result:
        met = sum(verdict["verdict"] == "met" for verdict in result["verdicts"])
        yield f"{met} of {len(result['verdicts'])} points met; {result['score']:.0%} by weight."
    for point in result["not_mentioned"]:
        yield f"not mentioned, it seems: {point}"
    if result["note"]:
        yield result["note"]
