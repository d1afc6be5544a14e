"""How discord.py takes every failure of Discord's HTTP API, measured through the stand-in with a small client."""

from __future__ import annotations

import aiohttp
import discord
import pytest

from tests.contract.oracle import standard_oracle
from tests.wire import faults
from tests.wire.conftest import Connect
from tests.wire.members import join, text_of
from tests.wire.minimal_client import MinimalClient
from tests.wire.paths import CALLBACK, CHANNEL_MESSAGE, CHANNEL_MESSAGES, ME, WEBHOOK_MESSAGE
from tests.wire.standin import StandIn

pytestmark = pytest.mark.parametrize("shard_count", [1], ids=["one shard"])


def statuses(standin: StandIn, method: str, pattern: object) -> list[int | None]:
    return [status for _, status in standin.sent(method, pattern.fullmatch)]  # type: ignore[attr-defined]


async def test_a_limited_callback_is_sent_again(standin: StandIn, connected: Connect) -> None:
    standin.faults.add("POST", CALLBACK, faults.rate_limited(0.01))
    async with connected(MinimalClient()):
        assert await (await join(standin, "ann").slash("ping")).text() == "Pong"
    assert statuses(standin, "POST", CALLBACK) == [429, 200]


@pytest.mark.parametrize("is_global", [False, True])
async def test_a_limited_channel_message_is_sent_again(standin: StandIn, connected: Connect, is_global: bool) -> None:
    standin.faults.add("POST", CHANNEL_MESSAGES, faults.rate_limited(0.01, is_global=is_global))
    async with connected(MinimalClient()):
        asked = await join(standin, "ann").slash("post")
        await standin.pulse.until(lambda: asked.interaction.followup_ids, "the follow-up")
    assert statuses(standin, "POST", CHANNEL_MESSAGES) == [429, 200]
    assert [text_of(m) for m in standin.world.messages.values()] == ["Posting.", "Second", "Posted."]


async def test_a_failing_edit_is_sent_again(standin: StandIn, connected: Connect) -> None:
    standin.faults.add("PATCH", WEBHOOK_MESSAGE, faults.broken(502))
    async with connected(MinimalClient()):
        panel = await (await join(standin, "ann").slash("slow")).message()
        assert text_of(panel) == "It took a while."
    assert statuses(standin, "PATCH", WEBHOOK_MESSAGE) == [502, 200]


async def test_a_callback_that_took_effect_but_failed_is_refused_the_second_time(
    standin: StandIn, connected: Connect
) -> None:
    standin.faults.add("POST", CALLBACK, faults.broken(500), is_applied=True)
    client = MinimalClient()
    async with connected(client):
        asked = await join(standin, "ann").slash("ping")
        await standin.pulse.until(lambda: len(statuses(standin, "POST", CALLBACK)) == 2, "the second try")
        assert await asked.text() == "Pong"
        failure = await client.failure()
    assert isinstance(failure, discord.HTTPException)
    assert failure.code == 40060


FATAL = {
    "HTML of a proxy": (faults.banned(), discord.HTTPException, 429),
    "service unavailable": (faults.broken(503), discord.DiscordServerError, 503),
    "unknown message": (faults.UNKNOWN_MESSAGE, discord.NotFound, 404),
    "missing permission": (faults.error(403, 50013, "Missing Permissions"), discord.Forbidden, 403),
}


@pytest.mark.parametrize(("answer", "error", "status"), FATAL.values(), ids=FATAL.keys())
async def test_other_failures_of_an_edit_come_out_at_once(
    standin: StandIn, connected: Connect, answer: faults.Answer, error: type[discord.HTTPException], status: int
) -> None:
    standin.faults.add("PATCH", CHANNEL_MESSAGE, answer)
    client = MinimalClient()
    async with connected(client):
        await join(standin, "ann").slash("post")
        failure = await client.failure()
    assert isinstance(failure, error)
    assert failure.status == status
    assert statuses(standin, "PATCH", CHANNEL_MESSAGE) == [status]


async def test_a_reset_connection_comes_out_at_once(standin: StandIn, connected: Connect) -> None:
    standin.faults.add("PATCH", CHANNEL_MESSAGE, None)
    client = MinimalClient()
    async with connected(client):
        await join(standin, "ann").slash("post")
        failure = await client.failure()
    assert isinstance(failure, aiohttp.ClientError)


async def test_a_late_first_answer_is_unknown(standin: StandIn, connected: Connect) -> None:
    standin.faults.add("POST", CALLBACK, faults.UNKNOWN_INTERACTION)
    client = MinimalClient()
    async with connected(client):
        await join(standin, "ann").slash("ping")
        failure = await client.failure()
    assert isinstance(failure, discord.NotFound)
    assert failure.code == 10062


async def test_a_wrong_token_stops_the_login(standin: StandIn) -> None:
    async with MinimalClient() as client:
        with pytest.raises(discord.LoginFailure):
            await client.start("another token")
    assert statuses(standin, "GET", ME) == [401]


async def test_an_arranged_fault_that_nothing_met_fails_the_check(standin: StandIn) -> None:
    fault = standin.faults.add("GET", ME, faults.broken(500))
    with pytest.raises(AssertionError, match="no request has met"):
        standin.check()
    fault.times = 0


async def test_a_stand_in_unlike_discord_fails_the_check(standin: StandIn, connected: Connect) -> None:
    if standard_oracle() is None:
        pytest.skip("Discord's OpenAPI description is not here")
    del standin.world.me["primary_guild"]
    async with connected(MinimalClient()):
        pass
    with pytest.raises(AssertionError, match="primary_guild"):
        standin.check()
    standin.forget()
