"""Passages: the immutable tree of a story, and canon, the path from its root to the story's head."""

from __future__ import annotations

from bot.errors import StoreError
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction
from bot.store.stories import get_story
from bot.story.model import Candidate, Passage, Round

# From the head (height 0) to the root.
PATH = """
    WITH RECURSIVE path (id, parent_id, height) AS (
        SELECT passages.id, passages.parent_id, 0
        FROM stories JOIN passages ON passages.id = stories.head_id WHERE stories.id = ?1
        UNION ALL
        SELECT passages.id, passages.parent_id, path.height + 1
        FROM path JOIN passages ON passages.id = path.parent_id)"""
# Canon closes over what was removed.
IN_PATH = " SELECT passage.* FROM path JOIN shown_passages AS passage ON passage.id = path.id "
STANDS = "passage.mark IS NOT 'removed'"
CANON = PATH + IN_PATH + f"WHERE {STANDS} ORDER BY path.height DESC"
IN_CANON = PATH + IN_PATH + f"WHERE {STANDS} AND passage.id = ?2"
IN_CANON_AS = PATH + IN_PATH + f"WHERE {STANDS} AND coalesce(passage.copy_of, passage.id) = ?2"
LAST_IN_CANON = PATH + IN_PATH + f"WHERE {STANDS} ORDER BY path.height LIMIT 1"

NUMBER = """
    WITH RECURSIVE above (id, parent_id) AS (
        SELECT id, parent_id FROM passages WHERE id = ?
        UNION ALL
        SELECT passages.id, passages.parent_id FROM above JOIN passages ON passages.id = above.parent_id)
    SELECT count(*) AS number FROM above JOIN shown_passages AS passage ON passage.id = above.id
    WHERE passage.mark IS NOT 'removed'"""

# Copies get the ids after the new passage ?3, which is the newest of all: the parent of each is the id before its own.
COPY_FOLLOWING = (
    """
    INSERT INTO passages
        (id, story_id, parent_id, text, source, author_user_id, token_count, created_at, copy_of, copied_in)
    """  # noqa: S608 - put together from constants
    + PATH
    + """
    SELECT ?3 + place, story_id, ?3 + place - 1, text, source, author_user_id, token_count, ?5, original, ?4
    FROM (
        SELECT row_number() OVER (ORDER BY path.height DESC) AS place,
            coalesce(passages.copy_of, passages.id) AS original, passages.*
        FROM path JOIN passages ON passages.id = path.id
        WHERE path.height < (SELECT height FROM path WHERE id = ?2))
    ORDER BY place"""
)


class Passages(Repository):
    """The schema refuses every change of a passage, except to fill in its token count once."""

    async def canon(self, story_id: int) -> list[Passage]:
        """The story as it stands, from the first passage to the head. Empty for a story without one."""
        return [rows.passage_of(row) for row in await self._database.fetch_all(CANON, story_id)]

    async def passage(self, passage_id: int) -> Passage:
        """Raises StoreError for an unknown id: ids of passages come from the store, never from a member."""
        return await get_passage(self._database, passage_id)

    async def passage_number(self, passage_id: int) -> int:
        """Which passage of its branch it is, counted from 1, without those that were removed. 0 for an unknown id."""
        row = await self._database.fetch_one(NUMBER, passage_id)
        return 0 if row is None else int(row["number"])

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
    row = await reader.fetch_one("SELECT * FROM shown_passages WHERE id = ?", passage_id)
    if row is None:
        raise StoreError(f"There is no passage {passage_id}.")
    return rows.passage_of(row)


async def find_of_round(reader: Reader, round_id: int) -> Passage | None:
    """The passage that the round added to canon."""
    row = await reader.fetch_one("SELECT * FROM shown_passages WHERE round_id = ?", round_id)
    return None if row is None else rows.passage_of(row)


async def find_in_canon(reader: Reader, story_id: int, passage_id: int) -> Passage | None:
    """The passage where it is part of the story as it stands, None where it is not."""
    row = await reader.fetch_one(IN_CANON, story_id, passage_id)
    return None if row is None else rows.passage_of(row)


async def find_in_canon_as(reader: Reader, story_id: int, original_id: int) -> Passage | None:
    """The passage of canon that is this original, or its copy."""
    row = await reader.fetch_one(IN_CANON_AS, story_id, original_id)
    return None if row is None else rows.passage_of(row)


async def find_last(reader: Reader, story_id: int) -> Passage | None:
    """The last passage of the story as it stands: the head, or what stands before it where the head was removed."""
    row = await reader.fetch_one(LAST_IN_CANON, story_id)
    return None if row is None else rows.passage_of(row)


async def has_moved(reader: Reader, round_: Round) -> bool:
    """Whether canon's head is another than when the round began."""
    return (await get_story(reader, round_.story_id)).head_id != round_.base_head_id


async def append_winner(tx: Transaction, round_: Round, winner: Candidate) -> Passage:
    """Adds the winner's text after the round's parent and moves the head to the end, in the round's own transaction.

    What followed a passage that was rewritten follows the new one, as copies: the old branch stays as it is, and its
    end is the round's `base_head_id`.
    """
    row = await tx.write_one(
        """INSERT INTO passages (story_id, parent_id, text, source, author_user_id, round_id, created_at)
        SELECT rounds.story_id, rounds.parent_id, text, source, author_user_id, rounds.id, closed_at
        FROM rounds JOIN candidates ON candidates.round_id = rounds.id
        WHERE rounds.id = ? AND candidates.id = ? RETURNING id""",
        *(round_.id, winner.id),
    )
    head_id = await _copy_following(tx, round_, row["id"]) if round_.is_in_the_middle else row["id"]
    await tx.execute("UPDATE stories SET head_id = ? WHERE id = ?", head_id, round_.story_id)
    return await get_passage(tx, row["id"])


async def _copy_following(tx: Transaction, round_: Round, new_id: int) -> int:
    """Copies what follows the rewritten passage below the new one, with its authors and counts; returns the last id."""
    closed_at = None if round_.closed_at is None else rows.stamp(round_.closed_at)
    await tx.execute(COPY_FOLLOWING, round_.story_id, round_.passage_id, new_id, round_.id, closed_at)
    row = await tx.write_one("SELECT max(id) AS last FROM passages WHERE copied_in = ?", round_.id)
    return int(row["last"])
