"""Settings per server and channel."""

from __future__ import annotations

import pytest

from bot.errors import BadInput
from bot.service.views import SettingLine
from bot.story.model import Method
from tests.bot.service.world import ANNA, CHANNEL, GUILD, World


async def lines(world: World, channel_id: int = CHANNEL) -> dict[str, SettingLine]:
    return {line.name: line for line in await world.services.settings.show(GUILD, channel_id)}


async def test_a_channels_value_holds_over_the_servers_and_unsetting_uncovers_it(world: World) -> None:
    settings = world.services.settings
    assert (await lines(world))["minutes"].origin == "default"
    await settings.set(GUILD, None, "minutes", "5", ANNA)
    await settings.set(GUILD, CHANNEL, "minutes", "2.5", ANNA)
    here, there = (await lines(world))["minutes"], (await lines(world, 11))["minutes"]
    assert (here.value, here.origin, here.default) == ("2.5", "channel", "10")
    assert (there.value, there.origin) == ("5", "server")
    await settings.set(GUILD, CHANNEL, "minutes", None, ANNA)
    assert (await lines(world))["minutes"].value == "5"
    await settings.set(GUILD, None, "minutes", None, ANNA)
    assert (await lines(world))["minutes"].value == "10"


@pytest.mark.parametrize(
    ("name", "text", "bound"),
    [
        ("candidates", "6", "2 to 5"),
        ("minutes", "0.1", "0.5"),
        ("quorum", "none", "1 to 50"),
        ("method", "x", "approval"),
    ],
)
async def test_a_value_outside_its_bounds_is_refused_with_them_and_changes_nothing(
    world: World, name: str, text: str, bound: str
) -> None:
    before = await lines(world)
    with pytest.raises(BadInput, match=bound):
        await world.services.settings.set(GUILD, CHANNEL, name, text, ANNA)
    assert await lines(world) == before


@pytest.mark.parametrize("text", ["on", "off", None])
async def test_training_is_allowed_by_a_whole_server_or_not_at_all(world: World, text: str | None) -> None:
    with pytest.raises(BadInput, match="scope:server"):
        await world.services.settings.set(GUILD, CHANNEL, "training", text, ANNA)
    assert (await lines(world))["training"].value == "off"
    await world.services.settings.set(GUILD, None, "training", "on", ANNA)
    line = (await lines(world))["training"]
    assert (line.value, line.origin) == ("on", "server")
    assert "what members typed never is" in line.help


async def test_an_unknown_setting_is_refused_with_the_names_there_are(world: World) -> None:
    with pytest.raises(BadInput, match="candidates"):
        await world.services.settings.set(GUILD, CHANNEL, "colour", "red", ANNA)


async def test_a_round_keeps_the_settings_it_began_with(world: World) -> None:
    await world.story()
    await world.services.settings.set(GUILD, CHANNEL, "candidates", "2", ANNA)
    await world.services.settings.set(GUILD, None, "method", "plurality", ANNA)
    round_ = await world.begin()
    await world.services.settings.set(GUILD, CHANNEL, "candidates", "5", ANNA)
    view = await world.services.rounds.generate(round_.id)
    assert len(view.candidates) == 2
    assert view.round.settings.method is Method.PLURALITY
