"""Posts the audit log, line by line, in the channel that a server has chosen for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import discord

from bot.discord_app.audit_view import log_line
from bot.discord_app.publisher import Publisher
from bot.discord_app.replies import UNREACHABLE
from bot.discord_app.watch import LONGEST_NAP_S, RETRY_S, Watch
from bot.errors import BotNotAllowed
from bot.service.limits import LimitService
from bot.story.limits import LogChannel

log = logging.getLogger(__name__)

BATCH = 10
"""Lines for one server at a time, so that a long backlog of one does not hold up the others."""
REST = timedelta(minutes=10)
"""Between two attempts in a channel that refuses: Discord counts refused requests, and bans whoever makes too many."""
GONE = "The channel is gone. /moderation log-channel chooses another."


class LogPosts:
    """Each line once and in order: it is posted, and then marked as posted in the database.

    A process that dies in between posts the line again. It does so with the same nonce, for which Discord shows only
    one message where the two come within a few minutes.
    """

    def __init__(
        self, client: discord.Client, limits: LimitService, publisher: Publisher, now: Callable[[], datetime]
    ) -> None:
        self._limits = limits
        self._publisher = publisher
        self._now = now
        self._lock = asyncio.Lock()
        self._resting: dict[LogChannel, datetime] = {}
        self.watch = Watch(client, "audit_log", self.step, now)

    async def step(self) -> float:
        """Posts what waits; returns the seconds until it looks again."""
        async with self._lock:
            self._resting = {channel: until for channel, until in self._resting.items() if until > self._now()}
            results = [await self._post(channel) for channel in await self._limits.waiting_channels()]
        return min(results, default=LONGEST_NAP_S)

    async def try_now(self, guild_id: int) -> LogChannel | None:
        """Posts what waits in one server, also in a channel that rests; returns its log channel as it is then."""
        async with self._lock:
            channel = await self._limits.log_channel(guild_id)
            if channel is not None:
                self._resting.pop(self._key(channel), None)
                await self._post(channel)
            return await self._limits.log_channel(guild_id)

    async def _post(self, channel: LogChannel) -> float:
        """Posts a batch, and says in how many seconds the next is due."""
        if self._key(channel) in self._resting:
            return LONGEST_NAP_S
        entries = await self._limits.waiting_entries(channel.guild_id, BATCH)
        try:
            for entry in entries:
                nonce = f"tw-log-{entry.id}"
                await self._publisher.say(channel.guild_id, channel.channel_id, log_line(entry), nonce)
                await self._limits.mark_posted(channel, entry)
        except BotNotAllowed as error:
            await self._rest(channel, str(error))
            return LONGEST_NAP_S
        except discord.NotFound:
            await self._rest(channel, GONE)
            return LONGEST_NAP_S
        except discord.HTTPException as error:
            await self._rest(channel, f"Discord did not take it ({error.status}).")
            return LONGEST_NAP_S
        except UNREACHABLE as error:  # the network
            log.warning("the audit log of server %d could not be posted: %s", channel.guild_id, error)
            return RETRY_S
        return 0.0 if len(entries) == BATCH else LONGEST_NAP_S

    async def _rest(self, channel: LogChannel, failure: str) -> None:
        log.warning("the audit log of server %d can't be posted: %s", channel.guild_id, failure)
        self._resting[self._key(channel)] = self._now() + REST
        await self._limits.note_log_failure(channel, failure)

    @staticmethod
    def _key(channel: LogChannel) -> LogChannel:
        """The channel without what failed there last."""
        return LogChannel(channel.guild_id, channel.channel_id)
