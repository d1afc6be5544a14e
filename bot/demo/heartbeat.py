"""Lets the bot's timers run and shows what they did: SimCord does neither by itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from simcord import SetupError
from simcord.env import Env
from simcord.preview import Preview

log = logging.getLogger(__name__)

BEAT_S = 0.25
"""How late a timer of the bot may fire, and how late its work may appear on the page."""

PATIENCE_S = 1.0
"""How long a beat waits for the bot to come to rest; meanwhile the page cannot act."""

REDRAW_S = 10.0
"""How often the page is drawn anew though nothing happened: "in 2 minutes" becomes "in a minute"."""


class Heartbeat:
    """A pulse beside the members' actions.

    SimCord allows one operation at a time; a second one is refused, which the page would report as a failed action.
    So whoever acts holds `gate`, and the heartbeat does too. Should something act without the gate, the beat is
    skipped and the next one comes in a quarter of a second: nothing is lost, it is only later.
    """

    def __init__(
        self,
        env: Env,
        preview: Callable[[], Preview],
        gate: asyncio.Lock,
        beat_s: float = BEAT_S,
        redraw_s: float = REDRAW_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._env = env
        self._preview = preview
        self._gate = gate
        self._beat_s = beat_s
        self._redraw_s = redraw_s
        self._monotonic = monotonic
        self._drawn_events = 0
        self._drawn_at = monotonic()

    async def run(self) -> None:
        """Beats until it is cancelled."""
        while True:
            await asyncio.sleep(self._beat_s)
            async with self._gate:
                await self.beat()

    async def beat(self) -> None:
        """One beat; the caller holds the gate."""
        try:
            # Time has passed by itself; this runs what is due by now.
            await self._env.settle(timeout=PATIENCE_S)
            if self._is_stale():
                await self._redraw()
        except SetupError as error:
            log.debug("a beat was skipped: %s", error)
        except TimeoutError as error:
            # The bot is still at it; its work goes on, and the next beat looks again.
            log.info("a beat did not wait for the end: %s", error)

    async def _redraw(self) -> None:
        events = self._num_events()
        await self._preview().refresh()
        self._drawn_events = events
        self._drawn_at = self._monotonic()

    def _is_stale(self) -> bool:
        return self._num_events() != self._drawn_events or self._monotonic() - self._drawn_at >= self._redraw_s

    def _num_events(self) -> int:
        """Counts everything that crossed between the bot and its Discord, private answers included."""
        transcript: list[Any] = self._env.backend.transcript
        return len(transcript)
