"""Bars: members whom moderators keep from the bot for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Reader, Repository, Transaction
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import Bar


class Bars(Repository):
    """One bar for each member of a server. One whose time is over is none; it is deleted when the next one is laid."""

    async def set_bar(self, bar: Bar) -> Bar | None:
        """Bars the member, in place of an earlier bar, which is returned where it would still hold."""
        async with self._database.transaction() as tx:
            earlier = await _bar_of(tx, bar.guild_id, bar.user_id, bar.barred_at)
            await _forget_old(tx, bar.guild_id, bar.barred_at)
            await tx.execute(
                """INSERT OR REPLACE INTO bars (guild_id, user_id, until, barred_by, barred_at, reason)
                VALUES (?, ?, ?, ?, ?, ?)""",
                *(bar.guild_id, bar.user_id, rows.stamp(bar.until), bar.barred_by, rows.stamp(bar.barred_at)),
                bar.reason,
            )
            entry = AuditEntry(bar.guild_id, None, bar.barred_at, bar.barred_by, Deed.MEMBER_BARRED)
            detail = {"until": bar.until.isoformat(timespec="minutes")}
            await write_entry(tx, replace(entry, subject=_member(bar.user_id), reason=bar.reason, detail=detail))
            return earlier

    async def lift_bar(self, guild_id: int, user_id: int, by: int, reason: str, now: datetime) -> Bar | None:
        """Lifts the member's bar and returns it; None where there was none that still held."""
        async with self._database.transaction() as tx:
            bar = await _bar_of(tx, guild_id, user_id, now)
            if bar is None:
                return None
            await tx.execute("DELETE FROM bars WHERE guild_id = ? AND user_id = ?", guild_id, user_id)
            entry = AuditEntry(guild_id, None, now, by, Deed.BAR_LIFTED, _member(user_id), reason)
            await write_entry(tx, entry)
            return bar

    async def bar_of(self, guild_id: int, user_id: int, now: datetime) -> Bar | None:
        """The bar that holds for the member, None where there is none."""
        return await _bar_of(self._database, guild_id, user_id, now)

    async def bars(self, guild_id: int, now: datetime, *, limit: int, offset: int = 0) -> list[Bar]:
        """The server's bars that hold, those that end first first."""
        found = await self._database.fetch_all(
            "SELECT * FROM bars WHERE guild_id = ? AND until > ? ORDER BY until, user_id LIMIT ? OFFSET ?",
            *(guild_id, rows.stamp(now), limit, offset),
        )
        return [rows.bar_of(row) for row in found]


async def _bar_of(reader: Reader, guild_id: int, user_id: int, now: datetime) -> Bar | None:
    row = await reader.fetch_one(
        "SELECT * FROM bars WHERE guild_id = ? AND user_id = ? AND until > ?", guild_id, user_id, rows.stamp(now)
    )
    return None if row is None else rows.bar_of(row)


async def _forget_old(tx: Transaction, guild_id: int, now: datetime) -> None:
    await tx.execute("DELETE FROM bars WHERE guild_id = ? AND until <= ?", guild_id, rows.stamp(now))


def _member(user_id: int) -> str:
    return f"member {user_id}"
