"""What is forgotten: everything of a server that the bot was removed from, and what filters found long ago."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from bot.store import Store

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
"""A bot that was removed by mistake finds everything again; one that was meant to go leaves nothing behind."""


HITS_KEPT_FOR = timedelta(days=30)
"""Long enough to judge a rule by, and to ask why a candidate was withheld."""


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
        """Deletes everything of the servers whose time is up, and old notes of filters; returns the servers' ids."""
        await self._store.forget_hits(self._now() - HITS_KEPT_FOR)
        gone = await self._store.departed_before(self._now() - KEPT_FOR)
        for guild_id in gone:
            num_stories = await self._store.purge_guild(guild_id)
            log.info("everything of server %d is deleted: %d stories", guild_id, num_stories)
        return gone
