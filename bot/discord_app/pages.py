"""The buttons that turn pages: every click reads the database again, so old messages stay useful."""

from __future__ import annotations

import asyncio

import discord

from bot.discord_app import reading, replies
from bot.discord_app.permissions import place_of
from bot.errors import NoRound, NoStory
from bot.service.build import Services
from bot.service.views import StoryView
from bot.story.model import Candidate

OTHER_STORY = "That story has ended. /story show has the one that is told here now, /story list has them all."


class Pages:
    """Private pages of candidates, stories and the list."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, interaction: discord.Interaction, round_id: int, candidate_id: int) -> None:
        """The whole text of a candidate, beginning with its first page."""
        await replies.show(interaction, reading.candidate_page(await self._candidate(round_id, candidate_id), 0))

    async def turn(self, interaction: discord.Interaction, round_id: int, candidate_id: int, page: int) -> None:
        candidate = await self._candidate(round_id, candidate_id)
        await replies.turn(interaction, reading.candidate_page(candidate, page))

    async def story(self, interaction: discord.Interaction, story_id: int, page: int) -> None:
        view = await self._story(interaction, story_id)
        pieces = await asyncio.to_thread(reading.story_pieces, view)
        await replies.turn(interaction, reading.story_page(view, pieces, page))

    async def file(self, interaction: discord.Interaction, story_id: int) -> None:
        view = await self._story(interaction, story_id)
        await replies.say(interaction, "The whole story as a text file:", reading.story_file(view.story, view.passages))

    async def list(self, interaction: discord.Interaction, page: int) -> None:
        found = await self._services.stories.list(place_of(interaction).guild_id, page)
        await replies.turn(interaction, reading.list_page(found))

    async def _candidate(self, round_id: int, candidate_id: int) -> Candidate:
        view = await self._services.rounds.view(round_id)
        candidate = view.candidate(candidate_id)
        if candidate is None:
            raise NoRound("This candidate is not there any more.")
        return candidate

    async def _story(self, interaction: discord.Interaction, story_id: int) -> StoryView:
        view = await self._services.stories.show(place_of(interaction).channel_id)
        if view.story.id != story_id:
            raise NoStory(OTHER_STORY)
        return view
