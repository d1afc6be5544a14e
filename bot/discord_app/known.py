"""What Discord says of a channel and of a member, for the services that judge texts and count what is begun: no more
than what is certain.
"""

from __future__ import annotations

import discord

from bot.discord_app.permissions import MODERATES, has, place_of
from bot.service.filtering.known import UNKNOWN, Known, Place


def known_of(interaction: discord.Interaction) -> Known:
    """Of the member and the channel of an interaction. Roles that can't be looked up excuse nobody."""
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    channel = interaction.channel
    return Known(
        user_id=interaction.user.id,
        roles=frozenset(role.id for role in roles),
        is_age_restricted=is_age_restricted(channel),
        parent_id=_parent_id(channel),
        is_moderator=has(interaction, MODERATES),
    )


def judged_place(interaction: discord.Interaction) -> Place:
    """Where an interaction happened, as texts are judged there."""
    place = place_of(interaction)
    return Place(place.guild_id, place.channel_id, known_of(interaction))


def known_channel(client: discord.Client, channel_id: int) -> Known:
    """Of a channel, as far as the client's cache has it."""
    channel = client.get_channel(channel_id)
    if channel is None:
        return UNKNOWN
    return Known(is_age_restricted=is_age_restricted(channel), parent_id=_parent_id(channel))


def is_age_restricted(channel: object) -> bool:
    """Whether Discord lets only adults in. A thread is as its channel; what is not known is not restricted."""
    held = channel.parent if isinstance(channel, discord.Thread) else channel
    return bool(held.is_nsfw()) if isinstance(held, discord.abc.GuildChannel) and hasattr(held, "is_nsfw") else False


def _parent_id(channel: object) -> int | None:
    return channel.parent_id if isinstance(channel, discord.Thread) else None
