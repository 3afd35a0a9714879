"""Finds where a quotation stands in a text, whatever white space and Unicode form it was copied with."""

from __future__ import annotations

import unicodedata
from array import array
from functools import lru_cache

_STRAIGHT = dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("‐‑‒–—−", "-")
_MARKUP = "*`"
_AROUND = " \"'.…"
"""What models put around a quotation, or leave out at its ends."""


class Quoted:
    """A text in which many quotations are looked for: it is brought into the form of comparison once."""

    def __init__(self, text: str) -> None:
        found = _characters(text)
        self._plain = "".join(plain for plain, _ in found)
        self._places = array("Q", [place for plain, place in found for _ in plain])

    def locate(self, quote: str) -> tuple[int, int] | None:
        """Return start and end of the first occurrence of `quote`; None when it does not stand there.

        Compared are the characters in Unicode NFKD, without case and without what can't be seen or only
        emphasises, with straight quotation marks and single spaces. A quotation of nothing but white space
        and marks stands nowhere.
        """
        wanted = "".join(plain for plain, _ in _characters(quote)).strip(_AROUND)
        start = self._plain.find(wanted) if wanted else -1
        if start < 0:
            return None
        return self._places[start], self._places[start + len(wanted) - 1] + 1


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Return where a quotation stands in one text, as `Quoted.locate` does."""
    return Quoted(text).locate(quote)


def _characters(text: str) -> list[tuple[str, int]]:
    """Return each character as it is compared, with its place in `text`; white space is one space."""
    found: list[tuple[str, int]] = []
    for place, character in enumerate(text):
        plain = _compared(character)
        if plain is None:
            continue
        if not plain.isspace():
            found.append((plain, place))
        elif not found or found[-1][0] != " ":
            found.append((" ", place))
    return found


@lru_cache(maxsize=4096)
def _compared(character: str) -> str | None:
    """Return a character as it is compared; None for one that is left out."""
    if character in _MARKUP or unicodedata.category(character) == "Cf":
        return None
    return "".join(_STRAIGHT.get(c, c) for c in unicodedata.normalize("NFKD", character)).casefold()
