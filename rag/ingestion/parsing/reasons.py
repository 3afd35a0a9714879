"""Says why a file can't be read and what to do about it, in words for the person who brought it."""

from __future__ import annotations

FORMATS = "Markdown, plain text, HTML, PDF, Word (.docx) and CSV"
_SUPPORTED = f"Supported formats: {FORMATS}."
_SAVE_ANEW = "Open it in the program that made it and save it anew, or save it as PDF, DOCX or plain text."

REASONS = {
    "empty": ("is empty.", "Check the file: it may not have been copied completely."),
    "too_big": (
        "has {size:.1f} MB; the limit is {limit:.0f} MB.",
        "Split it into smaller files, or leave out its pictures.",
    ),
    "too_long": (
        "holds more than {limit:,} characters of text, which is the limit.",
        "Split it into smaller files, for example by chapter.",
    ),
    "other_kind": ("is {kind}, which can't be read.", "{advice} " + _SUPPORTED),
    "not_text": ("is not a text file.", "Save it as Markdown or plain text in UTF-8."),
    "no_words": ("has no text.", "Add text to the file or leave it out."),
    "encrypted": ("needs a password.", "Save a copy without a password and use that."),
    "scanned": (
        "is scanned: it holds pictures of pages, no text.",
        "Run text recognition (OCR) on it first, for example with OCRmyPDF, and use the result.",
    ),
    "bad_page": ("can't be read: its page {number} is damaged.", _SAVE_ANEW),
    "no_pages": ("has no pages that can be read: it is damaged.", _SAVE_ANEW),
    "cut_short": (
        "is damaged: its end is missing.",
        "It may not have been downloaded or copied completely: get the file again.",
    ),
    "damaged": ("can't be read: it is damaged.", _SAVE_ANEW),
    "undeclared_letters": (
        "does not say which letters its signs stand for, so its text can't be read.",
        "Run text recognition (OCR) on it first, for example with OCRmyPDF, and use the result.",
    ),
    "unpacks": (
        "would unpack to more than {limit:.0f} MB: it is damaged or made to exhaust the reader.",
        _SAVE_ANEW,
    ),
    "declares_entities": (
        "declares XML entities, which no Word document needs: it is made to exhaust the reader.",
        _SAVE_ANEW,
    ),
    "strict_docx": (
        "is a Word document of the kind “Strict Open XML”, which can't be read.",
        "Save it in Word as “Word Document (.docx)”.",
    ),
    "too_nested": (
        "is nested more than {limit} levels deep.",
        "Save its text anew without the nesting, for example as plain text.",
    ),
    "too_many_rows": (
        "has {rows:,} rows; the limit is {limit:,}.",
        "Keep the rows that people ask about, or split the file.",
    ),
    "slow": (
        "takes more than {seconds:.0f} seconds to read.",
        "Split it into smaller files. A small file that takes so long is damaged: save it anew.",
    ),
    "memory": ("needs too much memory to be read.", "Split it into smaller files. " + _SAVE_ANEW),
    "no_room": (
        "can't be read now: the server has no memory, disk space or processes left for it.",
        "Try again later.",
    ),
    "exhausting": ("could not be read: it is damaged or made to exhaust the reader.", _SAVE_ANEW),
}
"""By code: what is said after the name of the file, and the hint."""


class Unreadable(Exception):
    """Ends the reading of a file inside the child process: a code of `REASONS` with its facts."""

    def __init__(self, code: str, **facts: str | float) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
