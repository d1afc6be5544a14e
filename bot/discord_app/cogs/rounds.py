"""/continue, /rewrite, /write."""

from __future__ import annotations

import logging
import re
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import ballot, replies, texts
from bot.discord_app.conductor import Conductor
from bot.discord_app.inflight import InFlight
from bot.discord_app.known import known_of
from bot.discord_app.modal import WriteModal
from bot.discord_app.permissions import Place, place_of, require_bot
from bot.errors import BadInput
from bot.service.build import Services
from bot.story.model import Round, RoundKind, Style

log = logging.getLogger(__name__)

StyleName = Literal["fresh", "light"]
MAX_CHOICES = 25
"""Discord shows at most so many choices of an option."""
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)


class RoundsCog(commands.Cog):
    """Questions to the channel. Everything that can be refused is refused before anything is public."""

    def __init__(self, services: Services, conductor: Conductor, work: InFlight) -> None:
        self._services = services
        self._conductor = conductor
        self._work = work

    @app_commands.command(name="continue", description="Ask for candidates for the next passage, then vote")
    @app_commands.describe(hint="What should happen next (up to 500 characters)")
    async def continue_(self, interaction: discord.Interaction, hint: str | None = None) -> None:
        await self._ask(interaction, RoundKind.CONTINUE, hint)

    @app_commands.command(name="rewrite", description="Ask for other versions of a passage, then vote")
    @app_commands.describe(
        passage="Its number, or some of its words to find it by (the last passage if left out)",
        style="fresh: told anew (if left out) · light: the same in slightly other words",
        instruction="What should be different; with style light, words that must stay, in quotation marks",
    )
    async def rewrite(
        self,
        interaction: discord.Interaction,
        passage: str | None = None,
        style: StyleName = "fresh",
        instruction: str | None = None,
    ) -> None:
        number = None if passage is None else await self._number_of(place_of(interaction), passage)
        await self._ask(interaction, RoundKind.REWRITE, instruction, number, Style(style))

    @rewrite.autocomplete("passage")
    async def offer_passages(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Passages of the story as it stands. Discord sends this while the member types, and shows what comes back."""
        place = place_of(interaction)
        lines = await self._services.stories.find_passages(place.channel_id, typed, MAX_CHOICES)
        return [app_commands.Choice(name=texts.passage_choice(line), value=str(line.number)) for line in lines]

    async def _number_of(self, place: Place, typed: str) -> int:
        """The number of the passage that was chosen or typed: Discord lets members send what they did not choose.

        Raises BadInput where it is no number, and not words that one passage alone has.
        """
        if _NUMBER.fullmatch(typed.strip()):
            return int(typed)
        lines = await self._services.stories.find_passages(place.channel_id, typed, 2)
        if len(lines) != 1:
            raise BadInput(
                f"“{typed.strip()[:50]}” is neither the number of a passage nor words that one of them alone has. "
                "Choose one of those that are offered."
            )
        return lines[0].number

    @app_commands.command(name="write", description="Write a passage yourself; it joins the ballot under no name")
    async def write(self, interaction: discord.Interaction) -> None:
        self._work.require_open()
        require_bot(interaction)
        # Where there is no story, say so now and not after the member has written a page.
        await self._services.stories.show(place_of(interaction).channel_id)
        await interaction.response.send_modal(WriteModal())

    async def _ask(
        self,
        interaction: discord.Interaction,
        kind: RoundKind,
        wish: str | None,
        passage: int | None = None,
        style: Style = Style.FRESH,
    ) -> None:
        place = place_of(interaction)
        self._work.require_open()
        require_bot(interaction)
        round_ = await self._services.rounds.begin(
            kind,
            place.guild_id,
            place.channel_id,
            interaction.user.id,
            wish,
            interaction.id,
            passage=passage,
            style=style,
            known=known_of(interaction),
        )
        try:
            await self._show_writing(interaction, round_)
        except replies.UNREACHABLE as error:
            # Perhaps the answer arrived and only its confirmation was lost. The publisher finds out: it edits what
            # stands there, and posts the ballot anew where nothing does.
            log.warning("the answer to the command of round %d failed: %s", round_.id, error)
        # Whatever became of the answer, the round is played: nothing hangs.
        self._conductor.play(round_, interaction)

    async def _show_writing(self, interaction: discord.Interaction, round_: Round) -> None:
        drawing = ballot.writing(await self._services.rounds.view(round_.id))
        response = await interaction.response.send_message(view=drawing, allowed_mentions=replies.NO_MENTIONS)
        if response.message_id is not None:
            await self._services.rounds.attach_message(round_.id, response.message_id)
