"""Who may do what, judged by the interaction's own payload: it is current, and needs no cache.

A command's `default_permissions` only hides it, and admins may change that: what must not happen is checked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.errors import BotNotAllowed, NotAllowed

NAMES = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "manage_messages": "Manage Messages",
    "manage_channels": "Manage Channels",
    "manage_guild": "Manage Server",
    "view_audit_log": "View Audit Log",
}
"""Permissions as Discord's own settings name them."""


MODERATES = "manage_messages"
"""Who has it is a moderator, for everything that makes a difference there."""


@dataclass(frozen=True)
class Place:
    """Where an interaction happened: a channel or thread of a server."""

    guild_id: int
    channel_id: int


def place_of(interaction: discord.Interaction) -> Place:
    """Raises NotAllowed outside of servers, where stories have no home."""
    if interaction.guild_id is None or interaction.channel_id is None:
        raise NotAllowed("Stories live in the channels of a server, so this works only there.")
    return Place(interaction.guild_id, interaction.channel_id)


def has(interaction: discord.Interaction, permission: str) -> bool:
    """Whether the member has the permission in this channel."""
    return bool(getattr(interaction.permissions, permission))


def require_member(interaction: discord.Interaction, permission: str, what: str) -> None:
    """Raises NotAllowed that names the permission. `what` completes "… needs the permission": "Closing a round"."""
    if not has(interaction, permission):
        raise NotAllowed(f"{what} needs the permission “{NAMES[permission]}” here.")


def require_any(interaction: discord.Interaction, permissions: Sequence[str], what: str) -> None:
    """Likewise, where one of several permissions is enough."""
    if not any(has(interaction, permission) for permission in permissions):
        named = " or ".join(f"“{NAMES[permission]}”" for permission in permissions)
        raise NotAllowed(f"{what} needs the permission {named} here.")


def may_moderate(member: discord.Member) -> bool:
    """Whether a member whom a command names moderates: as Discord says with it, or by their roles."""
    permissions = member.resolved_permissions or member.guild_permissions
    return bool(getattr(permissions, MODERATES))


def moderates_in(interaction: discord.Interaction, channel_id: int) -> bool:
    """Whether the member has “Manage Messages” in the story's channel, wherever the click happened.

    The member's roles are the payload's; the channel's own permissions are kept up to date by the gateway. Where the
    channel is gone or a thread is archived, what the member may do in the whole server counts.
    """
    if interaction.channel_id == channel_id:
        return has(interaction, "manage_messages")
    guild, member = interaction.guild, interaction.user
    if guild is None or not isinstance(member, discord.Member):
        return False
    channel = guild.get_channel_or_thread(channel_id)
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    if channel is None:
        return member.guild_permissions.manage_messages
    return channel.permissions_for(member).manage_messages


def require_moderator(interaction: discord.Interaction, channel_id: int) -> None:
    """Raises NotAllowed that names the permission and the channel."""
    if not moderates_in(interaction, channel_id):
        raise NotAllowed(f"This needs the permission “{NAMES['manage_messages']}” in the story's channel.")


def require_bot(interaction: discord.Interaction) -> None:
    """Raises BotNotAllowed where the bot could not keep a ballot in this channel.

    Answering a command needs no permission at all, but redrawing a ballot later and posting its result do.
    """
    for permission in ("view_channel", sending_permission(interaction.channel)):
        if not getattr(interaction.app_permissions, permission):
            raise BotNotAllowed(NAMES[permission], place_of(interaction).channel_id)


def sending_permission(channel: object) -> str:
    """Threads have a permission of their own for sending."""
    return "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
