"""A moderator decides: from a card's button, over a form that asks why, to what everybody sees of it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import discord

from bot.discord_app import case_texts, replies
from bot.discord_app.buttons import Drawing
from bot.discord_app.cards import card, case_list
from bot.discord_app.case_texts import ACT_NUMBERS
from bot.discord_app.conductor import Conductor
from bot.discord_app.forms import BAR_HOURS, CHOICE, REASON, act_form
from bot.discord_app.inflight import InFlight
from bot.discord_app.modal import submitted_choice, submitted_text
from bot.discord_app.permissions import moderates_in, place_of, require_moderator
from bot.errors import BadInput, CaseOver
from bot.service.cases import CaseService
from bot.service.views import Acted, CaseView
from bot.story.cases import Act

log = logging.getLogger(__name__)


class Deciding:
    """Each click is judged anew by its own payload: a card stands for long, and moderators come and go."""

    def __init__(self, cases: CaseService, conductor: Conductor, work: InFlight, now: Callable[[], datetime]) -> None:
        self._cases = cases
        self._conductor = conductor
        self._work = work
        self._now = now

    async def open(self, interaction: discord.Interaction, case_id: int) -> None:
        """The card, privately."""
        await replies.show(interaction, card(await self._view(interaction, case_id)))

    async def turn(self, interaction: discord.Interaction, page: int) -> None:
        """Another page of the open cases."""
        await replies.turn(interaction, await self.page(interaction, page))

    async def page(self, interaction: discord.Interaction, page: int) -> Drawing:
        """Open cases; what stands in channels that the member does not moderate is only counted."""
        guild_id = place_of(interaction).guild_id
        found = await self._cases.open_page(guild_id, page)
        mine = frozenset(v.case.id for v in found.cases if moderates_in(interaction, v.case.channel_id))
        return case_list(found, mine, await self._note(guild_id, found.cases))

    async def whole_text(self, interaction: discord.Interaction, case_id: int) -> None:
        """All of what a case is about, as a file."""
        view = await self._view(interaction, case_id)
        file = discord.File(io.BytesIO(view.subject.text.encode()), filename=f"case-{case_id}.txt")
        await replies.say(interaction, f"The whole text of case {case_id}:", file)

    async def ask(self, interaction: discord.Interaction, case_id: int, number: int) -> None:
        """Asks why, before anything is done."""
        view, act = await self._view(interaction, case_id), _act(number)
        if act not in view.possible:
            raise CaseOver
        await interaction.response.send_modal(act_form(case_id, act))

    async def submit(self, interaction: discord.Interaction, case_id: int, number: int) -> None:
        """Whatever goes wrong, the moderator gets the reason back."""
        reason = submitted_text(interaction, REASON)
        try:
            await self._act(interaction, case_id, _act(number), reason)
        except Exception as error:
            await replies.report(interaction, error, reason or None)

    async def _act(self, interaction: discord.Interaction, case_id: int, act: Act, reason: str) -> None:
        self._work.require_open()
        await self._view(interaction, case_id)
        guild_id = place_of(interaction).guild_id
        acted = await self._cases.act(
            guild_id, case_id, act, interaction.user.id, reason, until=self._until(interaction, act)
        )
        self._conductor.draw_marked()
        if acted.cancelled is not None:
            self._conductor.show_soon(acted.cancelled.id)
        is_told = None
        if act is Act.WARN:
            await interaction.response.defer(ephemeral=True, thinking=True)
            is_told = await self._warn(interaction, acted, reason)
        sentence = case_texts.acted(act, is_told=is_told, has_cancelled=acted.cancelled is not None)
        await self._answer(interaction, case_id, sentence)

    async def _answer(self, interaction: discord.Interaction, case_id: int, sentence: str) -> None:
        """A private card that was clicked shows the case as it is now; for one in the channel, the board does that."""
        message = interaction.message
        is_private = message is not None and message.flags.ephemeral
        if is_private and not interaction.response.is_done():
            await replies.turn(interaction, card(await self._view(interaction, case_id)))
        await replies.say(interaction, sentence)

    async def _warn(self, interaction: discord.Interaction, acted: Acted, reason: str) -> bool:
        """Tells the member privately, and notes whether that worked: not everybody takes private messages."""
        guild, author = interaction.guild, acted.subject.author_user_id
        if author is None:
            raise CaseOver
        server = "a server" if guild is None else guild.name
        try:
            channel = await interaction.client.create_dm(discord.Object(author))
            await channel.send(
                case_texts.warning(server, reason, acted.subject.text),
                allowed_mentions=replies.NO_MENTIONS,
                suppress_embeds=True,
            )
            is_told = True
        except replies.UNREACHABLE as error:
            log.info("a warned member could not be told: %s", error)
            is_told = False
        await self._cases.note_told(acted.act_id, acted.case.id, is_told=is_told)
        return is_told

    async def _view(self, interaction: discord.Interaction, case_id: int) -> CaseView:
        """The case, for a moderator of its channel. Raises NoCase, NotAllowed."""
        view = await self._cases.view(place_of(interaction).guild_id, case_id)
        require_moderator(interaction, view.case.channel_id)
        return view

    async def _note(self, guild_id: int, cases: tuple[CaseView, ...]) -> str:
        channel_id = await self._cases.channel(guild_id)
        if channel_id is None:
            return f"-# {case_texts.NO_CHANNEL}"
        is_missing = any(view.case.card_message_id is None for view in cases)
        return f"-# {case_texts.unreachable(channel_id)}" if is_missing else f"-# Their cards stand in <#{channel_id}>."

    def _until(self, interaction: discord.Interaction, act: Act) -> datetime | None:
        if act is not Act.BAR:
            return None
        hours = submitted_choice(interaction, CHOICE)
        if hours not in BAR_HOURS:
            raise BadInput("Please choose for how long.")
        return self._now() + timedelta(hours=int(hours))


def _act(number: int) -> Act:
    found = next((act for act, known in ACT_NUMBERS.items() if known == number), None)
    if found is None:
        raise BadInput("This button is from another version of the bot. Please use the command again.")
    return found
