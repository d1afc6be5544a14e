"""One question to the worker, with patience: which failures are worth another try, and how long to wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import WorkerBroken, WorkerBusy

log = logging.getLogger(__name__)

T = TypeVar("T")
MIN_PAUSE_S = 0.5
"""A worker that says "come back at once" would otherwise be asked without end."""
Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Patience:
    """What one round may still spend on a worker that is busy or breaks. Used up across all questions of the round.

    A queue that is full says when to come back: we do, as long as the waits stay within `wait_s` in all. An answer
    that broke in the middle may be an accident: `retries` more tries. A worker that is down, slow, or refuses
    the request would only do so again while members wait.
    """

    wait_s: float = 30.0
    retries: int = 1
    sleep: Sleep = asyncio.sleep

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer to `question()`, asked again where that can help. Raises the last WorkerError where it cannot."""
        while True:
            try:
                return await question()
            except WorkerBusy as error:
                pause_s = max(error.retry_after_s, MIN_PAUSE_S)
                if pause_s > self.wait_s:
                    raise
                self.wait_s -= pause_s
                log.info("the worker is busy, asking again in %.1f s", pause_s)
                await self.sleep(pause_s)
            except WorkerBroken as error:
                if self.retries == 0:
                    raise
                self.retries -= 1
                log.warning("the worker broke, asking once more: %s", error.detail)
