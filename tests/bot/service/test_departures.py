"""A server that removed the bot is forgotten after thirty days, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import NoStory
from bot.service.departures import KEPT_FOR
from tests.bot.service.world import CHANNEL, GUILD, World


async def test_everything_of_a_server_is_deleted_when_its_time_is_up(world: World) -> None:
    await world.story()
    await world.services.departures.leave(GUILD)
    world.clock.advance(seconds=(KEPT_FOR - timedelta(seconds=1)).total_seconds())
    assert await world.services.departures.purge_due() == []
    assert await world.services.stories.show(CHANNEL)
    world.clock.advance(seconds=1)
    assert await world.services.departures.purge_due() == [GUILD]
    with pytest.raises(NoStory):
        await world.services.stories.show(CHANNEL)
    assert await world.services.departures.purge_due() == []


async def test_a_bot_that_comes_back_in_time_finds_everything(world: World) -> None:
    await world.story()
    await world.services.departures.leave(GUILD)
    await world.services.departures.join(GUILD)
    world.clock.advance(seconds=2 * KEPT_FOR.total_seconds())
    assert await world.services.departures.purge_due() == []
    assert await world.services.stories.show(CHANNEL)


async def test_a_server_that_was_left_while_the_bot_was_off_counts_from_the_start(world: World) -> None:
    await world.story()
    await world.services.departures.be_in([GUILD + 1])
    world.clock.advance(seconds=KEPT_FOR.total_seconds())
    assert await world.services.departures.purge_due() == [GUILD]
