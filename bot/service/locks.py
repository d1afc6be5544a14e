"""One lock per round of this process, for the few steps that read and then write what they read."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class RoundLocks:
    """Locks by round id, gone when nobody holds them.

    The database guards every change of state by itself. The lock adds what a guard can't see: a vote that lands
    between counting and closing would be confirmed to its member and yet not counted; a text that lands between the
    last look at the held texts and the failure of its round would be lost. Never held across a call of the model.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def of(self, round_id: int) -> asyncio.Lock:
        return self._locks.setdefault(round_id, asyncio.Lock())
