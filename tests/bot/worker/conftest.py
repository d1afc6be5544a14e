from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.worker import WorkerClient
from tests.bot.worker.standin import StandIn


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def client(server: StandIn) -> AsyncIterator[WorkerClient]:
    worker = WorkerClient(server.url, None, None, timeout_s=20)
    yield worker
    await worker.close()
