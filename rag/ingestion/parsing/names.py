"""Turns the name that a file came with, whatever is in it, into one that is safe to show."""

from __future__ import annotations

import re
from unicodedata import category

LONGEST_NAME = 120
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}$")


def printable(text: str) -> str:
    """Return `text` on one line, without control characters and signs that turn the writing around."""
    return " ".join("".join(sign for sign in text if sign in "\t\n" or category(sign)[0] != "C").split())


def shown_name(name: str) -> str:
    """Return `name` for a message: printable, with the folders in it, and not too long."""
    seen = printable(name)
    if len(seen) > LONGEST_NAME:
        half = LONGEST_NAME // 2
        seen = f"{seen[: half - 1]}…{seen[-half:]}"
    return seen or "The file"


def last_part(name: str) -> str:
    """Return the last part of a path, whatever system it is from."""
    return re.split(r"[/\\]", name)[-1]


def file_name(name: str) -> str:
    """Return the last part of a path as a name that any system can save."""
    last = shown_name(last_part(name))
    last = _FORBIDDEN.sub("_", last).strip(" .") if last != "The file" else ""
    return f"_{last}" if not last or _DEVICES.fullmatch(last) else last


def suffix_of(name: str) -> str:
    """Return the lower-case ending of a name, e.g. ".pdf"; empty when it has none."""
    found = _SUFFIX.search(name.lower())
    return found.group() if found else ""
