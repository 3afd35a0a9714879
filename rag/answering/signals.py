"""Takes the two signals of rag/prompts/answer.md out of the model's text: NOT_IN_SOURCES and MISSING: ..."""

from __future__ import annotations

import re

REFUSAL = "NOT_IN_SOURCES"
MISSING = "MISSING:"

_DECORATION = " \t\r\n*`>#\"'-"
_SIGNAL = re.compile(f"{REFUSAL}|{MISSING}")


class SignalFilter:
    """Passes the text on without the signals; the same for every way of cutting the stream."""

    def __init__(self) -> None:
        self.refused = False
        """The model said that the passages do not answer the question."""
        self._unread = ""
        self._visible = False
        self._missing: list[str] | None = None
        """Pieces of the MISSING line while it is read."""
        self._lines: list[str] = []

    @property
    def missing(self) -> str:
        """What the passages leave open, in the model's words; empty when it named nothing."""
        rest = [] if self._missing is None else ["".join(self._missing)]
        return " ".join(filter(None, (_plain(line) for line in [*self._lines, *rest])))

    def feed(self, piece: str) -> str:
        """Return the part of the text that can be neither a signal nor what surrounds one."""
        self._unread += piece
        return self._read(final=False)

    def close(self) -> str:
        """Return the rest."""
        return self._read(final=True)

    def _read(self, final: bool) -> str:
        shown: list[str] = []
        while self._unread:
            if self.refused and not self._visible:
                self._unread = ""  # a refusal stands alone: what follows only explains it
            elif self._missing is not None:
                self._read_missing(self._missing)
            elif signal := _SIGNAL.search(self._unread):
                shown.append(self._unread[: signal.start()].rstrip(_DECORATION))
                self._visible = self._visible or bool(shown[-1])
                self._unread = self._unread[signal.end() :]
                if signal.group() == MISSING:
                    self._missing = []
                else:
                    self.refused = True
            else:
                certain = len(self._unread) if final else _certain(self._unread)
                shown.append(self._unread[:certain])
                self._visible = self._visible or bool(shown[-1].strip(_DECORATION))
                self._unread = self._unread[certain:]
                break
        return "".join(shown)

    def _read_missing(self, pieces: list[str]) -> None:
        """Read on to the end of the first line that says something."""
        line, newline, rest = self._unread.partition("\n")
        pieces.append(line + newline)
        self._unread = rest
        if newline and _plain("".join(pieces)):
            self._lines.append("".join(pieces))
            self._missing = None
            self._unread = newline + rest


def _certain(text: str) -> int:
    """Return how many characters of `text` can't be part of a signal or of the decoration before one."""
    longest = max(len(REFUSAL), len(MISSING)) - 1
    for length in range(min(longest, len(text)), 0, -1):
        tail = text[-length:]
        if REFUSAL.startswith(tail) or MISSING.startswith(tail):
            return len(text[:-length].rstrip(_DECORATION))
    return len(text.rstrip(_DECORATION))


def _plain(line: str) -> str:
    """Return a MISSING line without ids and decoration."""
    return re.sub(r"\s*[\[【［][\d.,; –-]*[\]】］]", "", line).strip(_DECORATION + ".")
