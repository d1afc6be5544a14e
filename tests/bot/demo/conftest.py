"""A small bot in the demo's world: a slow command, a button, a timer. The clock is the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.demo.clock import WallClock
from bot.demo.world import World, build_world


class SmallBot(discord.Client):
    """`/slow` answers when `answer` is set; the button's click is counted; `nap` wakes after a moment of bot time."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default(), allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self)
        self.answer = asyncio.Event()
        self.clicks = 0
        self.world: World | None = None
        self.tree.add_command(app_commands.Command(name="slow", description="waits", callback=self._slow))

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            self.clicks += 1
            await interaction.response.send_message(f"click {self.clicks}", ephemeral=True)

    async def _slow(self, interaction: discord.Interaction) -> None:
        assert self.world is not None
        await interaction.response.defer()
        await self.world.env.external_wait(self.answer.wait(), reason="a test")
        await interaction.followup.send("here it is")


def draw_button() -> discord.ui.LayoutView:
    view = discord.ui.LayoutView(timeout=None)
    row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
    row.add_item(discord.ui.Button(label="Press", custom_id="press"))
    view.add_item(row)
    view.stop()
    return view


@pytest.fixture
async def small_world() -> AsyncIterator[World]:
    bot = SmallBot()
    world = build_world(bot, WallClock())
    bot.world = world
    await world.env.start()
    yield world
    await bot.close()
    await world.env.shutdown()
