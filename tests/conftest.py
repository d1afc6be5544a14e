"""What holds for every test: whatever a bot sends to SimCord must be something that Discord would take."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator

import pytest

from tests.contract.simcord_watch import Finished, watched_environments

# Torch reads these when it is imported. Several test processes that each took every core would wait for one another,
# so they share the cores; a process that a test starts inherits that.
NUM_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if NUM_PROCESSES > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // NUM_PROCESSES)))
os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What modules make when they are imported stays to the end, so nobody looks through it for garbage: neither
    meanwhile, which is a third of the time of importing all, nor later, which is a second for each file of tests.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def finished_environments() -> Iterator[list[Finished]]:
    """The SimCord environments that have shut down and are not checked yet."""
    with watched_environments() as finished:
        yield finished
        check_all(finished)


@pytest.fixture(autouse=True)
def discord_would_take_it(finished_environments: list[Finished]) -> Iterator[None]:
    """Checks, after each test, every request of every environment that ended in it."""
    yield
    check_all(finished_environments)


@pytest.fixture(scope="module", autouse=True)
def leave_nothing_open() -> Iterator[None]:
    """What a test file forgot to close is reported there, and not wherever Python happens to collect its garbage."""
    yield
    gc.collect()


def check_all(finished: list[Finished]) -> None:
    """Checks and forgets."""
    taken = list(finished)
    finished.clear()
    for environment in taken:
        environment.check()
