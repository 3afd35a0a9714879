"""Finds where a quotation stands in a text, whatever white space and Unicode form it was copied with."""

from __future__ import annotations

import unicodedata

_STRAIGHT = dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("‐‑‒–—−", "-")
_MARKUP = "*`"
_AROUND = " \"'.…"
"""What models put around a quotation, or leave out at its ends."""


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Return start and end of the first occurrence of `quote` in `text`; None when it does not stand there.

    Compared are the characters in Unicode NFKD, without case and without what can't be seen or only
    emphasises, with straight quotation marks and single spaces. A quotation of nothing but white space and
    marks stands nowhere.
    """
    wanted = "".join(plain for plain, _ in _characters(quote)).strip(_AROUND)
    if not wanted:
        return None
    found = _characters(text)
    start = "".join(plain for plain, _ in found).find(wanted)
    if start < 0:
        return None
    places = [place for plain, place in found for _ in plain]
    return places[start], places[start + len(wanted) - 1] + 1


def _characters(text: str) -> list[tuple[str, int]]:
    """Return each character as it is compared, with its place in `text`; white space is one space."""
    found: list[tuple[str, int]] = []
    for place, character in enumerate(text):
        if character in _MARKUP or unicodedata.category(character) == "Cf":
            continue
        plain = "".join(_STRAIGHT.get(c, c) for c in unicodedata.normalize("NFKD", character)).casefold()
        if not plain.isspace():
            found.append((plain, place))
        elif not found or found[-1][0] != " ":
            found.append((" ", place))
    return found
