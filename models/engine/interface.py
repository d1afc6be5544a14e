"""The joint between an engine and whoever drives it: requests go in, `step` moves all of them on, events come out.

An engine is used by one thread only. `cancel` takes effect at the next step, which answers it with `Cancelled`.
"""

from __future__ import annotations

from typing import Protocol

from models.engine.events import Event
from models.engine.request import Request


class Engine(Protocol):
    """`max_running` requests move on together; further ones wait inside, in the order they came."""

    @property
    def max_running(self) -> int: ...

    @property
    def num_steps(self) -> int:
        """Forward passes of the model so far."""
        ...

    @property
    def has_work(self) -> bool:
        """Whether a step would do anything: a request is running or waiting, or a cancellation is unanswered."""
        ...

    def add(self, request: Request) -> None:
        """Takes a request. Raises `ValueError` for an id that is still in use, and for an adapter that is not here."""
        ...

    def cancel(self, request_id: str) -> None:
        """Gives a request up; one that is unknown or already over is left alone."""
        ...

    def step(self) -> list[Event]:
        """At most one forward pass. A request that fails answers with `Failed`; it alone, and nothing is raised."""
        ...

    def reset(self) -> None:
        """Forgets every request and frees what they held, without events."""
        ...
