"""Work that several wait for and that is done once: a bounded memory of results, the least used forgotten first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(eq=False)
class _Making(Generic[V]):
    task: asyncio.Task[V]
    is_forgotten: bool = False

    @property
    def has_failed(self) -> bool:
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


class Shared(Generic[K, V]):
    """Whoever asks for the same while it is being made waits for it. What failed is tried again by the next."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._made: OrderedDict[K, _Making[V]] = OrderedDict()

    async def get(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `make()` gave for the key, begun since the key was last forgotten. Raises what it raised."""
        while True:
            one = self._made.get(key)
            if one is None or one.has_failed:
                one = self._made[key] = _Making(asyncio.create_task(make(), name=f"making {type(key).__name__}"))
            self._made.move_to_end(key)
            while len(self._made) > self._max_kept:
                self._made.popitem(last=False)
            if not one.task.done():
                await asyncio.wait([one.task])  # who gives up waiting does not take the work from the others
            if not one.is_forgotten:
                return one.task.result()

    def holds(self, key: K, value: V) -> bool:
        """Whether this very value is what who asks for the key now gets."""
        one = self._made.get(key)
        return one is not None and one.task.done() and not one.has_failed and one.task.result() is value

    def forget(self, key: K) -> None:
        """What is kept for the key, or being made, is wrong from now on: who waits for it gets a new one, too."""
        one = self._made.pop(key, None)
        if one is not None:
            one.is_forgotten = True

    def drop(self, key: K) -> None:
        """What is kept for the key is still right, but nobody needs it."""
        self._made.pop(key, None)
