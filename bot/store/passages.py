"""Passages: the immutable tree of a story, and canon, the path from its root to the story's head."""

from __future__ import annotations

from bot.errors import StoreError
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction
from bot.store.stories import get_story
from bot.story.model import Candidate, Passage, Round

CANON = """
    WITH RECURSIVE path (id, parent_id, height) AS (
        SELECT passages.id, passages.parent_id, 0
        FROM stories JOIN passages ON passages.id = stories.head_id WHERE stories.id = ?
        UNION ALL
        SELECT passages.id, passages.parent_id, path.height + 1
        FROM path JOIN passages ON passages.id = path.parent_id)
    SELECT passages.* FROM path JOIN passages ON passages.id = path.id ORDER BY path.height DESC"""


class Passages(Repository):
    """The schema refuses every change of a passage, except to fill in its token count once."""

    async def canon(self, story_id: int) -> list[Passage]:
        """The story as it stands, from the first passage to the head. Empty for a story without one."""
        return [rows.passage_of(row) for row in await self._database.fetch_all(CANON, story_id)]

    async def passage(self, passage_id: int) -> Passage:
        """Raises StoreError for an unknown id: ids of passages come from the store, never from a member."""
        return await get_passage(self._database, passage_id)

    async def passage_of_round(self, round_id: int) -> Passage | None:
        """The passage that the round added to canon; None where it added none (yet)."""
        return await find_of_round(self._database, round_id)

    async def set_token_count(self, passage_id: int, token_count: int) -> None:
        """Fills in the count; one that is there already stays."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "UPDATE passages SET token_count = ? WHERE id = ? AND token_count IS NULL", token_count, passage_id
            )


async def get_passage(reader: Reader, passage_id: int) -> Passage:
    """Raises StoreError for an unknown id."""
    row = await reader.fetch_one("SELECT * FROM passages WHERE id = ?", passage_id)
    if row is None:
        raise StoreError(f"There is no passage {passage_id}.")
    return rows.passage_of(row)


async def find_of_round(reader: Reader, round_id: int) -> Passage | None:
    """The passage that the round added to canon."""
    row = await reader.fetch_one("SELECT * FROM passages WHERE round_id = ?", round_id)
    return None if row is None else rows.passage_of(row)


async def has_moved(reader: Reader, round_: Round) -> bool:
    """Whether canon's head is another than when the round began."""
    return (await get_story(reader, round_.story_id)).head_id != round_.base_head_id


async def append_winner(tx: Transaction, round_: Round, winner: Candidate) -> Passage:
    """Adds the winner's text after the round's parent and moves the head there, in the round's own transaction."""
    row = await tx.write_one(
        """INSERT INTO passages (story_id, parent_id, text, source, author_user_id, round_id, created_at)
        SELECT ?, ?, ?, ?, ?, id, closed_at FROM rounds WHERE id = ? RETURNING *""",
        *(round_.story_id, round_.parent_id, winner.text, winner.source.value, winner.author_user_id, round_.id),
    )
    await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", row["id"], round_.story_id)
    return rows.passage_of(row)
