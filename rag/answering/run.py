"""Keeps the text, the time and the tokens of one answer while it is being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rag.types import TextDelta, Usage


class Run:
    """One answer in the making: its text, time and tokens so far."""

    def __init__(self, clock: Callable[[], float], total_timeout_s: float, trace_id: str) -> None:
        self.trace_id = trace_id
        self.usages: list[Usage] = []
        self.text = ""
        self._clock = clock
        self._started = self._last = clock()
        self.end_by = self._started + total_timeout_s
        self._first: float | None = None
        self._steps: dict[str, float] = {}

    def shown(self, text: str) -> Iterator[TextDelta]:
        """Yield `text` as a delta, unless it is empty."""
        if not text:
            return
        if self._first is None:
            self._first = (self._clock() - self._started) * 1000
        self.text += text
        yield TextDelta(text)

    def lap(self, step: str) -> None:
        """Book the time since the last step under `step`."""
        now = self._clock()
        self._steps[step] = (now - self._last) * 1000
        self._last = now

    def add(self, timings_ms: Mapping[str, float]) -> None:
        """Take over steps that were measured elsewhere."""
        self._steps |= {step: ms for step, ms in timings_ms.items() if step != "total"}
        self._last = self._clock()

    def timings_ms(self) -> dict[str, float]:
        """Return all steps in order, then first_token and total, which count from the question."""
        elapsed = (self._clock() - self._started) * 1000
        return {**self._steps, "first_token": self._first or elapsed, "total": elapsed}
