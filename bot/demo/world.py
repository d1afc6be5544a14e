"""The demo's Discord: one server, two channels, three members. The same ids in every run, so that stories fit."""

from __future__ import annotations

from dataclasses import dataclass

import discord
from simcord import ChannelHandle, GuildHandle, MemberActor, UserHandle
from simcord.backend import Backend
from simcord.env import Env

from bot.demo import avatars
from bot.demo.clock import WallClock

BOT_NAME = "Talewright"
GUILD_NAME = "Talewright demo"
CHANNEL_NAME = "story-circle"
TOPIC = "We write a story together: /continue asks for candidates, the votes decide."
MODERATORS_NAME = "moderators"
MODERATORS_TOPIC = "Reports and flagged texts arrive here. Ben and Chloe don't see this channel."
MEMBERS = ("Ada", "Ben", "Chloe")
"""The first one owns the server and so may do everything; the others are ordinary members."""

SETTLE_S = 10.0
"""How long SimCord waits for the bot after an action before it calls the action unfinished. The worker's answer is
not part of that wait (see `bot.demo.stage`)."""


@dataclass(frozen=True)
class World:
    """The server as the demo built it; `env` is SimCord's handle on it."""

    env: Env
    guild: GuildHandle
    channel: ChannelHandle
    moderators: ChannelHandle
    members: tuple[MemberActor, ...]

    @property
    def channels(self) -> tuple[ChannelHandle, ...]:
        """In the order of the server's list."""
        return self.channel, self.moderators

    def viewers(self, channel: ChannelHandle) -> tuple[MemberActor, ...]:
        """Who sees the channel, the one who is looked at first at the beginning."""
        return self.members if channel.id == self.channel.id else self.members[:1]

    def avatars(self) -> dict[str, tuple[str, bytes]]:
        """The pictures of everyone here, by address."""
        names = dict(zip((member.id for member in self.members), MEMBERS, strict=True))
        return avatars.draw_avatars({self.env.backend.bot_user.id: BOT_NAME, **names})


def build_world(bot: discord.Client, clock: WallClock) -> World:
    """The server around `bot`, which is not connected yet; `clock` begins when all is built.

    The order of these lines decides the ids that the stories in a data folder hang on: it must not change.
    """
    # A failing command is the bot's to report; the demo goes on.
    env = Env(bot, check_errors=False, settle_timeout=SETTLE_S, shard_count=num_shards(bot))
    env.backend = Backend(clock=clock)
    env.backend.bot_user.name = BOT_NAME
    env.backend.bot_user.avatar = avatars.HASH
    users = [env.create_user(name.lower(), global_name=name, avatar=avatars.HASH) for name in MEMBERS]
    guild = env.create_guild(GUILD_NAME, owner=users[0])
    channel = guild.create_text_channel(CHANNEL_NAME, topic=TOPIC)
    members = tuple(guild.add_member(user) for user in users)
    hidden = discord.PermissionOverwrite(view_channel=False)
    seen = discord.PermissionOverwrite(view_channel=True, send_messages=True)
    moderators = guild.create_text_channel(
        MODERATORS_NAME,
        topic=MODERATORS_TOPIC,
        overwrites={guild.default_role: hidden, members[0]: seen, UserHandle(env, env.backend.bot_user): seen},
    )
    clock.begin()
    return World(env, guild, channel, moderators, members)


def num_shards(bot: discord.Client) -> int | None:
    """One for a client that shards itself and has not said how many it wants; SimCord asks for nobody else's."""
    return 1 if isinstance(bot, discord.AutoShardedClient) and bot.shard_count is None else None
