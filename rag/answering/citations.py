"""Turns the sentence ids in a stream of model text ([2.3]) into numbered citations ([1]).

The parser decides by the text alone, never by how the stream was cut, so it holds back whatever may still
become a marker, inline code or a fence. Everything it writes as `[n]` is a citation; nothing else is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from rag.types import Citation

SentenceId = tuple[int, int]
"""Passage and sentence in the prompt, both counted from 1."""

_LONGEST_MARKER = 160
_LONGEST_CODE = 400
"""Characters of inline code that are held back while its end is awaited."""
_WIDEST_RANGE = 20

_INNER = rf"[\d.,;，、 \t–—-]{{0,{_LONGEST_MARKER}}}"
_SINGLE = re.compile(rf"[\[【［]({_INNER})[\]】］]")
_DOUBLE = re.compile(rf"\[\[({_INNER})\]\]")
_UNFINISHED = re.compile(rf"[\[【［]{_INNER}")
_UNFINISHED_DOUBLE = re.compile(rf"\[\[{_INNER}\]?")
_ID = re.compile(r"([1-9]\d{0,2})\.([1-9]\d{0,3})")
_RANGE = re.compile(rf"{_ID.pattern}-(?:{_ID.pattern}|([1-9]\d{{0,3}}))")
_SPECIAL = re.compile(r"[\n\\`~\[【［(:]")
_CONTAINERS = re.compile(r"(?:[ \t]|>|[-+*][ \t]|\d{1,9}[.)][ \t])*")
"""What may stand before a fence or a link definition on its line."""
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class CitationParser:
    """Reads the model's text piece by piece and returns what may be shown of it."""

    def __init__(self, citable: Mapping[SentenceId, Citation]) -> None:
        """`citable` holds the sentences that were sent to the model; their `marker` is ignored."""
        self.citations: list[Citation] = []
        """In order of first appearance, which is also the order of their markers."""
        self.places: list[tuple[int, int]] = []
        """Offset in the shown text and number of every marker."""
        self.dropped = 0
        """Ids the model invented."""
        self._citable = citable
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._unread = ""
        self._shown: list[str] = []
        self._length = 0
        self._spaces = ""
        self._line = ""
        self._fence = ""
        self._group: list[int] = []
        """Numbers of the markers that end the text so far, but for white space."""
        self._group_opens_line = False

    def feed(self, piece: str) -> str:
        """Return the text that is certain after `piece`; "" when all of it must wait."""
        self._unread += piece
        return self._read(final=False)

    def close(self) -> str:
        """Return what was held back; half a marker is dropped."""
        return self._read(final=True)

    def _read(self, final: bool) -> str:
        self._shown = []
        position = 0
        while position < len(self._unread):
            step = self._fenced(position, final) if self._fence else self._plain(position, final)
            if step is None:
                break
            position = step
        self._unread = self._unread[position:]
        return "".join(self._shown)

    def _plain(self, start: int, final: bool) -> int | None:
        """Read one element outside fences; return where the next starts, None when more is needed."""
        text = self._unread
        special = _SPECIAL.search(text, start)
        if special is None or special.start() > start:
            end = special.start() if special else len(text)
            self._write(text[start:end])
            return end
        sign = text[start]
        if sign in "[【［":
            return self._bracket(start, final)
        if sign in "`~":
            return self._ticks(start, final)
        if sign == "\\":
            if start + 1 == len(text) and not final:
                return None
            end = start + (1 if text[start + 1 : start + 2] == "\n" else 2)
            self._write(text[start:end])
            return min(end, len(text))
        links = self._behind_marker() and (sign == "(" or (sign == ":" and self._group_opens_line))
        self._write("\\" + sign if links else sign)  # [1](address) and [1]: address would be links
        return start + 1

    def _bracket(self, start: int, final: bool) -> int | None:
        text = self._unread
        doubled = text.startswith("[[", start)
        if marker := (_DOUBLE if doubled else _SINGLE).match(text, start):
            self._marker(marker.group(), marker.group(1))
            return marker.end()
        if not final and (_UNFINISHED_DOUBLE if doubled else _UNFINISHED).fullmatch(text, start):
            return None
        if doubled and _UNFINISHED_DOUBLE.fullmatch(text, start):
            return start + 1
        if _UNFINISHED.fullmatch(text, start) and re.search(r"\d", text[start:]):
            return len(text)
        joins = self._behind_marker() or re.match(r"[\d\s\[【［]", text[start + 1 : start + 2])
        self._write("\\[" if joins and text[start] == "[" else text[start])
        return start + 1

    def _marker(self, raw: str, inner: str) -> None:
        items = re.split(r"[,;，、\s]+", re.sub(r"\s*[-–—]\s*", "-", inner).strip(" \t,;，、"))
        if not any(_ID.fullmatch(item) or _RANGE.fullmatch(item) for item in items) or any(
            "." in item and not _ID.fullmatch(item) and not _RANGE.fullmatch(item) for item in items
        ):
            is_number = re.search(r"\d", inner) and raw.startswith("[")
            self._write(raw.replace("[", "\\[") if is_number else raw)
            return
        ids = [sentence for item in items for sentence in _ids(item)]
        known = [sentence for sentence in ids if sentence in self._citable]
        self.dropped += len(ids) - len(known)
        if not self._behind_marker():
            self._group_opens_line = _CONTAINERS.fullmatch(self._line) is not None
        group = self._group if "\n" not in self._spaces else []
        numbers = dict.fromkeys(self._number(sentence) for sentence in known)
        new = [number for number in numbers if number not in group]
        for number in new:
            self._write(f"[{number}]")
            self.places.append((self._length - len(f"[{number}]"), number))
        self._group = [*group, *new]
        if not new:
            self._spaces = self._spaces.rstrip(" \t")

    def _behind_marker(self) -> bool:
        return bool(self._group) and not self._spaces

    def _number(self, sentence: SentenceId) -> int:
        citation = self._citable[sentence]
        place = (citation.document_id, citation.start, citation.end)
        if place not in self._numbers:
            self._numbers[place] = len(self._numbers) + 1
            self.citations.append(replace(citation, marker=self._numbers[place]))
        return self._numbers[place]

    def _ticks(self, start: int, final: bool) -> int | None:
        """Read a run of ` or ~: it opens a fence, encloses inline code, or stands for itself."""
        text = self._unread
        sign = text[start]
        end = start + len(text[start:]) - len(text[start:].lstrip(sign))
        if end == len(text) and not final:
            return None
        run = text[start:end]
        if len(run) >= 3 and _CONTAINERS.fullmatch(self._line):
            info, newline, _ = text[end : end + _LONGEST_CODE].partition("\n")
            if sign == "~" or "`" not in info:
                if not newline and not final and len(info) < _LONGEST_CODE:
                    return None
                self._fence = run
                self._write(run + info)
                return end + len(info)
        if sign == "~":
            self._write(run)
            return end
        return self._inline_code(start, end, run, final)

    def _inline_code(self, start: int, end: int, run: str, final: bool) -> int | None:
        text = self._unread
        within = text[end : end + _LONGEST_CODE]
        if blank := _BLANK_LINE.search(within):
            within = within[: blank.start()]
        for closing in re.finditer("`+", within):
            closed = end + closing.end()
            if closing.end() == len(within):  # the run may go on behind what is looked at
                closed += len(text[closed:]) - len(text[closed:].lstrip("`"))
                if closed == len(text) and not final:
                    return None
            if closed - end - closing.start() == len(run):
                self._write(text[start:closed])
                return closed
        if not final and not blank and len(within) < _LONGEST_CODE:
            return None
        self._write(run)
        return end

    def _fenced(self, start: int, final: bool) -> int | None:
        text = self._unread
        if not self._line:
            rest = text[start:]
            closing = re.match(rf"[ \t>]*{self._fence[0]}*[ \t]*", rest)
            marks = closing.group().strip(" \t>") if closing else ""
            if closing and closing.end() == len(rest) and not final:
                return None
            follows_end = closing is not None and rest[closing.end() : closing.end() + 1] in ("\n", "")
            if closing and follows_end and len(marks) >= len(self._fence):
                self._fence = ""
                self._write(closing.group())
                return start + closing.end()
        line_end = text.find("\n", start)
        end = line_end + 1 if line_end >= 0 else len(text)
        self._write(text[start:end])
        return end

    def _write(self, text: str) -> None:
        """Show `text`, except white space at its end, which waits for what follows."""
        self._line = (self._line + text).rpartition("\n")[2][:_LONGEST_CODE]
        visible = text.rstrip()
        if not visible:
            self._spaces += text
        else:
            shown = self._spaces + visible if self._length else visible.lstrip()
            self._shown.append(shown)
            self._length += len(shown)
            self._spaces = text[len(visible) :]
            self._group = []


def _ids(item: str) -> Iterator[SentenceId]:
    """Yield the sentence ids of one item of a marker: an id, a range, or (0, 0) for anything else."""
    if single := _ID.fullmatch(item):
        yield int(single[1]), int(single[2])
    elif span := _RANGE.fullmatch(item):
        passage, first = int(span[1]), int(span[2])
        last_passage, last = int(span[3] or passage), int(span[4] or span[5])
        if passage == last_passage and first <= last < first + _WIDEST_RANGE:
            yield from ((passage, sentence) for sentence in range(first, last + 1))
        else:
            yield from ((passage, first), (last_passage, last))
    else:
        yield 0, 0
