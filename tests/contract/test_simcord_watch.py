"""Every SimCord environment is checked when it ends, without its test asking for it."""

from __future__ import annotations

import discord
import pytest
import simcord
from discord import app_commands

from tests.contract.simcord_watch import Finished, watched_environments


class Echo(discord.Client):
    """A bot that answers with or without the promise to ping nobody."""

    def __init__(self, mentions: discord.AllowedMentions | None) -> None:
        super().__init__(intents=discord.Intents(guilds=True), allowed_mentions=mentions)
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(app_commands.Command(name="echo", description="Says it back", callback=echo))

    async def setup_hook(self) -> None:
        await self.tree.sync()


async def echo(interaction: discord.Interaction, words: str) -> None:
    await interaction.response.send_message(words)


async def play(bot: discord.Client) -> None:
    async with simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("general")
        await guild.add_member(env.create_user("ann")).slash(channel, "echo", words="@everyone")


@pytest.mark.parametrize("mentions", [None, discord.AllowedMentions.none()], ids=["careless", "careful"])
async def test_the_requests_of_an_ended_environment_are_checked(
    mentions: discord.AllowedMentions | None, finished_environments: list[Finished]
) -> None:
    with watched_environments() as finished:
        await play(Echo(mentions))
    finished_environments.clear()  # the outer watch saw it as well, and would rightly complain
    (environment,) = finished
    assert [r.method for r in environment.requests] == ["GET", "PUT", "POST"]
    if mentions is not None:
        environment.check()
    else:
        with pytest.raises(AssertionError, match="allowed_mentions is missing"):
            environment.check()


async def test_commands_are_checked_even_if_they_were_never_synchronised(
    finished_environments: list[Finished],
) -> None:
    bot = Echo(discord.AllowedMentions.none())
    with watched_environments() as finished:
        await play(bot)
    finished_environments.clear()
    bot.tree.get_command("echo").description = "x" * 101  # type: ignore[union-attr]
    with pytest.raises(AssertionError, match="101 characters"):
        finished[0].check()
