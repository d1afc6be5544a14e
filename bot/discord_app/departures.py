"""Servers that the bot has left: noted when it happens, and deleted when their time is up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import discord

from bot.discord_app.watch import LONGEST_NAP_S, Watch
from bot.service.departures import DepartureService


class Departures:
    """Listens for servers that come and go. An outage of a server's is none of these: Discord says which is which."""

    def __init__(self, client: discord.Client, departures: DepartureService, now: Callable[[], datetime]) -> None:
        self._client = client
        self._departures = departures
        self.watch = Watch(client, "departures", self.step, now)

    async def on_ready(self) -> None:
        """The servers are known, those that are unavailable at the moment included."""
        await self._departures.be_in([guild.id for guild in self._client.guilds])

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._departures.join(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._departures.leave(guild.id)

    async def step(self) -> float:
        """Deletes what is due; looks again after the longest nap."""
        await self._departures.purge_due()
        return LONGEST_NAP_S
