"""/story start, show, list, end."""

from __future__ import annotations

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import reading, replies, texts
from bot.discord_app.buttons import MAX_TEXT, Drawing, text
from bot.discord_app.inflight import InFlight
from bot.discord_app.known import known_of
from bot.discord_app.markup import excerpt
from bot.discord_app.permissions import has, place_of, require_bot
from bot.errors import NotAllowed
from bot.service.stories import StoryService

PREMISE_LIMIT = MAX_TEXT - 600
MAY_END = "manage_messages"
STYLES = ("simple", "picture book", "fable", "old tale")
"""As the training text of the bundled storyteller is marked; see its model card."""


async def offer_styles(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Styles that the bundled storyteller was taught. Discord lets members send what they did not choose."""
    wanted = typed.strip().casefold()
    return [app_commands.Choice(name=style, value=style) for style in STYLES if wanted in style]


class StoryCog(commands.GroupCog, group_name="story", group_description="The story of this channel"):
    """Whole stories. Reading is private, so that a long story does not fill the channel."""

    def __init__(self, stories: StoryService, work: InFlight) -> None:
        self._stories = stories
        self._work = work
        super().__init__()

    @app_commands.command(name="start", description="Begin a story in this channel")
    @app_commands.describe(
        title="What the story is called (up to 100 characters)",
        premise="Who, where, what it is about: the storyteller keeps it in mind (up to 1500 characters)",
        style="Genre or mood: one that is offered, or your own (up to 60 characters)",
    )
    @app_commands.autocomplete(style=offer_styles)
    async def start(self, interaction: discord.Interaction, title: str, premise: str = "", style: str = "") -> None:
        place = place_of(interaction)
        self._work.require_open()
        require_bot(interaction)
        story = await self._stories.start(
            *(place.guild_id, place.channel_id, interaction.user.id, title, premise, style),
            known=known_of(interaction),
        )
        head, next_step = texts.started(story)
        drawing = Drawing(text(head, excerpt(story.premise, PREMISE_LIMIT)[0], texts.style(story), f"-# {next_step}"))
        await interaction.response.send_message(view=drawing, allowed_mentions=replies.NO_MENTIONS)

    @app_commands.command(name="show", description="Read this channel's story from its beginning")
    @app_commands.describe(page="Which page to open (the last one where it is too large)")
    async def show(self, interaction: discord.Interaction, page: app_commands.Range[int, 1, 9999] = 1) -> None:
        view = await self._stories.show(place_of(interaction).channel_id)
        pieces = await asyncio.to_thread(reading.story_pieces, view)
        await replies.show(interaction, reading.story_page(view, pieces, page - 1))

    @app_commands.command(name="list", description="All stories of this server")
    async def list(self, interaction: discord.Interaction) -> None:
        page = await self._stories.list(place_of(interaction).guild_id)
        await replies.show(interaction, reading.list_page(page))

    @app_commands.command(name="end", description="End this channel's story; its text is posted as a file")
    async def end(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        view = await self._stories.show(place.channel_id)
        if interaction.user.id != view.story.started_by and not has(interaction, MAY_END):
            raise NotAllowed("Only whoever began the story, or a member with “Manage Messages”, can end it.")
        story = await self._stories.end(place.channel_id, interaction.user.id)
        await interaction.response.send_message(
            texts.ended(story, len(view.passages)),
            file=reading.story_file(story, view.passages),
            allowed_mentions=replies.NO_MENTIONS,
            suppress_embeds=True,
        )
