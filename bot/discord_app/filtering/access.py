"""Who may look at the filters, and who may change what. Asked again on every click and every form."""

from __future__ import annotations

import discord

from bot.discord_app.known import known_of
from bot.discord_app.permissions import has, place_of, require_member
from bot.errors import NotAllowed
from bot.service.filtering.views import RuleEntry

CHANNEL, SERVER = "manage_messages", "manage_guild"


def require_moderator(interaction: discord.Interaction) -> None:
    """Manage Messages here, or Manage Server."""
    if not has(interaction, SERVER):
        require_member(interaction, CHANNEL, "Looking at the filters")


def require_scope(interaction: discord.Interaction, *, is_server: bool) -> None:
    """Changing what holds for this channel, or for the whole server."""
    if is_server:
        require_member(interaction, SERVER, "What holds for the whole server, or loosens it in a channel,")
    else:
        require_moderator(interaction)


def require_rule(interaction: discord.Interaction, entry: RuleEntry) -> None:
    """Changing a rule. In this channel's payload nothing is said of another channel's permissions."""
    is_here = entry.stored.channel_id in (place_of(interaction).channel_id, known_of(interaction).parent_id)
    require_scope(interaction, is_server=entry.needs_server or not is_here)


def require_channel(interaction: discord.Interaction, channel_id: int) -> None:
    """Looking at what happened in a channel: from there, or by who manages the server."""
    require_moderator(interaction)
    if channel_id != place_of(interaction).channel_id and not has(interaction, SERVER):
        raise NotAllowed("This is of another channel. Look at it there, or ask a member with “Manage Server”.")
