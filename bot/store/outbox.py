"""Where a server reads its audit log, and which lines are still to be posted there."""

from __future__ import annotations

from datetime import datetime

from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Repository
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import LogChannel


class Outbox(Repository):
    """A mark moves through each server's lines: what is behind it was posted. So nothing is forgotten by a restart."""

    async def set_log_channel(self, guild_id: int, channel_id: int | None, user_id: int, now: datetime) -> None:
        """Posts the server's lines from now on in this channel, or nowhere (None). That change is the first of them."""
        async with self._database.transaction() as tx:
            subject = "off" if channel_id is None else f"channel {channel_id}"
            row = await tx.write_one("SELECT coalesce(max(id), 0) AS last FROM audit_log WHERE guild_id = ?", guild_id)
            await write_entry(tx, AuditEntry(guild_id, channel_id, now, user_id, Deed.LOG_CHANGED, subject))
            await tx.execute("DELETE FROM log_channels WHERE guild_id = ?", guild_id)
            if channel_id is not None:
                await tx.execute(
                    "INSERT INTO log_channels (guild_id, channel_id, posted_through) VALUES (?, ?, ?)",
                    *(guild_id, channel_id, row["last"]),
                )

    async def log_channel(self, guild_id: int) -> LogChannel | None:
        """The server's log channel, None where it has none."""
        row = await self._database.fetch_one("SELECT * FROM log_channels WHERE guild_id = ?", guild_id)
        return None if row is None else rows.log_channel_of(row)

    async def waiting_channels(self) -> list[LogChannel]:
        """The log channels that something is to be posted in."""
        found = await self._database.fetch_all(
            """SELECT * FROM log_channels WHERE EXISTS (
                SELECT 1 FROM audit_log WHERE guild_id = log_channels.guild_id AND id > posted_through)
            ORDER BY guild_id"""
        )
        return [rows.log_channel_of(row) for row in found]

    async def waiting_entries(self, guild_id: int, limit: int) -> list[AuditEntry]:
        """The server's lines that were not posted yet, in the order they were written."""
        found = await self._database.fetch_all(
            """SELECT audit_log.* FROM audit_log JOIN log_channels USING (guild_id)
            WHERE guild_id = ? AND id > posted_through ORDER BY id LIMIT ?""",
            *(guild_id, limit),
        )
        return [rows.audit_entry_of(row) for row in found]

    async def mark_posted(self, guild_id: int, channel_id: int, entry_id: int) -> None:
        """The line and all before it stand in the channel. Nothing changes where the log moved elsewhere meanwhile."""
        async with self._database.transaction() as tx:
            await tx.execute(
                """UPDATE log_channels SET posted_through = ?, failure = NULL
                WHERE guild_id = ? AND channel_id = ? AND posted_through < ?""",
                *(entry_id, guild_id, channel_id, entry_id),
            )

    async def note_log_failure(self, guild_id: int, channel_id: int, failure: str) -> None:
        """The lines can't be posted, for the reason that moderators are told. They stay where they are."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE log_channels SET failure = ? WHERE guild_id = ? AND channel_id = ?",
                *(failure, guild_id, channel_id),
            )
