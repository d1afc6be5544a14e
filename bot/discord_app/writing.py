"""A member's own passage, from the submitted form to the ballot."""

from __future__ import annotations

import discord

from bot.discord_app import replies, texts
from bot.discord_app.conductor import Conductor
from bot.discord_app.inflight import InFlight
from bot.discord_app.known import known_of
from bot.discord_app.modal import submitted_text
from bot.discord_app.permissions import place_of, require_bot
from bot.discord_app.redraws import Redraws
from bot.service.rounds import RoundService
from bot.story.model import RoundState


class Writing:
    """Every answer to the form is private: a public one would name the author, who is unknown until the close."""

    def __init__(self, rounds: RoundService, conductor: Conductor, redraws: Redraws, work: InFlight) -> None:
        self._rounds = rounds
        self._conductor = conductor
        self._redraws = redraws
        self._work = work

    async def submit(self, interaction: discord.Interaction) -> None:
        """Whatever goes wrong, the member gets the text back."""
        typed = submitted_text(interaction)
        try:
            await self._take(interaction, typed)
        except Exception as error:
            await replies.report(interaction, error, typed)

    async def _take(self, interaction: discord.Interaction, typed: str) -> None:
        place = place_of(interaction)
        self._work.require_open()
        require_bot(interaction)
        result = await self._rounds.write(
            *(place.guild_id, place.channel_id, interaction.user.id, typed, interaction.id),
            known=known_of(interaction),
        )
        if result.must_generate:
            self._conductor.play(result.round)
        elif result.round.state is RoundState.OPEN:
            self._redraws.ask(result.round.id, result.round.message_id)
        await replies.say(interaction, texts.text_taken(result))
