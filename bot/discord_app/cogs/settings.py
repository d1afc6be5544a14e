"""/settings show, set, reset: per channel, or for the whole server."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies, texts
from bot.discord_app.buttons import Drawing, text
from bot.discord_app.permissions import place_of, require_member
from bot.service.settings import SettingsService
from bot.story.settings import SETTINGS

Scope = Literal["channel", "server"]
NEEDED = {"channel": "manage_channels", "server": "manage_guild"}
CHOICES = [app_commands.Choice(name=name, value=name) for name in SETTINGS]
SCOPE_HELP = "Where: this channel (the default), or the whole server"


class SettingsCog(
    commands.GroupCog, group_name="settings", group_description="How rounds run here: candidates, minutes, quorum …"
):
    """Everyone may read them, since they decide how votes count; changing needs a permission, checked here.

    So the group has no `default_permissions`: they would hide `show` as well.
    """

    def __init__(self, settings: SettingsService) -> None:
        self._settings = settings
        super().__init__()

    @app_commands.command(name="show", description="How rounds run in this channel")
    async def show(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        lines = await self._settings.show(place.guild_id, place.channel_id)
        head = "## How rounds run here"
        await replies.show(interaction, Drawing(text(head, *(texts.setting_line(line) for line in lines))))

    @app_commands.command(name="set", description="Change a setting")
    @app_commands.describe(
        setting="Which one", value="Its new value; /settings show tells what is possible", scope=SCOPE_HELP
    )
    @app_commands.choices(setting=CHOICES)
    async def set(self, interaction: discord.Interaction, setting: str, value: str, scope: Scope = "channel") -> None:
        await self._change(interaction, setting, value, scope)

    @app_commands.command(
        name="reset", description="Take a setting back: the server's value or the default holds again"
    )
    @app_commands.describe(setting="Which one", scope=SCOPE_HELP)
    @app_commands.choices(setting=CHOICES)
    async def reset(self, interaction: discord.Interaction, setting: str, scope: Scope = "channel") -> None:
        await self._change(interaction, setting, None, scope)

    async def _change(self, interaction: discord.Interaction, name: str, value: str | None, scope: Scope) -> None:
        place = place_of(interaction)
        where = "the whole server" if scope == "server" else "this channel"
        require_member(interaction, NEEDED[scope], f"Changing settings of {where}")
        channel_id = None if scope == "server" else place.channel_id
        await self._settings.set(place.guild_id, channel_id, name, value, interaction.user.id)
        await replies.say(interaction, texts.setting_changed(name, value, scope))
