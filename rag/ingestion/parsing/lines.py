"""The value that a PDF is read into: a line with its place on the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page as it is shown. Lengths are in points (1/72 inch); y grows upwards."""

    text: str
    left: float
    right: float
    y: float
    """Of the base line of the letters."""
    size: float
    """Of the letters."""
    is_code: bool = False
    """Whether the letters are all equally wide."""
    is_broken: bool = False
    """Whether the line ends inside a word; its hyphen is not part of `text`."""
    is_turned: bool = False
    """Whether the line runs in another direction than the page."""
