"""/round close, cancel: for moderators."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies
from bot.discord_app.conductor import Conductor
from bot.discord_app.permissions import place_of, require_member
from bot.errors import NoRound, RoundOver
from bot.service.rounds import RoundService
from bot.service.views import ResultView

NEEDED = "manage_messages"


@app_commands.default_permissions(manage_messages=True)
class ModerationCog(commands.GroupCog, group_name="round", group_description="The round that is running (moderators)"):
    """Discord hides these from other members; whoever an admin shows them to is checked again here."""

    def __init__(self, rounds: RoundService, conductor: Conductor) -> None:
        self._rounds = rounds
        self._conductor = conductor
        super().__init__()

    @app_commands.command(name="close", description="Close the vote now: the votes cast so far decide")
    async def close(self, interaction: discord.Interaction) -> None:
        require_member(interaction, NEEDED, "Closing a round")
        round_ = await self._rounds.unfinished_in(place_of(interaction).channel_id)
        if round_ is None:
            raise NoRound
        result = await self._conductor.settle(round_.id, forced_by=interaction.user.id)
        if not isinstance(result, ResultView):
            raise RoundOver("This round is closed already.")
        await replies.say(interaction, "The round is closed. The result follows in the channel.")

    @app_commands.command(name="cancel", description="Cancel the round; the story stays as it is")
    async def cancel(self, interaction: discord.Interaction) -> None:
        require_member(interaction, NEEDED, "Cancelling a round")
        round_ = await self._rounds.cancel(place_of(interaction).channel_id, interaction.user.id)
        self._conductor.show_soon(round_.id)
        await replies.say(interaction, "The round is cancelled. The story stays as it was.")
