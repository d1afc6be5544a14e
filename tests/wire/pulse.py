"""Waiting for something to have happened on the wire, without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Pulse:
    """Beats whenever a frame or a request has passed; `until` looks again at each beat."""

    def __init__(self) -> None:
        self._next: asyncio.Event = asyncio.Event()

    def beat(self) -> None:
        current, self._next = self._next, asyncio.Event()
        current.set()

    async def until(self, look: Callable[[], T], what: str, timeout_s: float = 20.0) -> T:
        """The first true value that `look` gives. Fails with `what` was awaited when it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    beat = self._next
                    found = look()
                    if found:
                        return found
                    await beat.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout_s} s: {what}") from None
