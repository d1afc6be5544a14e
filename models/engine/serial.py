"""An engine that answers one request at a time, in the order they came.

What it does not know: sharing a batch between requests, keeping a prompt's keys and values for the next one, adapters.
"""

from __future__ import annotations

import logging
from collections import deque

from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Done, Event, FailureKind
from models.engine.failures import describe_failure, free_memory
from models.engine.group import Group
from models.engine.request import Request

log = logging.getLogger(__name__)


class SerialEngine:
    """See `interface.Engine`."""

    max_running = 1

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._waiting: deque[Request] = deque()
        self._running: Group | None = None
        self._cancelled: list[Cancelled] = []
        self.num_steps = 0

    @property
    def has_work(self) -> bool:
        return self._running is not None or bool(self._waiting) or bool(self._cancelled)

    def add(self, request: Request) -> None:
        running = {self._running.request.id} if self._running else set()
        if request.id in running | {waiting.id for waiting in self._waiting}:
            raise ValueError(f"request {request.id} is already here")
        if request.adapter is not None:
            raise ValueError(f"there is no adapter {request.adapter} here")
        self._waiting.append(request)

    def cancel(self, request_id: str) -> None:
        if self._running is not None and self._running.request.id == request_id:
            self._cancelled.append(Cancelled(request_id, self._running.num_generated))
            self._running = None
        for request in [r for r in self._waiting if r.id == request_id]:
            self._cancelled.append(Cancelled(request_id, 0))
            self._waiting.remove(request)

    def step(self) -> list[Event]:
        events: list[Event] = [*self._cancelled]
        self._cancelled.clear()
        if self._running is not None:
            events += self._attempt(self._running.request)
        elif self._waiting:
            events += self._attempt(self._waiting.popleft())
        return events

    def reset(self) -> None:
        self._waiting.clear()
        self._cancelled.clear()
        self._running = None
        free_memory()

    def _attempt(self, request: Request) -> list[Event]:
        """One step of the request that is running, or that begins to."""
        self.num_steps += 1
        try:
            return self._step_group(request)
        except Exception as error:
            log.exception("request %s failed", request.id)
            failed = describe_failure(request.id, error)
        # Outside the handler, because its traceback still holds the tensors.
        self._running = None
        if failed.kind is FailureKind.OUT_OF_MEMORY:
            free_memory()
        return [failed]

    def _step_group(self, request: Request) -> list[Event]:
        group = self._running = self._running or Group(request, self._checkpoint)
        events = group.step()
        if group.is_over:
            self._running = None
            events.append(Done(request.id, len(request.prompt_ids), group.num_generated))
        return events
