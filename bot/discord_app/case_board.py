"""The moderators' channel: one message per case, edited as the case changes, whoever dies in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from weakref import WeakValueDictionary

import discord

from bot.discord_app.buttons import Drawing
from bot.discord_app.cards import card
from bot.discord_app.publisher import ARCHIVED_THREAD, UNKNOWN_MESSAGE
from bot.discord_app.redraws import PACE_S, Redraws
from bot.discord_app.replies import NO_MENTIONS
from bot.service.cases import CaseService
from bot.service.views import CaseView

log = logging.getLogger(__name__)


class CaseBoard:
    """Makes the cards agree with the database. A card that can't be drawn now is drawn later, or at the next start.

    Where a server has no channel for cards, or the bot can't post there, `/moderation cases` has them all the same.
    """

    def __init__(
        self, client: discord.Client, cases: CaseService, now: Callable[[], datetime], pace_s: float = PACE_S
    ) -> None:
        self._client = client
        self._cases = cases
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self.redraws = Redraws(client, self.try_to_show, now, pace_s, "case")
        self.watch = self.redraws.watch
        cases.on_change = self.redraws.ask

    async def resume(self) -> None:
        """After a start: cards that the last process did not draw."""
        for case_id in await self._cases.undrawn():
            self.redraws.ask(case_id)

    async def try_to_show(self, case_id: int) -> None:
        """Draws the card as the case is now; where that fails, it is tried again later."""
        lock = self._locks.setdefault(case_id, asyncio.Lock())
        try:
            async with lock:  # reading and drawing together: an older state never overwrites a newer one
                await self._show(case_id)
        except discord.Forbidden as error:
            log.warning("the card of case %d can't be posted: %s", case_id, error)
            self.redraws.retry_later(case_id)
        except Exception:
            log.exception("the card of case %d could not be drawn", case_id)
            self.redraws.retry_later(case_id)

    async def _show(self, case_id: int) -> None:
        view = await self._cases.view_any(case_id)
        drawing = card(view)
        if await self._edit(view, drawing):
            return
        channel_id = await self._cases.channel(view.case.guild_id)
        if channel_id is None:
            return
        channel = self._client.get_partial_messageable(channel_id, guild_id=view.case.guild_id)
        # Posted twice with the same nonce (the process died before it could note the first), there is one message.
        message = await channel.send(
            view=drawing, allowed_mentions=NO_MENTIONS, silent=not view.case.is_open, nonce=f"tw-case-{case_id}"
        )
        await self._cases.note_card(view, channel_id, message.id)

    async def _edit(self, view: CaseView, drawing: Drawing) -> bool:
        """Whether the case has a card that could be edited; False where it has none, or it is gone."""
        case = view.case
        if case.card_channel_id is None or case.card_message_id is None:
            return False
        channel = self._client.get_partial_messageable(case.card_channel_id, guild_id=case.guild_id)
        try:
            await channel.get_partial_message(case.card_message_id).edit(view=drawing, allowed_mentions=NO_MENTIONS)
        except discord.HTTPException as error:
            if error.code in (UNKNOWN_MESSAGE, ARCHIVED_THREAD):
                log.info("the card of case %d is posted anew: %s", case.id, error)
                return False
            raise
        await self._cases.note_card(view, case.card_channel_id, case.card_message_id)
        return True
