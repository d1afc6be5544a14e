"""One click on a ballot: counted in the database, confirmed privately, drawn publicly a little later."""

from __future__ import annotations

import discord

from bot.discord_app import replies, texts
from bot.discord_app.conductor import Conductor
from bot.discord_app.redraws import Redraws
from bot.service.rounds import RoundService


class Voting:
    """The vote is committed before it is confirmed, and what was not confirmed may be clicked again without harm."""

    def __init__(self, rounds: RoundService, conductor: Conductor, redraws: Redraws) -> None:
        self._rounds = rounds
        self._conductor = conductor
        self._redraws = redraws

    async def vote(self, interaction: discord.Interaction, round_id: int, choice: int) -> None:
        """Raises RoundOver, NoRound and BadInput for the router to answer."""
        got = await self._rounds.vote(round_id, interaction.user.id, choice, interaction.id, interaction.created_at)
        try:
            await replies.say(interaction, texts.receipt(got))
            await self._rounds.confirm_vote(round_id, interaction.user.id, choice)
        finally:
            # However the confirmation fared, the vote counts.
            if got.closes_now:
                await self._conductor.settle(round_id)
            elif not got.unchanged:
                self._redraws.ask(round_id, got.round.message_id)
