"""How discord.py takes every end of a gateway connection, measured through the stand-in with a small client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord
import pytest

from tests.wire.conftest import Connect
from tests.wire.gateway import Gateway
from tests.wire.members import join
from tests.wire.minimal_client import MinimalClient
from tests.wire.standin import StandIn

RESUMABLE: dict[str, Callable[[Gateway], Awaitable[None]]] = {
    "closed with 4000": lambda gateway: gateway.close(4000),
    "closed with 4009": lambda gateway: gateway.close(4009),
    "closed with 1001": lambda gateway: gateway.close(1001),
    "asked to reconnect": lambda gateway: gateway.ask_to_reconnect(),
    "invalidated, resumable": lambda gateway: gateway.invalidate(is_resumable=True),
    "cut": lambda gateway: gateway.cut(),
}
GONE: dict[str, Callable[[Gateway], Awaitable[None]]] = {
    "invalidated": lambda gateway: gateway.invalidate(is_resumable=False),
    "closed and forgotten": lambda gateway: gateway.close(4009, is_forgotten=True),
}


@pytest.mark.parametrize("lose", RESUMABLE.values(), ids=RESUMABLE.keys())
async def test_a_lost_connection_is_resumed_and_nothing_is_missed(
    standin: StandIn, connected: Connect, lose: Callable[[Gateway], Awaitable[None]]
) -> None:
    client = MinimalClient()
    async with connected(client):
        session = standin.gateway.session()
        await lose(standin.gateway)
        # Sent while the shard is away, or on its way out: the replay brings it.
        asked = await join(standin, "ann").slash("ping", words="Still here")
        assert await asked.text() == "Still here"
        assert standin.gateway.session() is session
        assert session.num_resumes == 1
    assert len(standin.gateway.identifies) == standin.world.shard_count


@pytest.mark.parametrize("lose", GONE.values(), ids=GONE.keys())
async def test_a_session_that_is_gone_is_identified_anew(
    standin: StandIn, connected: Connect, lose: Callable[[Gateway], Awaitable[None]]
) -> None:
    async with connected(MinimalClient()):
        old = standin.gateway.session()
        await lose(standin.gateway)
        identifies = standin.world.shard_count + 1
        await standin.pulse.until(lambda: len(standin.gateway.identifies) == identifies, "a new IDENTIFY")
        assert standin.gateway.session() is not old
        assert await (await join(standin, "ann").slash("ping")).text() == "Pong"
    assert standin.gateway.refused_resumes == (lose is GONE["closed and forgotten"])


async def test_a_close_that_forbids_resuming_ends_the_client(standin: StandIn, connected: Connect) -> None:
    async with connected(MinimalClient()) as running:
        await standin.gateway.close(4012)
        with pytest.raises(discord.ConnectionClosed) as caught:
            await running
    assert caught.value.code == 4012


@pytest.mark.parametrize(
    ("code", "error"), [(4004, discord.ConnectionClosed), (4014, discord.PrivilegedIntentsRequired)]
)
async def test_a_refused_identify_ends_the_client(
    standin: StandIn, connected: Connect, code: int, error: type[Exception]
) -> None:
    standin.gateway.refuse_next_identify(code)
    with pytest.raises(error):
        async with connected(MinimalClient()):
            pass


@pytest.mark.parametrize("shard_count", [2], ids=["two shards"])
async def test_one_shard_away_leaves_the_other_at_work(standin: StandIn, connected: Connect) -> None:
    async with connected(MinimalClient()):
        await standin.gateway.close(4000, shard=1)
        assert await (await join(standin, "ann").slash("ping", words="Here")).text() == "Here"
        resumed = standin.gateway.session(1)
        await standin.pulse.until(lambda: resumed.num_resumes == 1, "the other shard's RESUME")
        assert await (await join(standin, "ben", guild=1).slash("ping", words="Back")).text() == "Back"
    assert standin.gateway.session(0).num_resumes == 0
