"""Tells a double click from two clicks."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

DOUBLE_CLICK = timedelta(seconds=0.7)
"""The same button by the same member within this time is one click. Desktops wait 0.5 s; phones on bad lines longer."""
REMEMBERED = 10_000
"""Members whose last click is kept; a forgotten one only means that a double click counts twice."""


class Clicks:
    """The last click of each member in each round, by the time that Discord gave it. Lost at a restart, harmlessly."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[int, int], tuple[int, datetime]] = OrderedDict()

    def is_double(self, round_id: int, user_id: int, choice: int, at: datetime) -> bool:
        """Whether this click repeats the member's last counted one too soon to be meant."""
        last = self._last.get((round_id, user_id))
        return last is not None and last[0] == choice and abs(at - last[1]) < DOUBLE_CLICK

    def remember(self, round_id: int, user_id: int, choice: int, at: datetime) -> None:
        """Keeps a click that was counted."""
        self._last[round_id, user_id] = (choice, at)
        self._last.move_to_end((round_id, user_id))
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
