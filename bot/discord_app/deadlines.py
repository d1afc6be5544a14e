"""The one dispatcher of deadlines: settles what is due, then sleeps until the next deadline in the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import discord

from bot.discord_app.watch import LONGEST_NAP_S, RETRY_S, Watch
from bot.service.rounds import RoundService


class Deadlines:
    """Deadlines live in the database, so nothing is lost with the process; `settle` closes one round, and never raises.

    `watch.last_success` says when the dispatcher last did its whole step: more than two naps ago is unhealthy.
    """

    def __init__(
        self,
        client: discord.Client,
        rounds: RoundService,
        settle: Callable[[int], Awaitable[object]],
        now: Callable[[], datetime],
    ) -> None:
        self._rounds = rounds
        self._settle = settle
        self._now = now
        self.watch = Watch(client, "deadlines", self.step, now)

    async def step(self) -> float:
        """Settles every due round; returns the seconds until the next deadline, at most a nap."""
        due = await self._rounds.due()
        for round_id in due:
            await self._settle(round_id)
        following = await self._rounds.next_deadline()
        if following is None:
            return LONGEST_NAP_S
        seconds = (following - self._now()).total_seconds()
        # A round that is still due could not be settled: it must not turn the wait into a busy loop.
        return max(seconds, RETRY_S if due and seconds <= 0 else 0.0)
