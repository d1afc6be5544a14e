"""Work that several wait for and that is done once: a bounded memory of results, the least used forgotten first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shared(Generic[K, V]):
    """Whoever asks for the same while it is being made waits for it. What failed is tried again by the next."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._tasks: OrderedDict[K, asyncio.Task[V]] = OrderedDict()

    async def get(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `make()` gave for the key. Raises what it raised."""
        task = self._tasks.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._tasks[key] = asyncio.create_task(make(), name=f"making {type(key).__name__}")
        self._tasks.move_to_end(key)
        while len(self._tasks) > self._max_kept:
            self._tasks.popitem(last=False)
        # One who gives up waiting must not take the work from the others.
        return await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """The next who asks has it made anew; who waits already gets what is being made."""
        self._tasks.pop(key, None)
