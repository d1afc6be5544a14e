"""/moderation channel, cases: where moderators see what was reported."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import case_texts, replies
from bot.discord_app.deciding import Deciding
from bot.discord_app.permissions import NAMES, place_of, require_member, sending_permission
from bot.errors import BotNotAllowed
from bot.service.cases import CaseService


class CaseCommands(commands.Cog):
    """The part of the group `/moderation` that is about cases; whoever has the group says `cases` and `deciding`."""

    _cases: CaseService
    _deciding: Deciding

    @app_commands.command(name="channel", description="Where the cards of reports, flags and appeals are posted")
    @app_commands.describe(channel="A channel that only moderators read; leave it out to post cards nowhere")
    async def channel(self, interaction: discord.Interaction, channel: discord.TextChannel | None = None) -> None:
        require_member(interaction, "manage_guild", "Choosing the moderators' channel")
        if channel is not None:
            _require_bot_in(channel)
        channel_id = None if channel is None else channel.id
        await self._cases.set_channel(place_of(interaction).guild_id, channel_id, interaction.user.id)
        await replies.say(interaction, case_texts.channel_set(channel_id))

    @app_commands.command(name="cases", description="Open reports, flags and appeals")
    async def cases(self, interaction: discord.Interaction) -> None:
        require_member(interaction, "manage_messages", "Looking at cases")
        await replies.show(interaction, await self._deciding.page(interaction, 0))


def _require_bot_in(channel: discord.TextChannel) -> None:
    """Raises BotNotAllowed where the bot could not post a card."""
    allowed = channel.permissions_for(channel.guild.me)
    for permission in ("view_channel", sending_permission(channel)):
        if not getattr(allowed, permission):
            raise BotNotAllowed(NAMES[permission], channel.id)
