"""Stops: servers and channels in which a moderator stopped the bot, until somebody lets it go on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.errors import Stopped
from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Reader, Repository
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import STOPPED_ROUND, Stop
from bot.story.model import Round


class Stops(Repository):
    """The schema lets no round begin in a place that is stopped."""

    async def set_stop(self, stop: Stop, threads: Collection[int] = ()) -> list[Round] | None:
        """Stops the place and cancels its unfinished rounds, which are returned; None where it is stopped already.

        All of it is one transaction: a round that was begun before is cancelled, one after it is refused. `threads` are
        the channels that belong to the one that is stopped.
        """
        async with self._database.transaction() as tx:
            is_new = await tx.fetch_one(
                """INSERT INTO stops (guild_id, channel_id, stopped_by, stopped_at, reason) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING RETURNING 1""",
                *(stop.guild_id, stop.channel_id, stop.stopped_by, rows.stamp(stop.stopped_at), stop.reason),
            )
            if is_new is None:
                return None
            channels = () if stop.channel_id is None else (stop.channel_id, *threads)
            marks = ", ".join("?" * len(channels))
            cancelled = await tx.fetch_all(
                f"""UPDATE rounds SET state = 'cancelled', failure = ?, closed_by = ?, closed_at = ?
                WHERE guild_id = ? AND state IN ('generating', 'open') AND (? OR channel_id IN ({marks}))
                RETURNING *""",  # noqa: S608 - question marks only
                *(STOPPED_ROUND, stop.stopped_by, rows.stamp(stop.stopped_at)),
                *(stop.guild_id, not channels, *channels),
            )
            entry = AuditEntry(stop.guild_id, stop.channel_id, stop.stopped_at, stop.stopped_by, Deed.STOPPED)
            detail = {"rounds cancelled": len(cancelled)}
            await write_entry(tx, replace(entry, subject=_place(stop.channel_id), reason=stop.reason, detail=detail))
            return [rows.round_of(row) for row in cancelled]

    async def lift_stop(self, guild_id: int, channel_id: int | None, by: int, now: datetime) -> Stop | None:
        """Lets the bot go on in the place; returns the stop, None where there was none of exactly this place."""
        async with self._database.transaction() as tx:
            row = await tx.fetch_one(
                "DELETE FROM stops WHERE guild_id = ? AND channel_id IS ? RETURNING *", guild_id, channel_id
            )
            if row is None:
                return None
            await write_entry(tx, AuditEntry(guild_id, channel_id, now, by, Deed.RESUMED, _place(channel_id)))
            return rows.stop_of(row)

    async def stop_over(self, guild_id: int, *channel_ids: int | None) -> Stop | None:
        """The stop that holds in a channel (given with its parent, where it is a thread): the server's first."""
        return await get_stop(self._database, guild_id, *channel_ids)


async def get_stop(reader: Reader, guild_id: int, *channel_ids: int | None) -> Stop | None:
    """See `Stops.stop_over`."""
    marks = ", ".join("?" * len(channel_ids))
    row = await reader.fetch_one(
        f"""SELECT * FROM stops WHERE guild_id = ? AND (channel_id IS NULL OR channel_id IN ({marks}))
        ORDER BY channel_id LIMIT 1""",  # noqa: S608 - question marks only; NULL comes first
        *(guild_id, *channel_ids),
    )
    return None if row is None else rows.stop_of(row)


async def require_going(reader: Reader, guild_id: int, *channel_ids: int | None) -> None:
    """Raises Stopped where a moderator stopped the bot in the channel, its parent, or the server."""
    stop = await get_stop(reader, guild_id, *channel_ids)
    if stop is not None:
        raise Stopped(is_server=stop.channel_id is None, reason=stop.reason)


def _place(channel_id: int | None) -> str:
    return "the whole server" if channel_id is None else f"channel {channel_id}"
