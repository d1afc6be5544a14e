"""What the filters found: hits without their writers, texts of the model that were withheld, and texts to try rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.store import rows
from bot.store.database import Repository, Transaction
from bot.store.values import FilterHit, HitFigure, PastText, WithheldText

FIGURES = """
    SELECT rule, rule_id, action, is_shadow, max(at) AS last_at, sum(text_kind <> 'candidate') AS num_typed,
        sum(text_kind = 'candidate') AS num_candidates
    FROM filter_hits WHERE guild_id = ? AND at >= ?
    GROUP BY rule, rule_id, action, is_shadow ORDER BY count(*) DESC, rule LIMIT ?"""
PAST = """
    SELECT c.id, r.channel_id, c.text, r.winner_id IS c.id AS is_canon
    FROM candidates c JOIN rounds r ON r.id = c.round_id
    WHERE r.guild_id = ?1 AND (?2 IS NULL OR r.channel_id = ?2) AND c.id < ?3 AND c.source <> 'incumbent'
    ORDER BY c.id DESC LIMIT ?4"""


class FilterHits(Repository):
    """What is kept here is forgotten after a while: see `forget_hits`."""

    async def add_hits(self, hits: Sequence[FilterHit]) -> None:
        """Notes what rules found."""
        async with self._database.transaction() as tx:
            for hit in hits:
                await tx.execute(
                    """INSERT INTO filter_hits
                        (guild_id, channel_id, at, text_kind, rule, rule_id, category, action, is_shadow)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    *(hit.guild_id, hit.channel_id, rows.stamp(hit.at), hit.text_kind, hit.rule, hit.rule_id),
                    *(hit.category, hit.action, int(hit.is_shadow)),
                )

    async def hit_figures(self, guild_id: int, since: datetime, limit: int = 100) -> list[HitFigure]:
        """How often each rule hit in the server since then, the most frequent first."""
        found = await self._database.fetch_all(FIGURES, guild_id, rows.stamp(since), limit)
        return [rows.hit_figure_of(row) for row in found]

    async def keep_withheld(self, texts: Sequence[WithheldText]) -> None:
        """Keeps texts of the model's that no ballot shows."""
        async with self._database.transaction() as tx:
            for text in texts:
                await _insert_withheld(tx, text)

    async def withheld_texts(self, guild_id: int, round_id: int) -> list[WithheldText]:
        """The texts that were withheld from a round of the server, in the order they came."""
        found = await self._database.fetch_all(
            """SELECT w.* FROM withheld_texts w JOIN rounds r ON r.id = w.round_id
            WHERE r.guild_id = ? AND w.round_id = ? ORDER BY w.id""",
            *(guild_id, round_id),
        )
        return [rows.withheld_text_of(row) for row in found]

    async def last_withholding_round(self, guild_id: int, channel_id: int) -> int | None:
        """The channel's last round of which a withheld text is still kept."""
        row = await self._database.fetch_one(
            """SELECT max(round_id) AS round_id FROM withheld_texts w JOIN rounds r ON r.id = w.round_id
            WHERE r.guild_id = ? AND r.channel_id = ?""",
            *(guild_id, channel_id),
        )
        return None if row is None else row["round_id"]

    async def forget_hits(self, before: datetime) -> None:
        """Deletes hits and withheld texts from before that time."""
        async with self._database.transaction() as tx:
            await tx.execute("DELETE FROM filter_hits WHERE at < ?", rows.stamp(before))
            await tx.execute("DELETE FROM withheld_texts WHERE at < ?", rows.stamp(before))

    async def past_texts(self, guild_id: int, channel_id: int | None, before_id: int, limit: int) -> list[PastText]:
        """Texts that stood on ballots of the server (or of one channel), the newest first: those before `before_id`."""
        found = await self._database.fetch_all(PAST, guild_id, channel_id, before_id, limit)
        return [rows.past_text_of(row) for row in found]


async def _insert_withheld(tx: Transaction, text: WithheldText) -> None:
    await tx.execute(
        """INSERT INTO withheld_texts (round_id, at, text, rule, category, start, "end")
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        *(text.round_id, rows.stamp(text.at), text.text, text.rule, text.category, text.start, text.end),
    )
