"""Forgetting a server that the bot has left."""

from __future__ import annotations

from bot.store.database import Repository

OF_ROUND = ("ballot_choices", "ballots", "counted_interactions", "unconfirmed_clicks", "held_texts", "candidates")
OF_GUILD = ("rounds", "stories", "setting_values", "setting_changes")


class Purge(Repository):
    """The only thing that deletes what the schema otherwise keeps for ever."""

    async def purge_guild(self, guild_id: int) -> int:
        """Deletes everything of a server, also from the file's free pages. Returns how many stories there were."""
        async with self._database.transaction() as tx:
            # Stories, rounds and passages point at each other in circles: checked when all of them are gone.
            await tx.execute("PRAGMA defer_foreign_keys = ON")
            await tx.execute("INSERT INTO purges (guild_id) VALUES (?)", guild_id)
            stories = await tx.fetch_all("SELECT id FROM stories WHERE guild_id = ?", guild_id)
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
