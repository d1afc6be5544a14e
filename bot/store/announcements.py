"""Which messages told a round's result, so that they can be found by a member's click and edited after a mark."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store import rows
from bot.store.database import Repository
from bot.story.model import Round

TOLD_BY = "SELECT * FROM rounds WHERE id = (SELECT round_id FROM announcements WHERE message_id = ?)"
SHOWN_BY = "SELECT * FROM rounds WHERE message_id = ?"


class Announcements(Repository):
    """The messages of each round's announcement, in their order."""

    async def note_announcement(self, round_id: int, message_ids: Sequence[int]) -> None:
        """These messages tell the result. Announced again (after a crash), the newer ones count."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM announcements WHERE round_id = ?", round_id)
            for number, message_id in enumerate(message_ids):
                await tx.execute("INSERT INTO announcements VALUES (?, ?, ?)", round_id, number, message_id)

    async def announcement(self, round_id: int) -> list[int]:
        """The ids of the messages, in their order; empty for a round whose result was not told."""
        found = await self._database.fetch_all(
            "SELECT message_id FROM announcements WHERE round_id = ? ORDER BY number", round_id
        )
        return [row["message_id"] for row in found]

    async def round_of_message(self, message_id: int) -> tuple[Round, bool] | None:
        """The round that the message shows, and whether it tells its result; None for any other message."""
        for sql in (TOLD_BY, SHOWN_BY):
            row = await self._database.fetch_one(sql, message_id)
            if row is not None:
                return rows.round_of(row), sql is TOLD_BY
        return None
