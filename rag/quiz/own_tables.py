"""Reads questions from a table: CSV with a row a question, separated by comma, semicolon or tab.

    question       the question itself; the one column that is always needed
    kind           mcq or open; empty: open when the row has points
    option_a ...   to option_e, three to five of them; or all in one column `options`, separated by |
    correct        the right option: its letter, its number from 1, or its text
    explanation    why it is right; why_a to why_e: why each option is right or wrong
    points         of an open question: what an answer should say, separated by |, * before a must-have
    model_answer   of an open question: 40 to 170 words; follow_ups: separated by |
    document       id or title of a document in the library
    quote          its words; of an open question for the first point, or one for each, separated by |
    topic, level, skill, scenario, id

Without any * every point is a must-have. Cells stay the characters they are: no formula is run.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import Any

from rag.errors import InvalidInput
from rag.quiz.own_items import Draft, draft

SEPARATOR, MUST = "|", "*"
_LETTERS = ascii_lowercase[:5]
_SHARED = ("id", "topic", "level", "skill", "scenario", "question")
COLUMNS = (
    *("question", "kind", *(f"option_{letter}" for letter in _LETTERS), "options", "correct", "explanation"),
    *(*(f"why_{letter}" for letter in _LETTERS), "points", "model_answer", "follow_ups", "document", "quote"),
    *("topic", "level", "skill", "scenario", "id"),
)


def drafts_of_table(text: str, name: str) -> Iterator[Draft]:
    """Yield the items of a table, whose rows count from 1 as in a spreadsheet: the first names the columns.

    Raises InvalidInput with the line when the columns or the quotation marks are wrong.
    """
    first = io.StringIO(text, newline="").readline(csv.field_size_limit())
    delimiter = max(",;\t", key=lambda sign: len(_known(next(csv.reader([first], delimiter=sign), []))))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [_named(cell) for cell in next(rows, [])]
        if "question" not in columns:
            raise InvalidInput(
                f"{name}, line 1 names no column `question`.", hint="The template shows the columns."
            )
        if unknown := [column for column in columns if column and column not in COLUMNS]:
            raise InvalidInput(
                f"{name}, line 1: the column `{unknown[0][:40]}` is not known.",
                hint=f"Rename or remove it. Known are {', '.join(COLUMNS)}.",
            )
        (column, times), *_ = Counter(filter(None, columns)).most_common(1)
        if times > 1:
            raise InvalidInput(
                f"{name}, line 1: the column `{column}` is there {times} times.",
                hint="Keep one of them; rename or remove the others.",
            )
        for number, row in enumerate(rows, start=2):
            if any(cell.strip() for cell in row):
                yield _of_row(f"row {number}", columns, row)
    except csv.Error as error:
        raise InvalidInput(
            f"{name}, line {rows.line_num} is not valid CSV: {error}.",
            hint="A text with a comma needs quotation marks around it; one inside them is written twice.",
        ) from None


def _named(cell: str) -> str:
    return "_".join(cell.strip().lower().replace("-", " ").split())


def _known(cells: Sequence[str]) -> set[str]:
    return {name for cell in cells if (name := _named(cell)) in COLUMNS}


def _of_row(place: str, columns: Sequence[str], row: Sequence[str]) -> Draft:
    cells = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if cell.strip()}
    try:
        if any(cell.strip() for cell in row[len(columns) :]):
            raise ValueError("it has more cells than line 1: put texts with a comma into quotation marks")
        kind = cells.get("kind", "open" if "points" in cells else "mcq").lower()
        if kind not in ("mcq", "open"):
            raise ValueError(f"kind is {kind[:40]!r}: it has to be mcq or open")
        fields = _open_fields(cells) if kind == "open" else _choice_fields(cells)
    except ValueError as error:
        return Draft(place, cells.get("question", ""), None, (str(error),))
    shared = {name: cells[name] for name in _SHARED if name in cells}
    return draft(place, shared | fields, is_open=kind == "open")


def _open_fields(cells: dict[str, str]) -> dict[str, Any]:
    """Raises ValueError with what is wrong, as do those below."""
    parts, quotes = _parts(cells.get("points", "")), _parts(cells.get("quote", ""))
    if len(quotes) not in (0, 1, len(parts)):
        raise ValueError(f"it has {len(quotes)} quotes for {len(parts)} points: give one, or one for each")
    all_must = not any(part.startswith(MUST) for part in parts)
    points: list[dict[str, Any]] = [
        {"claim": part.removeprefix(MUST), "must_have": all_must or part.startswith(MUST)} for part in parts
    ]
    for point, quote in zip(points, quotes, strict=False):
        point |= {"document": cells.get("document", ""), "quote": quote}
    if points and not quotes:
        points[0]["document"] = cells.get("document", "")
    answer = {"model_answer": cells["model_answer"]} if "model_answer" in cells else {}
    return {"points": points, "follow_ups": _parts(cells.get("follow_ups", ""))} | answer


def _choice_fields(cells: dict[str, str]) -> dict[str, Any]:
    texts = _parts(cells.get("options", "")) or [cells.get(f"option_{letter}", "") for letter in _LETTERS]
    if len(texts) > len(_LETTERS):
        raise ValueError(f"options: at most {len(_LETTERS)} are allowed, {len(texts)} are there")
    options = {letter: text for letter, text in zip(_LETTERS, texts, strict=False) if text}
    right = _right(cells.get("correct", ""), options)
    given = {name: cells[name] for name in ("explanation", "document", "quote") if name in cells}
    written = [
        {"text": text, "why": cells.get(f"why_{letter}", ""), "correct": letter == right}
        for letter, text in options.items()
    ]
    return given | {"options": written}


def _right(named: str, options: dict[str, str]) -> str:
    """Return the letter of the right option."""
    found = {letter for letter, text in options.items() if text.casefold() == named.casefold()}
    found |= {named.lower()} & {*options}
    if named.isdecimal() and len(named) == 1 and 1 <= int(named) <= len(options):
        found.add([*options][int(named) - 1])
    if not named:
        raise ValueError("correct is empty: name the right option by its letter")
    if len(found) != 1:
        fits = "fits several options" if found else "is no option"
        raise ValueError(f"correct is {named[:40]!r}, which {fits}: name the right one by its letter")
    return found.pop()


def _parts(cell: str) -> list[str]:
    return [part for one in cell.split(SEPARATOR) if (part := one.strip())]
