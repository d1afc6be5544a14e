"""Settings of servers and channels, with a log of who changed what; and notes of the program for itself."""

from __future__ import annotations

from datetime import datetime

from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Repository
from bot.store.values import SettingChange
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import LIMITS


class Settings(Repository):
    """Values are text as members set it; what they mean is `story.settings`' business."""

    async def get_settings(self, guild_id: int, channel_id: int) -> tuple[dict[str, str], dict[str, str]]:
        """The server's values and the channel's own, each by name; only what was set."""
        found = await self._database.fetch_all(
            "SELECT * FROM setting_values WHERE guild_id = ? AND (channel_id IS NULL OR channel_id = ?)",
            *(guild_id, channel_id),
        )
        guild = {row["name"]: row["value"] for row in found if row["channel_id"] is None}
        channel = {row["name"]: row["value"] for row in found if row["channel_id"] is not None}
        return guild, channel

    async def set_setting(
        self, guild_id: int, channel_id: int | None, name: str, value: str | None, user_id: int, now: datetime
    ) -> None:
        """Sets a channel's value, or the whole server's where `channel_id` is None; value None removes it.

        Every change is logged, here and in the audit log; setting what is set already changes nothing and is not.
        """
        async with self._database.transaction() as tx:
            place = (guild_id, channel_id, name)
            row = await tx.fetch_one(
                "SELECT value FROM setting_values WHERE guild_id = ? AND channel_id IS ? AND name = ?", *place
            )
            old_value = None if row is None else row["value"]
            if old_value == value:
                return
            await tx.execute("DELETE FROM setting_values WHERE guild_id = ? AND channel_id IS ? AND name = ?", *place)
            if value is not None:
                await tx.execute(
                    "INSERT INTO setting_values (guild_id, channel_id, name, value) VALUES (?, ?, ?, ?)", *place, value
                )
            await tx.execute(
                """INSERT INTO setting_changes
                    (guild_id, channel_id, name, old_value, new_value, changed_by, changed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)""",
                *(*place, old_value, value, user_id, rows.stamp(now)),
            )
            deed = Deed.LIMIT_CHANGED if name in LIMITS else Deed.SETTING_CHANGED
            detail = {"before": old_value, "now": value}
            await write_entry(tx, AuditEntry(guild_id, channel_id, now, user_id, deed, name, detail=detail))

    async def setting_changes(self, guild_id: int, limit: int = 20) -> list[SettingChange]:
        """The server's last changes of settings, the newest first."""
        found = await self._database.fetch_all(
            "SELECT * FROM setting_changes WHERE guild_id = ? ORDER BY id DESC LIMIT ?", guild_id, limit
        )
        return [rows.setting_change_of(row) for row in found]

    async def get_meta(self, key: str) -> str | None:
        """What the program noted for itself under this key."""
        row = await self._database.fetch_one("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row["value"])

    async def set_meta(self, key: str, value: str) -> None:
        """Notes a value for the program itself, in place of an earlier one."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                *(key, value),
            )
