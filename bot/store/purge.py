"""Forgetting a server that the bot has left."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.store import rows
from bot.store.database import Repository

OF_CASE = ("case_voices", "case_acts")
OF_ROUND = (
    "announcements",
    "undrawn_rounds",
    "withdrawals",
    "ballot_choices",
    "ballots",
    "counted_interactions",
    "unconfirmed_clicks",
    "held_texts",
    "written_texts",
    "candidates",
    "withheld_texts",
)
OF_GUILD = (
    "marks",
    "cases",
    "rounds",
    "stories",
    "setting_values",
    "setting_changes",
    "audit_log",
    "log_channels",
    "bars",
    "stops",
    "departures",
    "filter_levels",
    "filter_rule_versions",
    "filter_rules",
    "filter_reasons",
    "filter_revisions",
    "filter_hits",
)

KNOWN = " UNION ".join(
    f"SELECT guild_id FROM {table}"  # noqa: S608 - names from here
    for table in (
        "stories",
        "setting_values",
        "audit_log",
        "log_channels",
        "bars",
        "stops",
        "cases",
        "filter_revisions",
    )
)
NOTE = "INSERT INTO departures VALUES (?, ?) ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM departures WHERE guild_id = ?"


class Purge(Repository):
    """The only thing that deletes what the schema otherwise keeps for ever, and the notes on when that is due."""

    async def note_departure(self, guild_id: int, now: datetime) -> None:
        """The bot left the server; the first note counts."""
        async with self._database.transaction() as tx:
            await tx.execute(NOTE, guild_id, rows.stamp(now))

    async def forget_departure(self, guild_id: int) -> None:
        """The bot is in the server after all."""
        async with self._database.transaction() as tx:
            await tx.execute(FORGET, guild_id)

    async def compare_guilds(self, present: Collection[int], now: datetime) -> None:
        """Notes a departure from every server that has something here and is not `present`; the others are back."""
        async with self._database.transaction() as tx:
            known = await tx.fetch_all(KNOWN)
            noted = await tx.fetch_all("SELECT guild_id FROM departures")
            for row in noted:
                if row["guild_id"] in present:
                    await tx.execute(FORGET, row["guild_id"])
            for row in known:
                if row["guild_id"] not in present:
                    await tx.execute(NOTE, row["guild_id"], rows.stamp(now))

    async def departed_before(self, at: datetime) -> list[int]:
        """The servers that were left at `at` or before, the earliest first."""
        found = await self._database.fetch_all(
            "SELECT guild_id FROM departures WHERE left_at <= ? ORDER BY left_at", rows.stamp(at)
        )
        return [row["guild_id"] for row in found]

    async def purge_guild(self, guild_id: int) -> int:
        """Deletes everything of a server, also from the file's free pages. Returns how many stories there were."""
        async with self._database.transaction() as tx:
            # Stories, rounds and passages point at each other in circles: checked when all of them are gone.
            await tx.execute("PRAGMA defer_foreign_keys = ON")
            await tx.execute("INSERT INTO purges (guild_id) VALUES (?)", guild_id)
            stories = await tx.fetch_all("SELECT id FROM stories WHERE guild_id = ?", guild_id)
            for table in OF_CASE:
                await tx.execute(
                    f"DELETE FROM {table} WHERE case_id IN (SELECT id FROM cases WHERE guild_id = ?)",  # noqa: S608
                    guild_id,
                )
            for table in OF_ROUND:
                await tx.execute(
                    f"DELETE FROM {table} WHERE round_id IN (SELECT id FROM rounds WHERE guild_id = ?)",  # noqa: S608
                    guild_id,
                )
            await tx.execute(
                "DELETE FROM passages WHERE story_id IN (SELECT id FROM stories WHERE guild_id = ?)", guild_id
            )
            for table in OF_GUILD:
                await tx.execute(f"DELETE FROM {table} WHERE guild_id = ?", guild_id)  # noqa: S608 - names from above
            await tx.execute("DELETE FROM purges WHERE guild_id = ?", guild_id)
        await self._database.flush()
        return len(stories)
