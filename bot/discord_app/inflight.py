"""Work that must not be cut off: every task is kept, its failure is logged, and closing waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.errors import Refusal

log = logging.getLogger(__name__)

RESTARTING = "I am restarting right now. Please try again in a minute; rounds that are under way go on by themselves."


class InFlight:
    """The tasks of this process, ours and discord.py's, until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_draining = False

    @property
    def is_draining(self) -> bool:
        return self._is_draining

    @property
    def num_tasks(self) -> int:
        return len(self._tasks)

    def require_open(self) -> None:
        """Raises a Refusal once the process is about to end: nothing new is begun then."""
        if self._is_draining:
            raise Refusal(RESTARTING)

    def start(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Runs `work` in the background. What it raises is logged."""
        self._keep(asyncio.create_task(work, name=name)).add_done_callback(_log_failure)

    def hold_current(self) -> None:
        """Keeps the running task too, which somebody else has started (and whose failure they see)."""
        task = asyncio.current_task()
        if task is not None:
            self._keep(task)

    async def drain(self, within_s: float) -> None:
        """Waits for everything under way but the caller; what takes longer is cancelled, and resumed by a restart."""
        self._is_draining = True
        others = self._tasks - {asyncio.current_task()}
        if not others:
            return
        _, late = await asyncio.wait(others, timeout=within_s)
        for task in late:
            log.info("%s did not end within %g s and is cancelled", task.get_name(), within_s)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _keep(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)
