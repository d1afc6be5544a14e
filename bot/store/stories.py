"""Stories: one running per channel, any number that ended."""

from __future__ import annotations

from datetime import datetime

from bot.errors import NoStory, RoundRunning, StoryRunning
from bot.store import rows
from bot.store.database import Reader, Repository
from bot.store.stops import require_going
from bot.store.values import StoryLine
from bot.story.model import Story

# Canon's length is counted along the tree, because rewrites leave passages beside canon.
LINES_OF_GUILD = """
    WITH RECURSIVE
    page AS (SELECT * FROM stories WHERE guild_id = ? ORDER BY id DESC LIMIT ? OFFSET ?),
    path (story_id, passage_id) AS (
        SELECT id, head_id FROM page WHERE head_id IS NOT NULL
        UNION ALL
        SELECT passages.story_id, passages.parent_id
        FROM path JOIN passages ON passages.id = path.passage_id WHERE passages.parent_id IS NOT NULL)
    SELECT page.*, (
        SELECT count(*) FROM path JOIN shown_passages AS passage ON passage.id = path.passage_id
        WHERE path.story_id = page.id AND passage.mark IS NOT 'removed') AS num_passages
    FROM page ORDER BY page.id DESC"""


class Stories(Repository):
    """The schema allows one running story per channel, and no end of a story while a round is unfinished."""

    async def start_story(
        self,
        guild_id: int,
        channel_id: int,
        title: str,
        premise: str,
        user_id: int,
        now: datetime,
        *,
        style: str = "",
    ) -> Story:
        """Begins the channel's story, without a passage. Raises Stopped, StoryRunning."""
        async with self._database.transaction() as tx:
            await require_going(tx, guild_id, channel_id)
            running = await find_running(tx, channel_id)
            if running is not None:
                raise StoryRunning(running.title)
            row = await tx.write_one(
                """INSERT INTO stories (guild_id, channel_id, title, premise, started_by, started_at, style)
                VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *""",
                *(guild_id, channel_id, title, premise, user_id, rows.stamp(now), style),
            )
            return rows.story_of(row)

    async def running_story(self, channel_id: int) -> Story | None:
        """The channel's running story, None where there is none."""
        return await find_running(self._database, channel_id)

    async def story(self, story_id: int) -> Story:
        """Raises NoStory for an unknown id."""
        return await get_story(self._database, story_id)

    async def stories_of_guild(self, guild_id: int, limit: int, offset: int = 0) -> list[StoryLine]:
        """A page of the server's stories, the newest first, running or not."""
        found = await self._database.fetch_all(LINES_OF_GUILD, guild_id, limit, offset)
        return [StoryLine(rows.story_of(row), row["num_passages"]) for row in found]

    async def end_story(self, story_id: int, user_id: int, now: datetime) -> Story:
        """Ends a running story; everything of it stays. Raises NoStory (unknown, or ended already), RoundRunning."""
        async with self._database.transaction() as tx:
            await get_running(tx, story_id)
            await require_no_round(tx, story_id)
            row = await tx.write_one(
                "UPDATE stories SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL RETURNING *",
                *(rows.stamp(now), user_id, story_id),
            )
            return rows.story_of(row)


async def find_running(reader: Reader, channel_id: int) -> Story | None:
    """The channel's running story."""
    row = await reader.fetch_one("SELECT * FROM stories WHERE channel_id = ? AND ended_at IS NULL", channel_id)
    return None if row is None else rows.story_of(row)


async def get_story(reader: Reader, story_id: int) -> Story:
    """Raises NoStory for an unknown id."""
    row = await reader.fetch_one("SELECT * FROM stories WHERE id = ?", story_id)
    if row is None:
        raise NoStory("There is no such story.")
    return rows.story_of(row)


async def get_running(reader: Reader, story_id: int) -> Story:
    """Raises NoStory for an unknown id, or where the story has ended."""
    story = await get_story(reader, story_id)
    if not story.is_running:
        raise NoStory(f"“{story.title}” has ended. Begin another story with /story start.")
    return story


async def require_no_round(reader: Reader, story_id: int) -> None:
    """Raises RoundRunning, with where its ballot is, while a round of the story is unfinished."""
    row = await reader.fetch_one(
        "SELECT channel_id, message_id FROM rounds WHERE story_id = ? AND state IN ('generating', 'open')", story_id
    )
    if row is not None:
        raise RoundRunning(row["channel_id"], row["message_id"])
