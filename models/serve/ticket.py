"""One request's way back from the model's thread to the event loop that waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from models.engine.events import Event

log = logging.getLogger(__name__)


class Ticket:
    """`next` gives the request's events in order; after a `Done`, `Failed` or `Cancelled` there are no more.

    `submitted_at`, `began_at` and `is_first_text_due` belong to the runner.
    """

    def __init__(self, request_id: str, submitted_at: float, *, is_moderation: bool = False) -> None:
        self.request_id = request_id
        self.is_moderation = is_moderation
        self.submitted_at = submitted_at
        self.began_at: float | None = None
        self.is_first_text_due = True
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Sequence[Event]] = asyncio.Queue()
        self._events: deque[Event] = deque()

    async def next(self) -> Event:
        """The next event, waited for."""
        while not self._events:
            self._events.extend(await self._arrived.get())
        return self._events.popleft()

    def deliver(self, events: Sequence[Event]) -> None:
        """Called by the model's thread."""
        try:
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, events)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.debug("request %s ended after its event loop", self.request_id)
