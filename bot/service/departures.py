"""What happens to a server's stories when the bot is removed from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from bot.store import Store

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
"""A bot that was removed by mistake finds everything again; one that was meant to go leaves nothing behind."""


class DepartureService:
    """Notes when the bot leaves a server, and deletes everything of that server `KEPT_FOR` later."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def leave(self, guild_id: int) -> None:
        """The bot is no longer in the server. Its time runs from the first call."""
        await self._store.note_departure(guild_id, self._now())

    async def be_in(self, guild_ids: Collection[int]) -> None:
        """The bot is in exactly these servers: others that it knows were left while it was away."""
        await self._store.compare_guilds(guild_ids, self._now())

    async def join(self, guild_id: int) -> None:
        """The bot is in the server (again), so nothing of it is deleted."""
        await self._store.forget_departure(guild_id)

    async def purge_due(self) -> list[int]:
        """Deletes everything of the servers whose time is up; returns their ids."""
        gone = await self._store.departed_before(self._now() - KEPT_FOR)
        for guild_id in gone:
            num_stories = await self._store.purge_guild(guild_id)
            log.info("everything of server %d is deleted: %d stories", guild_id, num_stories)
        return gone
