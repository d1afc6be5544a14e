"""A member whose text a filter refused asks a moderator to look at it.

The text is nowhere but in the private message that gave it back: what is asked about is read from there, and kept only
when the member sends it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.discord_app import case_texts, replies
from bot.discord_app.forms import REASON, TEXT, appeal_form
from bot.discord_app.inflight import InFlight
from bot.discord_app.modal import submitted_text
from bot.discord_app.permissions import place_of
from bot.errors import BadInput
from bot.service.cases import CaseService

REFUSED = re.compile(r"Your (.{1,40}?) was not accepted here \(category: (.{1,80}?)\)")
"""As `Filtered` says it."""
GIVEN_BACK = re.compile(r"```\n(.*)\n```\Z", re.DOTALL)


@dataclass(frozen=True)
class RefusedText:
    """What the private message says: what sort of text it was, why it was refused, and the text as far as it shows."""

    kind: str
    category: str
    text: str


def read_refusal(message: discord.Message | None) -> RefusedText:
    """Raises BadInput for a message that is no refusal of ours (any more)."""
    content = "" if message is None else message.content
    found = REFUSED.search(content)
    if found is None:
        raise BadInput("That message does not say any more what was refused. Please send the text again.")
    block = GIVEN_BACK.search(content)
    return RefusedText(found[1], found[2], "" if block is None else block[1])


class Appealing:
    """Every answer is private."""

    def __init__(self, cases: CaseService, work: InFlight) -> None:
        self._cases = cases
        self._work = work

    async def ask(self, interaction: discord.Interaction) -> None:
        """Shows the text in a form, so that the member sees what moderators will read."""
        await interaction.response.send_modal(appeal_form(read_refusal(interaction.message).text))

    async def submit(self, interaction: discord.Interaction) -> None:
        """Whatever goes wrong, the member gets the text back."""
        typed = submitted_text(interaction, TEXT)
        try:
            await self._take(interaction, typed)
        except Exception as error:
            await replies.report(interaction, error, typed)

    async def _take(self, interaction: discord.Interaction, typed: str) -> None:
        self._work.require_open()
        place, refused = place_of(interaction), read_refusal(interaction.message)
        got = await self._cases.appeal(
            place.guild_id,
            place.channel_id,
            refused.kind,
            typed,
            interaction.user.id,
            category=refused.category,
            reason=submitted_text(interaction, REASON),
        )
        await replies.say(interaction, case_texts.appeal_heard(got))
