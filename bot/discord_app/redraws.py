"""Redraws ballots at a limited pace: many clicks, few edits, and the last state always gets drawn."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import discord

from bot.discord_app.watch import LONGEST_NAP_S, Watch

log = logging.getLogger(__name__)

PACE_S = 6.0
"""Between two redraws of one ballot. Discord allows about one edit per second and channel, for all that we do there."""
OLD_AGE = timedelta(hours=1)
OLD_PACE_S = 20.0
"""Edits of messages older than an hour have a limit of their own (error 30046): about 3 in 20 seconds."""
FIRST_RETRY_S = 15.0
MAX_RETRIES = 8
"""A drawing that fails is tried again after 15 s, 30 s, 1 min … about an hour in all; a restart tries again too."""


class Redraws:
    """Rounds (or cases) whose drawing is out of date. `show` draws one, and calls `retry_later` where it can't."""

    def __init__(
        self,
        client: discord.Client,
        show: Callable[[int], Awaitable[None]],
        now: Callable[[], datetime],
        pace_s: float = PACE_S,
        what: str = "round",
    ) -> None:
        self._show = show
        self._what = what
        self._now = now
        self._pace = timedelta(seconds=pace_s)
        self._due: dict[int, datetime] = {}
        self._drawn_at: dict[int, datetime] = {}
        self._failures: dict[int, int] = {}
        self.watch = Watch(client, f"redraws of {what}s", self.step, now)

    def ask(self, round_id: int, message_id: int | None = None) -> None:
        """The round has changed: it is drawn within the pace. Asking again meanwhile costs nothing."""
        if round_id not in self._due:
            self._due[round_id] = self._earliest(round_id, message_id)
            self.watch.ring()

    def retry_later(self, round_id: int) -> None:
        """The round could not be drawn now."""
        failures = self._failures.get(round_id, 0)
        if failures >= MAX_RETRIES:
            log.error("%s %d is not drawn any more, after %d attempts", self._what, round_id, failures)
            self._failures.pop(round_id, None)
            return
        self._failures[round_id] = failures + 1
        self._due[round_id] = self._now() + timedelta(seconds=FIRST_RETRY_S * 2**failures)
        self.watch.ring()

    async def step(self) -> float:
        """Draws what is due; returns the seconds until the next is."""
        now = self._now()
        for round_id in [key for key, due in self._due.items() if due <= now]:
            await self._draw(round_id)
        self._forget_old()
        if not self._due:
            return LONGEST_NAP_S
        return max(0.0, (min(self._due.values()) - self._now()).total_seconds())

    async def flush(self) -> None:
        """Draws everything that is wanted, without waiting for its time; for the end of the process."""
        for round_id in list(self._due):
            await self._draw(round_id)

    async def _draw(self, round_id: int) -> None:
        del self._due[round_id]
        await self._show(round_id)
        self._drawn_at[round_id] = self._now()
        if round_id not in self._due:  # nobody has asked for a retry meanwhile
            self._failures.pop(round_id, None)

    def _earliest(self, round_id: int, message_id: int | None) -> datetime:
        now = self._now()
        drawn_at = self._drawn_at.get(round_id)
        is_old = message_id is not None and now - discord.utils.snowflake_time(message_id) > OLD_AGE
        pace = max(self._pace, timedelta(seconds=OLD_PACE_S)) if is_old else self._pace
        return now if drawn_at is None else max(now, drawn_at + pace)

    def _forget_old(self) -> None:
        """Drops what no pace needs any more, so that memory doesn't grow with the number of rounds."""
        horizon = self._now() - timedelta(seconds=OLD_PACE_S) - self._pace
        self._drawn_at = {key: at for key, at in self._drawn_at.items() if at > horizon}
