"""/audit: what was done in the server, by whom, when and why. With the buttons below it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies
from bot.discord_app.audit_view import deed_of, log_page
from bot.discord_app.permissions import place_of, require_any
from bot.errors import BadInput
from bot.service.limits import LimitService
from bot.story.audit import Deed

NEEDED = ("manage_messages", "view_audit_log")
WHAT = "Reading the audit log"
MAX_CHOICES = 25


class AuditLog:
    """Pages of the log, for the command and for its buttons."""

    def __init__(self, limits: LimitService) -> None:
        self._limits = limits

    async def first(self, interaction: discord.Interaction, member_id: int | None, deed: Deed | None) -> None:
        require_any(interaction, NEEDED, WHAT)
        page = await self._limits.read_log(place_of(interaction).guild_id, member_id=member_id, deed=deed)
        await replies.show(interaction, log_page(page))

    async def turn(self, interaction: discord.Interaction, top: int, page: int, member_id: int, deed: int) -> None:
        """Another page of what was asked for, however much was added since."""
        require_any(interaction, NEEDED, WHAT)
        found = await self._limits.read_log(
            place_of(interaction).guild_id, member_id=member_id or None, deed=deed_of(deed), top=top, page=page
        )
        await replies.turn(interaction, log_page(found))


class AuditCog(commands.Cog):
    """Hidden from members by Discord, and checked again here. Either permission is enough."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    @app_commands.command(name="audit", description="What moderators did here, by whom, when and why (moderators)")
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.describe(member="Only what this member did, or had done to them", deed="Only deeds of this kind")
    async def audit(
        self,
        interaction: discord.Interaction,
        member: discord.User | discord.Member | None = None,
        deed: str | None = None,
    ) -> None:
        wanted = None if deed is None else parse_deed(deed)
        await self._log.first(interaction, None if member is None else member.id, wanted)

    @audit.autocomplete("deed")
    async def offer_deeds(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        wanted = typed.strip().casefold()
        found = [app_commands.Choice(name=deed.value, value=deed.value) for deed in Deed if wanted in deed.value]
        return found[:MAX_CHOICES]


def parse_deed(typed: str) -> Deed:
    """The deed of this name. Raises BadInput: Discord lets members send what they did not choose."""
    found = next((deed for deed in Deed if deed.value == typed.strip().casefold()), None)
    if found is None:
        raise BadInput(f"“{typed.strip()[:50]}” is no deed that the log knows. Choose one of those that are offered.")
    return found
