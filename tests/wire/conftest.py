"""The stand-in as a fixture; what a test sent through it is checked when the test is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import discord
import pytest

from tests.bot.service.far_end import FarEnd
from tests.wire.standin import StandIn
from tests.wire.telling import Process, Site, process

Connect = Callable[[discord.Client], AbstractAsyncContextManager["asyncio.Task[None]"]]


@pytest.fixture(params=[1, 2], ids=["one shard", "two shards"])
def shard_count(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
async def standin(shard_count: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandIn]:
    """Discord on loopback, with discord.py led to it."""
    standin = StandIn(shard_count)
    await standin.start()
    standin.lead_here(monkeypatch)
    yield standin
    await standin.stop()
    standin.check()


@pytest.fixture
def connected(standin: StandIn) -> Connect:
    """Logs a client in, waits until it is ready, and closes it at the end; a failure of its own comes out."""

    @asynccontextmanager
    async def connect(client: discord.Client) -> AsyncIterator[asyncio.Task[None]]:
        async with client:
            running = asyncio.create_task(client.start(standin.world.token))
            ready = asyncio.create_task(client.wait_until_ready())
            try:
                await asyncio.wait({running, ready}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    await running
                assert ready.done(), "the client was not ready within 20 s"
                yield running
            finally:
                ready.cancel()
                await client.close()
                await asyncio.gather(running, ready, return_exceptions=True)

    return connect


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A database file and a scripted storyteller on loopback."""
    far = FarEnd()
    async with far.server() as server:
        yield Site(tmp_path / "stories.sqlite3", str(server.make_url("")), far)


@pytest.fixture
async def running(site: Site, connected: Connect) -> AsyncIterator[Process]:
    """The real bot, logged in and ready."""
    async with process(site) as made, connected(made.bot):
        yield made
