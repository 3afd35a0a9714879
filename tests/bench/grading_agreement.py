"""Holds grades and hints against those of people, beside graders that need no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.quiz.grading.coverage import MENTIONED, CoverageHint
from rag.quiz.grading.relevance import Relevance
from rag.quiz_types import AskedQuestion
from tests.bench.grading_material import Marked, Remembering, parts

STEPS = 4
"""Grades are compared in quarters."""
RESAMPLES = 500
OMITTED = re.compile(
    r"\b(?:missing|misses|lacks?|omit\w*|incomplete|without|fails? to|only|left out|unanswered)\b"
    r"|(?:\bnot|n['’]t) (?:state|mention|explain|includ|describ|giv|provid|name|cover|specif|clear|address|"
    r"discuss|elaborat)\w*",
    re.IGNORECASE,
)
"""How the written feedback says that something was left out."""

Floats = NDArray[np.float64]


def quarters(grades: Iterable[float]) -> NDArray[np.int64]:
    """Return grades from 0 to 1 in steps of a quarter."""
    return np.array([round(grade * STEPS) for grade in grades], dtype=np.int64)


def kappa(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """Return Cohen's kappa with quadratic weights; 0 when nothing varies."""
    seen = np.zeros((STEPS + 1, STEPS + 1))
    np.add.at(seen, (ours, theirs), 1)
    expected = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    cost = (np.arange(STEPS + 1)[:, None] - np.arange(STEPS + 1)[None]) ** 2
    return float(1 - (seen * cost).sum() / (expected * cost).sum()) if (expected * cost).sum() else 0.0


def agreement(name: str, ours: NDArray[np.int64], marked: Sequence[Marked]) -> None:
    """Print the agreement with people, with an interval from resampling whole questions, and by stratum."""
    theirs = quarters(one.grade for one in marked)
    questions = np.array([one.question.id for one in marked])
    chooser = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = chooser.choice(np.unique(questions), len(np.unique(questions)))
        rows = np.concatenate([np.flatnonzero(questions == one) for one in chosen])
        drawn.append(kappa(ours[rows], theirs[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    off = np.abs(ours - theirs)
    print(
        f"{name:<34} QWK {kappa(ours, theirs):>5.2f} [{low:.2f}, {high:.2f}]  exact {np.mean(off == 0):.2f}  "
        f"within one {np.mean(off <= 1):.2f}  MAE {np.mean(off) / STEPS:.3f}"
    )
    for stratum, inside in (
        ("low", theirs <= 1),
        ("mid", (theirs > 1) & (theirs < 4)),
        ("high", theirs == 4),
    ):
        if inside.any():
            print(
                f"    {stratum:<5} n {inside.sum():>3}  exact {np.mean(off[inside] == 0):.2f}  "
                f"MAE {np.mean(off[inside]) / STEPS:.3f}"
            )


def ranked(values: Floats, marked: Sequence[Marked]) -> NDArray[np.int64]:
    """Return grades by rank: each question is graded by the thresholds that suit the other questions."""
    theirs = quarters(one.grade for one in marked)
    questions = np.array([one.question.id for one in marked])
    found = np.zeros(len(marked), dtype=np.int64)
    for question in np.unique(questions):
        others = questions != question
        below = [np.mean(theirs[others] <= step) for step in range(STEPS)]
        found[~others] = np.searchsorted(np.quantile(values[others], below), values[~others], side="left")
    return found


def peers(marked: Sequence[Marked], embed: Remembering) -> None:
    """Print the agreement of graders that need no model, as a yardstick for those that do."""
    median = int(np.median(quarters(one.grade for one in marked)))
    agreement("always the median", np.full(len(marked), median), marked)
    lengths = np.array([len(one.text.split()) for one in marked], dtype=np.float64)
    agreement("length alone", ranked(lengths, marked), marked)
    covered = np.array([np.mean(_mentions(one, embed)) for one in marked])
    agreement("coverage, if it were a score", ranked(covered, marked), marked)


def _mentions(one: Marked, embed: Remembering) -> list[float]:
    """Return how far an answer mentions each point, as the hint measures it."""
    *fits, whole = Relevance(one.question, embed).fits([*parts(one.text), one.text])
    return [
        whole[place].words + max(row[place].meaning for row in [*fits, whole])
        for place in range(len(one.question.points))
    ]


def hint(bank: Sequence[AskedQuestion], marked: Sequence[Marked], embed: Remembering) -> None:
    """Print whether the hint names the points that are missing, and leaves the others alone."""
    grader = CoverageHint(embed)
    print(f"\nCoverage hint (a point counts as mentioned from {MENTIONED})")
    named = [grader.grade(one.question, one.text, trace_id="").not_mentioned for one in marked]
    for stratum, inside in (
        ("full credit", lambda grade: grade >= 1),
        ("less", lambda grade: grade < 1),
        ("half or less", lambda grade: grade <= 0.5),
    ):
        rows = [
            (len(names), len(one.question.points))
            for names, one in zip(named, marked, strict=True)
            if inside(one.grade)
        ]
        share = sum(n for n, _ in rows) / sum(n for _, n in rows)
        answers = np.mean([n > 0 for n, _ in rows])
        print(f"{stratum:<14} n {len(rows):>3}: names one in {answers:.0%} of answers, {share:.0%} of points")
    covered = np.array([np.mean(_mentions(one, embed)) for one in marked])
    full = np.array([one.grade >= 1 for one in marked])
    wins = (covered[full][:, None] > covered[~full][None]).mean() + 0.5 * (
        covered[full][:, None] == covered[~full]
    ).mean()
    print(f"AUC of coverage, full credit against less: {wins:.2f}")
    right = found = missed = possible = 0
    for one, names in zip(marked, named, strict=True):
        if gold := _left_out(one, embed):
            right, found = right + len(gold & set(names)), found + len(names)
            missed, possible = missed + len(gold), possible + len(one.question.points)
    print(
        f"points that the feedback calls left out ({missed}, matched by words and meaning): named "
        f"{right / missed:.0%}; right are {right / max(1, found):.0%} of those named, by chance "
        f"{missed / possible:.0%}"
    )
    _removed(bank, grader, embed)


def _left_out(one: Marked, embed: Remembering) -> set[str]:
    """Return the points nearest to the sentences of the feedback that speak of something left out."""
    said = [part for part in parts(one.feedback) if OMITTED.search(part)] if one.grade < 1 else []
    rows = Relevance(one.question, embed).fits(said)
    best = [max(zip(row, one.question.points, strict=True), key=lambda pair: pair[0].total) for row in rows]
    return {point.claim for fit, point in best if fit.total >= MENTIONED}


def _removed(bank: Sequence[AskedQuestion], grader: CoverageHint, embed: Remembering) -> None:
    """Print what happens when the sentences on one point are taken out of a model answer."""
    false = points = named = removed = 0
    for question in bank:
        asked = replace(question, model_answer="")
        said = parts(question.model_answer)
        fits = Relevance(asked, embed).fits(said)
        false += len(grader.grade(asked, question.model_answer, trace_id="").not_mentioned)
        points += len(question.points)
        for place, point in enumerate(question.points):
            kept = [part for part, row in zip(said, fits, strict=True) if row[place].total < 0.75]
            if kept and len(kept) < len(said):
                removed += 1
                named += point.claim in grader.grade(asked, " ".join(kept), trace_id="").not_mentioned
    print(
        f"model answers of the bank: {false / points:.1%} of {points} points named wrongly; "
        f"a point whose sentences were taken out is named in {named / removed:.0%} of {removed} cases"
    )
