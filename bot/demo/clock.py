"""The time of the demo's Discord: it stands still while the world is built, then it is the machine's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from simcord._clock import Clock

BUILD_TIME = datetime(2026, 1, 1, tzinfo=UTC)
"""When the demo's server, channel and members were "created". Ids are made of time, so this fixes their ids."""


class WallClock(Clock):
    """SimCord's clock, made to follow the wall clock instead of waiting to be pushed.

    SimCord's own clock is virtual, for tests. With one that moves by itself, a deadline passes when it should, also
    while a slow command is under way, and "in 2 minutes" on the page means two minutes.

    Before `begin` it shows `BUILD_TIME`: whatever is created then has the same ids in every run. It never goes back,
    so ids never come twice, not even where the machine's time is set back. It may be pushed ahead (`elapsed += …`,
    which is what SimCord does): then it waits until the wall has caught up.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        # The base class is not asked: it would make `elapsed` a plain number.
        self._wall = wall
        self._epoch = BUILD_TIME
        self._begun_at: float | None = None
        self._reached_s = 0.0

    def begin(self) -> None:
        """From here on the clock shows the wall's time."""
        self._begun_at = self._wall()
        self._epoch = datetime.fromtimestamp(self._begun_at, UTC)

    @property
    def elapsed(self) -> float:
        """Seconds since `begin`; 0 before."""
        if self._begun_at is not None:
            self._reached_s = max(self._reached_s, self._wall() - self._begun_at)
        return self._reached_s

    @elapsed.setter
    def elapsed(self, seconds: float) -> None:
        self._reached_s = max(self._reached_s, seconds)
