"""A refused text on its way to a moderator: its writer's click is the consent."""

from __future__ import annotations

import discord

from bot.discord_app import replies
from bot.discord_app.known import judged_place
from bot.discord_app.refusals import KINDS, refused_text
from bot.errors import BadInput
from bot.service.filtering.appeals import AppealService

SENT = "A moderator will look at your text. Until then nobody else sees it."
ACCEPTED = "The rules have changed: this text is accepted now. Send it again as you did before."
LOST = "I can't find your text in that message. Send it again, and click the button under the new answer."


class Appealing:
    """Before the click nobody else has seen the text, and nothing has kept it."""

    def __init__(self, appeals: AppealService) -> None:
        self._appeals = appeals

    async def send(self, interaction: discord.Interaction, kind: int) -> None:
        """Raises BadInput where the text is not there, or nobody takes appeals."""
        typed = await refused_text(interaction.message)
        if typed is None or kind >= len(KINDS):
            raise BadInput(LOST)
        is_sent = await self._appeals.send(judged_place(interaction), typed, KINDS[kind])
        await replies.say(interaction, SENT if is_sent else ACCEPTED)
