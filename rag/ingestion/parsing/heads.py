"""Tells whether the first row of a table names its columns.

A row of data that is taken for names would turn every other row into false statements, so there has to be a
sign for it; without one, a name is kept as a row of its own, which is true if less handy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import median

_LONGEST_NAME = 80
"""Characters of a column's name."""
_SAMPLE_ROWS = 50
_MOST = 0.8
"""Share of a column's cells that makes it of a kind: some are empty marks such as n/a."""
_LONG = 20
"""Characters of a text that is clearly longer than a name if it is three times as long."""
_MOST_WORDS = 4
"""In a name that is told by its last one."""
_READ = 200
"""Characters of a cell that are looked at."""
_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?[\d.,' ]*\d[\d.,' ]*\s?[%€$)]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_OTHER_KINDS = (
    re.compile(r".*\d.*"),
    re.compile(r"\S+@\S+|\w+://\S+|www\.\S+"),
    re.compile(r"[A-Z]{2,5}"),  # a code, e.g. of a country
    re.compile(r"yes|no|true|false|y|n", re.IGNORECASE),
)
"""Kinds of cells that names of columns are not."""
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_COMPOUND = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+")
_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORDS = frozenset(
    "address amount by code count date description email for from id name notes number phone price "
    "status title total type url with".split()
)
"""Words that end names of columns and hardly any text in a cell, e.g. in Company name and Best for."""
_WORDS = _LAST_WORDS | frozenset("author category comment country created definition note updated".split())
"""Words that are hardly ever a whole cell but in a head."""
_USUAL_WORDS = _WORDS | frozenset(
    "abbreviation access action advantage age animal answer application area artist audience benefit "
    "birthday book brand capital cause channel city class client color colour command company component "
    "composer concept cons consequence continent cost criterion currency customer day deadline default "
    "department director disadvantage discoverer dose drawback drug duration effect employee end error "
    "event example explanation expression fact family feature field film first fix food format founder "
    "framework fruit function gender genre goal group habitat headquarters hobby impact industry "
    "ingredient instrument invention inventor item job key keyword kind lake language last leader level "
    "library limit limitation location maker manager manufacturer material mayor meaning measure member "
    "method metric mitigation model month movie norm objective occupation office option origin output "
    "owner parameter park part permission person phase place planet plant player policy position "
    "priority problem product profession pros province purpose question rank reason region replacement "
    "requirement resource responsibility responsible result risk river role rule section sector service "
    "setting severity shape size skill solution source species speed sport stage start state step "
    "strength subject subtitle summary supplier surname symbol symptom synonym tag task team technology "
    "term time tool topic town translation treatment unit usage use user value vendor version weakness "
    "week word year".split()
)
"""Words that often name a column, but stand in cells as well."""


def names_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of the rows of a table is its head; a table of one row has none."""
    names = [cell for cell in rows[0] if cell] if len(rows) > 1 else []
    could_be = (
        names
        and len(names) > len(rows[0]) / 2
        and len(set(names)) == len(names)
        and not any(len(name) > _LONGEST_NAME or _NUMBER.fullmatch(name) for name in names)
    )
    columns = list(_columns(rows)) if could_be else []
    if any(name in below for name, below in columns):  # a value like those in the other rows
        return False
    return _differs_in_kind(columns) or _differs_in_form(columns) or _is_worded_as_head(columns)


_Column = tuple[str, Sequence[str]]
"""Its name, if it is one, and the filled cells below that."""


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[_Column]:
    sample = [row for row in rows[1 : _SAMPLE_ROWS + 1] if list(row) != list(rows[0])]  # a head may recur
    for place, name in enumerate(rows[0]):
        below = [_on_one_line(row[place]) for row in sample if place < len(row) and row[place]]
        if name and below:
            yield _on_one_line(name), below


def _on_one_line(cell: str) -> str:
    return " ".join(cell[:_READ].split())


def _differs_in_kind(columns: Sequence[_Column]) -> bool:
    """Tell whether cells are numbers, or several of them of a kind or length that their name is not."""
    return any(
        _most(below, _NUMBER.fullmatch)
        or (
            len(below) > 1
            and (
                any(not kind.fullmatch(name) and _most(below, kind.fullmatch) for kind in _OTHER_KINDS)
                or median(map(len, below)) >= max(_LONG, 3 * len(name))
            )
        )
        for name, below in columns
    )


def _differs_in_form(columns: Sequence[_Column]) -> bool:
    """Tell whether names are written as names and cells are not: user_id, or capitals only there."""
    names = [name for name, _ in columns]
    has_compounds = all(map(_IDENTIFIER.fullmatch, names)) and any(
        _COMPOUND.fullmatch(name) and not any(map(_COMPOUND.fullmatch, below)) for name, below in columns
    )
    return has_compounds or any(
        all(map(is_so, names)) and any(_most(below, _differently(is_so)) for _, below in columns)
        for is_so in (str.isupper, _is_capitalised, _is_small)
    )


def _is_worded_as_head(columns: Sequence[_Column]) -> bool:
    """Tell whether a name is one of few words that cells don't consist of, or most names are usual ones.

    Not so where other cells of the column are such words too, as in a list of names with their values.
    """
    telling = [
        name
        for name, below in columns
        if _is_telling(name)
        and not any(map(_is_telling, below))
        and sum(map(_is_usual, below)) < len(below) / 2
    ]
    usual = [name for name, below in columns if _is_usual(name) and not _most(below, _is_usual)]
    return bool(telling) or len(usual) > max(1, len(columns) / 2)


def _is_telling(cell: str) -> bool:
    words = _WORD.findall(cell.casefold())
    return 0 < len(words) <= _MOST_WORDS and words[-1] in (_WORDS if len(words) == 1 else _LAST_WORDS)


def _is_usual(cell: str) -> bool:
    words = _WORD.findall(cell.casefold())
    is_short = 0 < len(words) <= _MOST_WORDS
    return is_short and (words[-1] in _USUAL_WORDS or words[-1].removesuffix("s") in _USUAL_WORDS)


def _most(cells: Sequence[str], is_so: Callable[[str], object]) -> bool:
    return sum(1 for cell in cells if is_so(cell)) >= _MOST * len(cells)


def _differently(is_so: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda cell: any(map(str.isalpha, cell)) and not is_so(cell)


def _is_capitalised(cell: str) -> bool:
    return cell[:1].isupper()


def _is_small(cell: str) -> bool:
    return cell[:1].islower()
