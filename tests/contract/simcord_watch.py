"""Watches every SimCord environment of a test run, so that no test has to ask for the check.

A finished environment hands its requests over when it is shut down; the fixture in `tests/conftest.py` checks them
after the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simcord import Env

from tests.contract.check import check_commands, check_requests


@dataclass(frozen=True)
class Finished:
    """What an environment leaves behind: its bot, and all that the bot sent."""

    bot: Any
    requests: tuple[Any, ...]

    def check(self) -> None:
        check_requests(self.requests)
        # Not every client has commands; where there is a tree, it is checked even if the test never synchronised it.
        if getattr(self.bot, "tree", None) is not None:
            check_commands(self.bot)


@contextmanager
def watched_environments() -> Iterator[list[Finished]]:
    """While open, every environment that shuts down is added to the list."""
    finished: list[Finished] = []
    shutdown = Env.shutdown

    async def shutdown_and_report(env: Env) -> None:
        try:
            await shutdown(env)
        finally:
            finished.append(Finished(env.bot, tuple(env.http_requests)))

    Env.shutdown = shutdown_and_report  # type: ignore[method-assign]
    try:
        yield finished
    finally:
        Env.shutdown = shutdown  # type: ignore[method-assign]
