"""Chooses the questions of one quiz from those somebody may be asked: the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import prod

import numpy as np

from rag.errors import InvalidInput
from rag.quiz.form_gates import Item
from rag.quiz.set_gates import DUPLICATE, LEVEL_QUOTA, PER_PASSAGE, set_gates
from rag.quiz.validation import Embed
from rag.quiz_types import AskedQuestion, Kind
from rag.types import Level

DRAWS = 40
"""How often a set is drawn at most; of sets of 30 from the shipped bank, 19 in 20 pass at the first draw."""
NO_KEY = "-"
_Cell = tuple[int, tuple[str, str, str]]
"""Rank of the preference; level, kind, and which option is the key."""


def assemble(
    pool: Sequence[AskedQuestion],
    embed: Embed,
    *,
    n: int,
    topics: Collection[str] = (),
    level: Level | None = None,
    kind: Kind | None = None,
    seed: int = 0,
    avoid: Collection[str] = (),
    prefer: Mapping[str, str] | None = None,
    asked_before: Sequence[AskedQuestion] = (),
) -> list[AskedQuestion]:
    """Return up to `n` questions in the order to ask them; fewer when no more fit, none twice.

    prefer: by id why a question should be asked; reasons count in the order in which they first appear, so
    `{"a": "due", "b": "weak"}` takes what is due before what is weak, and both before the rest.

    Never broken: the filters, `avoid` (ids), and that no question says the same as another one of its kind
    or, in other words, as one of `asked_before`. Then `prefer`. Then topics take turns, so that none has two
    more than another while it has any left. Broken only where `n` can't be reached otherwise: at most two
    questions on a passage, and no multiple-choice question on what an open one asks. As near as the rest
    allows: the levels' quota, as many of each kind, keys spread over the letters, and the gates that no
    policy without knowledge may beat.

    The order of `pool` does not matter. Raises InvalidInput for a topic without any question.
    """
    known = {question.topic for question in pool}
    if unknown := sorted(set(topics) - known):
        raise InvalidInput(
            f"There are no questions on {unknown[0]!r}.",
            hint=f"Topics: {', '.join(sorted(known))}." if known else "There are no questions at all yet.",
        )
    left_out = {*avoid, *(question.id for question in asked_before)}
    fitting = [
        question
        for question in sorted(pool, key=lambda question: question.id)
        if question.id not in left_out
        and (not topics or question.topic in topics)
        and level in (None, question.level)
        and kind in (None, question.kind)
    ]
    for across_kinds in (True, False):
        chosen = _without_repeats(fitting, embed, n, seed, prefer or {}, asked_before, across_kinds)
        if len(chosen) == n:
            break
    return chosen


def compared(question: AskedQuestion) -> str:
    """Return what is embedded to find questions that say the same: an open one alone, else with its key."""
    return (
        question.prompt
        if question.answer is None
        else f"{question.prompt} {question.options[question.answer]}"
    )


def _without_repeats(
    fitting: Sequence[AskedQuestion],
    embed: Embed,
    n: int,
    seed: int,
    prefer: Mapping[str, str],
    asked_before: Sequence[AskedQuestion],
    across_kinds: bool,
) -> list[AskedQuestion]:
    """Draw until nothing in the set repeats; only what was drawn is embedded, at 4 ms a question."""
    repeated: set[str] = set()
    while True:
        chosen = _best_draw(fitting, repeated, n, seed, prefer)
        if not (found := _repeats(chosen, asked_before, embed, across_kinds)):
            return chosen
        repeated |= found


def _repeats(
    chosen: Sequence[AskedQuestion], before: Sequence[AskedQuestion], embed: Embed, across_kinds: bool
) -> set[str]:
    """Return the ids of those chosen that say the same as an earlier one or as one asked before."""
    found: set[str] = set()
    together = [*before, *chosen]
    if len(together) < 2:
        return found
    vectors = embed([compared(question) for question in together])
    close = vectors @ vectors.T >= DUPLICATE
    for place in range(len(before), len(together)):
        earlier = [together[other] for other in np.flatnonzero(close[place, :place])]
        if any(one.id not in found and (across_kinds or one.kind == together[place].kind) for one in earlier):
            found.add(together[place].id)
    return found


def _best_draw(
    fitting: Sequence[AskedQuestion], left_out: Collection[str], n: int, seed: int, prefer: Mapping[str, str]
) -> list[AskedQuestion]:
    """Return the first set that passes the gates of a set, or else one that fails the fewest."""
    best: list[AskedQuestion] = []
    fewest = len(fitting)
    for draw in range(DRAWS):
        chooser = random.Random(f"{seed}/{draw}")  # noqa: S311  # nothing secret depends on it
        # all are shuffled, so that leaving one out changes little
        order = [one for one in chooser.sample(fitting, len(fitting)) if one.id not in left_out]
        chosen = _draw(order, n, chooser, prefer)
        failed = _failed_gates(chosen)
        if not best or failed < fewest:
            best, fewest = chosen, failed
        if not failed or len(order) <= n:
            break
    return best


def _failed_gates(chosen: Sequence[AskedQuestion]) -> int:
    """Return how many gates the multiple-choice questions fail that only show in a set."""
    items = [
        Item(question.id, question.prompt, question.options, question.answer)
        for question in chosen
        if question.answer is not None
    ]
    return sum(not gate.passed for gate in set_gates(items)) if items else 0


def _draw(
    order: Sequence[AskedQuestion], n: int, chooser: random.Random, prefer: Mapping[str, str]
) -> list[AskedQuestion]:
    """Take up to `n` questions: topics by turns, the preferred first, then by what of the mix is missing."""
    ranks = {reason: rank for rank, reason in enumerate(dict.fromkeys(prefer.values()))}
    missing = _mix(order, n)
    chosen: list[AskedQuestion] = []
    of_topic: Counter[str] = Counter()
    on_passage: Counter[str] = Counter()
    for most in (PER_PASSAGE, len(order)):
        waiting: dict[str, dict[_Cell, list[AskedQuestion]]] = {}
        for question in order:
            rank = ranks[prefer[question.id]] if question.id in prefer else len(ranks)
            cell: _Cell = (rank, (question.level, question.kind, _key(question)))
            waiting.setdefault(question.topic, {}).setdefault(cell, []).append(question)
        held = []
        while waiting and len(chosen) < n:
            topic = _whose_turn(waiting, of_topic)
            cell = _cell(waiting[topic], missing, chooser)
            question = _taken(waiting, topic, cell)
            if question.passage and on_passage[question.passage] >= most:
                held.append(question)
                continue
            chosen.append(question)
            of_topic[topic] += 1
            on_passage[question.passage] += 1
            for name in cell[1]:
                missing[name] = max(0.0, missing[name] - 1)
        order = held
    return chosen


def _taken(waiting: dict[str, dict[_Cell, list[AskedQuestion]]], topic: str, cell: _Cell) -> AskedQuestion:
    question = waiting[topic][cell].pop()
    if not waiting[topic][cell]:
        del waiting[topic][cell]
    if not waiting[topic]:
        del waiting[topic]
    return question


def _mix(order: Sequence[AskedQuestion], n: int) -> dict[str, float]:
    """Return how many questions a set of `n` should have of each level, of each kind and with each key."""
    kinds = {question.kind for question in order}
    keys = {_key(question) for question in order if question.kind == "mcq"}
    levels = {question.level: LEVEL_QUOTA[question.level] for question in order}
    return {
        **{level: n * quota / sum(levels.values()) for level, quota in levels.items()},
        **{kind: n / len(kinds) for kind in kinds},
        **{key: n / len(kinds) / len(keys) for key in keys},
        NO_KEY: n,
    }


def _key(question: AskedQuestion) -> str:
    return NO_KEY if question.answer is None else "ABCDE"[question.answer]


def _whose_turn(waiting: Mapping[str, Collection[_Cell]], of_topic: Mapping[str, int]) -> str:
    """Return the topic with the fewest questions so far among those that have the most preferred ones."""
    best = {topic: min(rank for rank, _ in cells) for topic, cells in waiting.items()}
    first = min(best.values())
    return min((topic for topic, rank in best.items() if rank == first), key=lambda topic: of_topic[topic])


def _cell(cells: Collection[_Cell], missing: Mapping[str, float], chooser: random.Random) -> _Cell:
    """Draw one of the most preferred cells by what is missing: of its key and kind, else of its level."""
    best = min(rank for rank, _ in cells)
    among = sorted(cell for cell in cells if cell[0] == best)
    for names in (3, 2, 1):
        weights = [prod(missing[name] for name in traits[:names]) for _, traits in among]
        if any(weights):
            return chooser.choices(among, weights)[0]
    return chooser.choice(among)
