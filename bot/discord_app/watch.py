"""One task that does its step, sleeps until the next is due or somebody rings, and survives whatever a step raises."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import discord

log = logging.getLogger(__name__)

RETRY_S = 15.0
"""The pause after a step that failed: long enough not to flood the log, short enough for a deadline."""
LONGEST_NAP_S = 60.0
"""Steps come at least this often, so that a machine that slept or a clock that was set costs a minute at most."""


class Watch:
    """Calls `step` again and again; each call says in how many seconds the next is due.

    `discord.ext.tasks.loop` is not used: it stops for ever at the first error that it does not know.
    """

    def __init__(
        self,
        client: discord.Client,
        name: str,
        step: Callable[[], Awaitable[float]],
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._name = name
        self._event = f"talewright_{name}"
        self._step = step
        self._now = now
        self._is_rung = False
        self._task: asyncio.Task[None] | None = None
        self.last_success: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begins, in the running loop. Twice changes nothing."""
        if not self.is_running:
            self._task = asyncio.create_task(self._run(), name=f"watch {self._name}")

    def ring(self) -> None:
        """Something changed: the next step comes at once."""
        self._is_rung = True
        if self.is_running:
            self._client.dispatch(self._event)

    async def stop(self) -> None:
        """Ends it between two steps or within one; a step must bear that."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._nap(min(await self._take_step(), LONGEST_NAP_S))

    async def _take_step(self) -> float:
        try:
            delay_s = await self._step()
        except Exception:
            log.exception("a step of the watch over %s failed", self._name)
            return RETRY_S
        self.last_success = self._now()
        return delay_s

    async def _nap(self, seconds: float) -> None:
        # Client.wait_for is discord.py's own event: whoever drives the client's clock (a test) drives this nap too.
        if not self._is_rung:
            try:
                await self._client.wait_for(self._event, timeout=seconds)
            except TimeoutError:
                self._client.dispatch(self._event)  # makes the client forget the listener that timed out
        self._is_rung = False
