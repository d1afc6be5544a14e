"""The stories of a server as a community export, with a mark of consent on every part.

The format is named and numbered in its head; `talewright data prepare` reads it. What members type (their passages,
titles, premises and styles) is always marked as not free.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.errors import StoreError
from bot.export.consent import is_free
from bot.store.archive import Archive
from bot.story.model import Passage, Story
from bot.story.settings import allows_training

FORMAT, VERSION = "talewright-community-export", 1


@dataclass
class StoryCounts:
    """What was written so far."""

    stories: int = 0
    passages: int = 0
    free: int = 0


@dataclass(frozen=True)
class Learning:
    """Whether the server lets models learn, and if not, why, in a clause for the host."""

    is_allowed: bool
    reason: str = ""


def learning_of(archive: Archive, guild_id: int) -> Learning:
    """As it is now: whatever was allowed before does not count. Raises StoreError for a server without anything."""
    if not archive.knows_guild(guild_id):
        raise StoreError(f"There is nothing of a server {guild_id} in the database.")
    if archive.has_left(guild_id):
        return Learning(False, "the bot is no longer in this server")
    if not allows_training(archive.guild_settings(guild_id)):
        return Learning(False, "the server's setting “training” is off")
    return Learning(True)


def export_head(guild_id: int) -> dict[str, Any]:
    """What stands before the stories."""
    return {"format": FORMAT, "version": VERSION, "community": f"Discord server {guild_id}"}


def story_records(archive: Archive, guild_id: int, learning: Learning, counts: StoryCounts) -> Iterator[dict[str, Any]]:
    """Every story of the server, the oldest first: canon only, one story in memory at a time."""
    for story in archive.stories(guild_id):
        passages = [_passage_record(archive, passage, learning) for passage in archive.canon(story.id)]
        counts.stories += 1
        counts.passages += len(passages)
        counts.free += sum(record["training"] for record in passages)
        yield _story_record(story, passages)


def _passage_record(archive: Archive, passage: Passage, learning: Learning) -> dict[str, Any]:
    is_marked = learning.is_allowed and is_free(archive, passage)
    return {"text": passage.text, "author": passage.source.value, "training": is_marked}


def _story_record(story: Story, passages: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(story.id),
        "title": story.title,
        "title_training": False,
        "premise": story.premise or None,
        "premise_training": False,
        "tags": [story.style] if story.style else [],
        "tags_training": False,
        "passages": passages,
    }
