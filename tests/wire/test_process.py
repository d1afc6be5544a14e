"""What ends the process says why, in a sentence for the host."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from pydantic import SecretStr

from bot.__main__ import serve
from bot.config import BotConfig
from bot.errors import ConfigError, TalewrightError
from tests.wire.standin import StandIn
from tests.wire.telling import Site


def config(site: Site, token: str) -> BotConfig:
    return BotConfig(_env_file=None, discord_token=SecretStr(token), database=site.database, worker_url=site.worker_url)


async def test_a_wrong_token_is_named_as_the_setting_it_is(standin: StandIn, site: Site) -> None:
    with pytest.raises(ConfigError) as caught:
        await serve(config(site, "another-token"))
    assert "DISCORD_TOKEN" in str(caught.value)
    assert "another-token" not in str(caught.value)


async def test_a_token_that_the_gateway_refuses_is_told(standin: StandIn, site: Site) -> None:
    standin.gateway.refuse_next_identify(4004)
    with pytest.raises(ConfigError, match="DISCORD_TOKEN"):
        await serve(config(site, standin.world.token))


async def test_forbidden_intents_are_told(standin: StandIn, site: Site) -> None:
    standin.gateway.refuse_next_identify(4014)
    with pytest.raises(TalewrightError, match="intents"):
        await serve(config(site, standin.world.token))


async def test_a_signal_ends_the_process_in_order(standin: StandIn, site: Site) -> None:
    running = asyncio.create_task(serve(config(site, standin.world.token)))
    count = standin.world.shard_count
    await standin.pulse.until(lambda: len(standin.gateway.sessions) == count, "every shard's session")
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    await standin.pulse.until(lambda: len(standin.gateway.close_codes) == count, "the end of every connection")
    assert standin.gateway.close_codes == [1000] * count
