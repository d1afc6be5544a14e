"""The objects that Discord puts into its answers and events, shaped as its description and discord.py want them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import discord

DISCORD_EPOCH_MS = 1_420_070_400_000
BOT_PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)
MEMBER_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, read_message_history=True, use_application_commands=True
)
JOINED = "2024-02-27T19:50:51.701000+00:00"

_counter = itertools.count(1)


def snowflake() -> int:
    """A fresh id whose time is now: bots judge lateness by an interaction's id."""
    return (time.time_ns() // 1_000_000 - DISCORD_EPOCH_MS) << 22 | next(_counter) % (1 << 12)


def user(user_id: int, name: str, *, is_bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(user_id),
        "username": name,
        "discriminator": "0",
        "global_name": name.title(),
        "avatar": None,
        "bot": is_bot,
        "flags": 0,
        "public_flags": 0,
        "primary_guild": None,
    }


def own_user(me: Mapping[str, Any]) -> dict[str, Any]:
    """The bot as it sees itself."""
    return {**me, "mfa_enabled": True, "verified": True, "locale": "en-US", "email": None}


def member(of_user: Mapping[str, Any], permissions: discord.Permissions | None = None) -> dict[str, Any]:
    """A member; `permissions` are the computed ones that only interactions carry."""
    made = {
        "user": dict(of_user),
        "roles": [],
        "nick": None,
        "avatar": None,
        "banner": None,
        "joined_at": JOINED,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
    }
    return made if permissions is None else {**made, "permissions": str(permissions.value)}


def text_channel(channel_id: int, guild_id: int, name: str) -> dict[str, Any]:
    return {
        "id": str(channel_id),
        "type": 0,
        "guild_id": str(guild_id),
        "name": name,
        "position": 0,
        "flags": 0,
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "last_message_id": None,
        "permission_overwrites": [],
    }


def guild(guild_id: int, name: str, owner_id: int, channel: Mapping[str, Any], me: Mapping[str, Any]) -> dict[str, Any]:
    """A GUILD_CREATE with one channel, the role of everyone, and the bot as its only sent member."""
    everyone = {
        "id": str(guild_id),
        "name": "@everyone",
        "permissions": str(BOT_PERMISSIONS.value),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
        "icon": None,
        "unicode_emoji": None,
    }
    empty = ("emojis", "stickers", "threads", "presences", "voice_states", "stage_instances", "soundboard_sounds")
    nothing = ("icon", "splash", "discovery_splash", "banner", "description", "afk_channel_id", "system_channel_id")
    nothing += ("rules_channel_id", "public_updates_channel_id", "vanity_url_code", "application_id", "hub_type")
    zero = ("verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level")
    zero += ("premium_tier", "premium_subscription_count", "system_channel_flags", "nsfw_level")
    return {
        "id": str(guild_id),
        "name": name,
        "owner_id": str(owner_id),
        "joined_at": JOINED,
        "unavailable": False,
        "large": False,
        "member_count": 4,
        "members": [member(me)],
        "channels": [dict(channel)],
        "roles": [everyone],
        "features": [],
        "guild_scheduled_events": [],
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "max_members": 500_000,
        "premium_progress_bar_enabled": False,
        **{key: [] for key in empty},
        **dict.fromkeys(nothing),
        **dict.fromkeys(zero, 0),
    }


def application(application_id: int, owner: Mapping[str, Any], me: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(application_id),
        "name": "Talewright",
        "icon": None,
        "description": "Stories",
        "type": None,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": dict(owner),
        "bot": dict(me),
        "approximate_guild_count": 2,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": ["bot"],
        "bot_public": True,
        "bot_require_code_grant": False,
    }


def command(definition: Mapping[str, Any], application_id: int) -> dict[str, Any]:
    """A registered command, as Discord gives it back."""
    kept = {key: value for key, value in definition.items() if value is not None}
    permissions = definition.get("default_member_permissions")
    return {
        **kept,
        "id": str(snowflake()),
        "application_id": str(application_id),
        "version": str(snowflake()),
        "type": definition.get("type", 1),
        "description": definition.get("description") or "",
        "default_member_permissions": None if permissions is None else str(permissions),
    }


COMPONENT_DEFAULTS: dict[int, dict[str, Any]] = {
    2: {"disabled": False},
    3: {"min_values": 1, "max_values": 1, "disabled": False},
    14: {"spacing": 1, "divider": True},
    17: {"accent_color": None, "spoiler": False},
}


def numbered(components: list[dict[str, Any]], numbers: Iterator[int] | None = None) -> list[dict[str, Any]]:
    """Components as Discord gives them back: each with an id, defaults filled in, empty keys left out."""
    numbers = numbers or itertools.count(1)
    made = []
    for component in components:
        kept = {key: value for key, value in component.items() if value is not None}
        whole = {**COMPONENT_DEFAULTS.get(component["type"], {}), **kept}
        whole.setdefault("id", next(numbers))
        if "components" in whole:
            whole["components"] = numbered(whole["components"], numbers)
        for key in ("accessory", "component"):
            if key in whole:
                whole[key] = numbered([whole[key]], numbers)[0]
        made.append(whole)
    return made
