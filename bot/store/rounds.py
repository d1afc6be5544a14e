"""Rounds: begun, looked up, and shown. Their ballots open in `texts`, and they end in `endings`."""

from __future__ import annotations

from datetime import datetime

from bot.errors import BadInput, NoRound
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction
from bot.store.passages import find_in_canon, find_last
from bot.store.quotas import count_text, require_round_quota, require_text_quota
from bot.store.stops import require_going
from bot.store.stories import get_running, require_no_round
from bot.story.limits import Admission
from bot.story.model import Passage, Round, RoundKind, RoundSettings, Story, Style

UNFINISHED = "SELECT * FROM rounds WHERE state IN ('generating', 'open')"

# The unfinished round counts as well: who votes now belongs to those whose votes may still change.
PARTICIPANTS = """
    WITH recent (id) AS (
        SELECT id FROM rounds WHERE story_id = ?1 AND state IN ('generating', 'open')
        UNION ALL
        SELECT id FROM (SELECT id FROM rounds WHERE story_id = ?1 AND closed_at IS NOT NULL
                        ORDER BY id DESC LIMIT ?2))
    SELECT opened_by AS user_id FROM rounds WHERE id IN recent
    UNION SELECT user_id FROM ballots WHERE round_id IN recent
    UNION SELECT user_id FROM held_texts WHERE round_id IN recent
    UNION SELECT author_user_id FROM candidates WHERE source = 'member' AND round_id IN recent"""


class Rounds(Repository):
    """The schema allows one unfinished round per story, only the moves of `RoundState`, and no change of a result."""

    async def begin_round(
        self,
        story_id: int,
        kind: RoundKind,
        settings: RoundSettings,
        *,
        hint: str | None,
        passage_id: int | None = None,
        style: Style = Style.FRESH,
        opened_by: int,
        guild_id: int,
        channel_id: int,
        seed: int,
        reroll: int = 0,
        interaction_id: int | None = None,
        admission: Admission | None = None,
        now: datetime,
    ) -> Round:
        """Begins a round in `generating` on the current head. `passage_id` is what a rewrite replaces, None the head.

        The same interaction again returns the round that it began, in whatever state that is. `seed` is below 2**63.
        `admission` has the limits it must keep, None where nobody asked for it. Raises NoStory (unknown, or ended),
        Stopped, RoundRunning, OverQuota, BadInput (a rewrite without a passage, or of one that is not canon; carries
        the hint).
        """
        async with self._database.transaction() as tx:
            earlier = await _begun_by(tx, interaction_id)
            if earlier is not None:
                return earlier
            story = await get_running(tx, story_id)
            parent_channel_id = None if admission is None else admission.parent_channel_id
            await require_going(tx, guild_id, channel_id, parent_channel_id)
            await require_no_round(tx, story_id)
            if admission is not None:
                await _require_quotas(tx, admission, guild_id, channel_id, opened_by, now)
            replaced = await _replaced(tx, story, passage_id, hint) if kind is RoundKind.REWRITE else None
            parent_id = story.head_id if replaced is None else replaced.parent_id
            row = await tx.write_one(
                """INSERT INTO rounds (story_id, kind, settings, hint, opened_by, guild_id, channel_id, parent_id,
                    base_head_id, seed, reroll, interaction_id, opened_at, passage_id, style)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *""",
                *(story_id, kind.value, rows.settings_text(settings), hint, opened_by, guild_id, channel_id),
                *(parent_id, story.head_id, seed, reroll, interaction_id, rows.stamp(now)),
                *(None if replaced is None else replaced.id, style.value),
            )
            if admission is not None and admission.with_text:
                await count_text(tx, 0, guild_id, row["id"], opened_by, now)
            return rows.round_of(row)

    async def round(self, round_id: int) -> Round:
        """The round in any state. Raises NoRound for an unknown id."""
        return await get_round(self._database, round_id)

    async def unfinished_round(self, story_id: int) -> Round | None:
        """The story's generating or open round."""
        row = await self._database.fetch_one(f"{UNFINISHED} AND story_id = ?", story_id)
        return None if row is None else rows.round_of(row)

    async def unfinished_rounds(self) -> list[Round]:
        """All generating and open rounds, the oldest first: what a restart takes up again."""
        return await self._rounds(f"{UNFINISHED} ORDER BY id")

    async def unannounced_rounds(self) -> list[Round]:
        """Closed, cancelled and failed rounds whose end nobody has drawn yet, the oldest first: for a restart."""
        return await self._rounds(
            "SELECT * FROM rounds WHERE closed_at IS NOT NULL AND announced_at IS NULL ORDER BY id"
        )

    async def due_rounds(self, now: datetime) -> list[Round]:
        """Open rounds whose deadline is at or before `now`, the earliest first."""
        return await self._rounds(
            "SELECT * FROM rounds WHERE state = 'open' AND deadline_at <= ? ORDER BY deadline_at, id", rows.stamp(now)
        )

    async def next_deadline(self) -> datetime | None:
        """The earliest deadline of all open rounds, also one that has passed. None when none is open."""
        row = await self._database.fetch_one("SELECT min(deadline_at) AS deadline FROM rounds WHERE state = 'open'")
        return None if row is None else rows.time_or_none(row["deadline"])

    async def set_message(self, round_id: int, message_id: int) -> None:
        """Notes which message shows the round, in any state. Raises NoRound."""
        async with self._database.transaction() as tx:
            await get_round(tx, round_id)
            await tx.execute("UPDATE rounds SET message_id = ? WHERE id = ?", message_id, round_id)

    async def mark_announced(self, round_id: int, now: datetime) -> None:
        """Notes that the round's end has been drawn. Twice changes nothing; so does a round that has not ended."""
        async with self._database.transaction() as tx:
            await tx.execute(
                """UPDATE rounds SET announced_at = ?
                WHERE id = ? AND closed_at IS NOT NULL AND announced_at IS NULL""",
                *(rows.stamp(now), round_id),
            )

    async def participants(self, story_id: int, last_rounds: int = 5) -> set[int]:
        """Who opened, voted in or wrote for the story's last finished rounds, or its unfinished one."""
        return {row["user_id"] for row in await self._database.fetch_all(PARTICIPANTS, story_id, last_rounds)}

    async def _rounds(self, sql: str, *params: str | int) -> list[Round]:
        return [rows.round_of(row) for row in await self._database.fetch_all(sql, *params)]


async def get_round(reader: Reader, round_id: int) -> Round:
    """Raises NoRound for an unknown id."""
    row = await reader.fetch_one("SELECT * FROM rounds WHERE id = ?", round_id)
    if row is None:
        raise NoRound("There is no such round (any more).")
    return rows.round_of(row)


async def count_interaction(tx: Transaction, round_id: int, interaction_id: int | None) -> bool:
    """Counts an interaction; False where it was counted before, so that one delivered twice changes nothing.

    None is always new: what did not come from an interaction can't be delivered twice.
    """
    if interaction_id is None:
        return True
    row = await tx.fetch_one(
        "INSERT INTO counted_interactions VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1", interaction_id, round_id
    )
    return row is not None


async def _begun_by(tx: Transaction, interaction_id: int | None) -> Round | None:
    if interaction_id is None:
        return None
    row = await tx.fetch_one("SELECT * FROM rounds WHERE interaction_id = ?", interaction_id)
    return None if row is None else rows.round_of(row)


async def _require_quotas(
    tx: Transaction, admission: Admission, guild_id: int, channel_id: int, user_id: int, now: datetime
) -> None:
    await require_round_quota(tx, admission, guild_id, channel_id, user_id, now)
    if admission.with_text:
        await require_text_quota(tx, admission.quotas.member_texts_per_hour, guild_id, user_id, now)


async def _replaced(tx: Transaction, story: Story, passage_id: int | None, hint: str | None) -> Passage:
    """The passage of canon that a rewrite would replace: a winner stands beside it, after its parent."""
    last = await find_last(tx, story.id)
    if last is None:
        raise BadInput("There is no passage to rewrite yet. Ask for the first one with /continue.", hint)
    if passage_id is None:
        return last
    passage = await find_in_canon(tx, story.id, passage_id)
    if passage is None:
        raise BadInput("That passage is not part of the story any more. Choose another one.", hint)
    return passage
