"""Finds stop strings in text that arrives in pieces, and holds back what may become one.

The answer does not depend on where the pieces are cut: the stop string that is complete first wins, and of those that
are complete at the same character the longest. The stop string itself is never let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scan:
    """What may be shown now, and whether a stop string was found right behind it."""

    text: str
    is_stopped: bool


class StopFinder:
    """Watches one row's text. Feed it with `push`; at the end of the row take the rest with `flush`.

    `held` is all that it remembers: put back, it has seen no more than it had then.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self.held = ""

    def push(self, text: str) -> Scan:
        """Adds text. After a scan with `is_stopped` the row is over."""
        text = self.held + text
        found = self._first_complete(text)
        if found is not None:
            self.held = ""
            return Scan(text[:found], is_stopped=True)
        cut = len(text) - self._num_held(text)
        self.held = text[cut:]
        return Scan(text[:cut], is_stopped=False)

    def flush(self) -> str:
        """What was held back, now that nothing will follow."""
        held, self.held = self.held, ""
        return held

    def _first_complete(self, text: str) -> int | None:
        """Where the first complete stop string begins."""
        hits = [(start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0]
        return min(hits)[1] if hits else None

    def _num_held(self, text: str) -> int:
        """Length of the longest end of `text` that a stop string begins with."""
        longest = max((len(stop) for stop in self._stops), default=0)
        for size in range(min(len(text), longest - 1), 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stops):
                return size
        return 0
