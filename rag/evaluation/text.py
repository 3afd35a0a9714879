"""Turns what `evaluate` returns into lines for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from rag.evaluation.figures import figures

Json = dict[str, Any]
WIDTH = 96
VERDICTS = {"worse": "Worse", "mixed": "Better in one way, worse in another", "better": "Better"}


def evaluation_lines(result: Json) -> Iterator[str]:
    """Yield the figures of a run, the list of all runs, or what changed between two."""
    if "runs" in result:
        return _history(result)
    if "questions" in result:
        return _comparison(result)
    return _metrics(result)


def chance_words(chance: float) -> str:
    """Return what a sign test says, for people."""
    if chance >= 0.5:
        return "That can well be chance."
    if chance >= 0.05:
        return f"A split this uneven comes about by chance {100 * chance:.0f} times in 100."
    return "That is hardly chance: a split this uneven comes about by chance " + (
        f"{100 * chance:.0f} times in 100." if chance >= 0.01 else "less than once in 100 times."
    )


def _metrics(result: Json) -> Iterator[str]:
    metrics = result["metrics"]
    section = ""
    for figure in figures(metrics).values():
        if figure.kind.section != section:
            section = figure.kind.section
            yield f"{section}"
        yield f"  {figure.kind.label:<34}{figure.words}"
    yield "Shares come with their number of cases and the 95 % interval."
    if failed := metrics["failed_questions"]:
        yield f"{failed} questions got no answer and are left out."
    yield ""
    yield f"{'':<40}{'all':>8}{'tune':>8}{'check':>8}"
    for name in metrics["all"]:
        cells = [metrics[column][name] for column in ("all", "tune", "check")]
        digits = 0 if name.endswith(("_questions", "_facts", "_words")) and "key" not in name else 3
        yield f"{name:<40}" + "".join(f"{cell:>8.{digits}f}" for cell in cells)
    for topic, shares in metrics["topics"].items():
        found, first = (shares[f"interview_right_document_{place}"] for place in ("in_top_3", "first"))
        yield f"interview: {topic:<29}{found:>8.3f} in the top 3, {first:.3f} first"
    yield f"Stored as run {result['run_id']}; `python -m rag evaluate --history` lists all."


def _history(result: Json) -> Iterator[str]:
    for run in result["runs"]:
        config = run["config"]
        told = f"{run['state']}, {run['done']} of {run['total']} questions"
        if run["metrics"]:
            shown = list(figures(run["metrics"]).values())[:1]
            told = ", ".join([f"{run['total']} questions", *(f"{f.kind.label} {f.amount}" for f in shown)])
        by = " ".join(filter(None, (config.get("answers", ""), config.get("model", ""))))
        yield f"{run['id'][:8]}  {run['started_at'][:16].replace('T', ' ')}  {run['name']} · {by} · {told}"
        if run["error"]:
            yield textwrap.indent(textwrap.fill(run["error"], WIDTH), "          ")
    if not result["runs"]:
        yield "Nothing was measured yet. `python -m rag evaluate` does."


def _comparison(result: Json) -> Iterator[str]:
    before, after = result["before"], result["after"]
    yield f"From {before['id'][:8]} ({before['name']}) to {after['id'][:8]} ({after['name']})"
    if result["settings"]:
        yield f"What else differs: {'; '.join(result['settings'])}"
    for pair in result["figures"]:
        change = pair["difference"] or "same"
        yield f"  {pair['label']:<34}{change:<22}{pair['before']['words']} -> {pair['after']['words']}"
    yield (
        f"{result['better']} questions got better, {result['worse']} worse, {result['mixed']} better in one "
        f"way and worse in another, {result['same']} went the same."
    )
    if result["better"] or result["worse"]:
        yield chance_words(result["chance"])
    if result["only_before"] or result["only_after"]:
        yield f"Only in the first: {result['only_before']}; only in the second: {result['only_after']}."
    shown = ""
    for change in result["questions"]:
        if change["verdict"] != shown:
            shown = change["verdict"]
            yield ""
            yield f"{VERDICTS[shown]}:"
        yield f"  {change['item_id']:<14}{textwrap.shorten(change['question'], WIDTH)}"
        yield f"  {'':<14}{'; '.join(change['reasons'])}"
