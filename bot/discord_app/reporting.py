"""A member reports what the bot shows: from a button or a message's menu to a private word of thanks."""

from __future__ import annotations

import asyncio

import discord

from bot.discord_app import case_texts, reading, replies, texts
from bot.discord_app.forms import CHOICE, REASON, report_form
from bot.discord_app.inflight import InFlight
from bot.discord_app.modal import submitted_choice, submitted_text
from bot.discord_app.permissions import place_of
from bot.errors import BadInput
from bot.service.build import Services
from bot.service.views import PassageLine

NOT_OURS = "That message shows no passage and no candidate. Reports are for the texts of stories."
PASSAGE, CANDIDATE = "p", "c"
"""What a choice in the form names, before its id."""


class Reporting:
    """Every answer is private: who reports is nobody's business but the moderators'."""

    def __init__(self, services: Services, work: InFlight) -> None:
        self._services = services
        self._work = work

    async def of_round(self, interaction: discord.Interaction, round_id: int) -> None:
        """Asks which candidate of a ballot it is about."""
        found = await self._services.cases.reportable(place_of(interaction).guild_id, round_id)
        options = [(f"{CANDIDATE}{one.id}", texts.choice(f"Candidate {one.letter}", one.text)) for one in found]
        await interaction.response.send_modal(report_form(options))

    async def of_passage(self, interaction: discord.Interaction, passage_id: int) -> None:
        """Asks what is wrong with the passage that a message told."""
        await interaction.response.send_modal(report_form([], passage_id=passage_id))

    async def of_page(self, interaction: discord.Interaction, story_id: int, page: int) -> None:
        """Asks which passage of a story's page it is about."""
        view = await self._services.stories.show(place_of(interaction).channel_id)
        if view.story.id != story_id:
            raise BadInput("That story has ended. A message that told of its passage can still be reported.")
        pieces = await asyncio.to_thread(reading.story_pieces, view)
        shown = reading.passages_of_page(view, pieces, page)
        options = [
            (f"{PASSAGE}{passage.id}", texts.passage_choice(PassageLine(number, passage.text, is_last=False)))
            for number, passage in shown
            if passage.mark is None
        ]
        if not options:
            raise BadInput("There is no passage on this page that could be reported.")
        await interaction.response.send_modal(report_form(options))

    async def of_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The menu of any message; only what the bot itself has told can be reported."""
        found = await self._services.cases.shown_by(place_of(interaction).guild_id, message.id)
        if found is None:
            raise BadInput(NOT_OURS)
        round_, tells = found
        passage_id = await self._services.cases.told_passage(round_.id) if tells else None
        if passage_id is not None:
            await self.of_passage(interaction, passage_id)
        else:
            await self.of_round(interaction, round_.id)

    async def submit(self, interaction: discord.Interaction, passage_id: int, candidate_id: int) -> None:
        """Whatever goes wrong, the member gets the reason back."""
        reason = submitted_text(interaction, REASON)
        try:
            await self._take(interaction, passage_id, candidate_id, reason)
        except Exception as error:
            await replies.report(interaction, error, reason or None)

    async def _take(self, interaction: discord.Interaction, passage_id: int, candidate_id: int, reason: str) -> None:
        self._work.require_open()
        if not passage_id and not candidate_id:
            passage_id, candidate_id = _read_choice(submitted_choice(interaction, CHOICE))
        got = await self._services.cases.report(
            place_of(interaction).guild_id,
            interaction.user.id,
            reason,
            passage_id=passage_id or None,
            candidate_id=candidate_id or None,
        )
        await replies.say(interaction, case_texts.heard(got))


def _read_choice(value: str) -> tuple[int, int]:
    """The passage or the candidate that was chosen, 0 for the other. Raises BadInput for anything else."""
    kind, number = value[:1], value[1:]
    if kind not in (PASSAGE, CANDIDATE) or not number.isdecimal() or not number.isascii() or len(number) > 18:
        raise BadInput("Please choose which text it is about.")
    return (int(number), 0) if kind == PASSAGE else (0, int(number))
