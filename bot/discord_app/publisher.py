"""Puts drawings into channels and keeps them up to date. Mentions are off on every request, explicitly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import discord

from bot.discord_app.buttons import Beside, Drawing
from bot.discord_app.permissions import NAMES, sending_permission
from bot.discord_app.replies import NO_MENTIONS
from bot.errors import BotNotAllowed
from bot.story.model import Round

log = logging.getLogger(__name__)

TOKEN_LIFE = timedelta(minutes=13)
"""Discord takes an interaction's token for 15 minutes; this leaves room for slow requests and clocks."""
UNKNOWN_MESSAGE, MISSING_ACCESS, ARCHIVED_THREAD, INVALID_TOKEN = 10008, 50001, 50083, 50027


class Publisher:
    """The only place that writes to channels. Raises BotNotAllowed where a permission is missing.

    Whatever else Discord answers goes up as discord.py raises it: the caller decides whether to try again.
    """

    def __init__(self, client: discord.Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    async def draw(
        self, round_: Round, drawing: Drawing, reply: discord.Interaction | None, *, may_post: bool = True
    ) -> int | None:
        """Shows the round's drawing where the round is shown, and returns the message's id.

        Tries the interaction's token while it lives, then an edit with the bot's own, then (if `may_post`) a new
        message: a moderator may have deleted the old one, or its thread may be archived, where edits are refused.
        """
        if reply is not None and self._now() < reply.created_at + TOKEN_LIFE:
            message_id = await self._edit_reply(reply, drawing)
            if message_id is not None:
                return message_id
        if round_.message_id is not None and await self._edit(round_, round_.message_id, drawing):
            return round_.message_id
        return await self._post(round_, drawing) if may_post else None

    async def announce(self, round_: Round, messages: list[str], beside: Beside | None = None) -> list[int]:
        """Posts the messages, each at most once: Discord drops a second one with the same nonce. Returns their ids.

        `beside` are the buttons under the last one.
        """
        ids = []
        for number, content in enumerate(messages):
            is_last = number == len(messages) - 1
            nonce = f"tw-{round_.id}-{number}"
            under = beside if is_last else None
            ids.append(await self.say(round_.guild_id, round_.channel_id, content, nonce, under))
        return ids

    async def say(self, guild_id: int, channel_id: int, content: str, nonce: str, beside: Beside | None = None) -> int:
        """Posts a message, at most once within a few minutes: Discord drops a second one with the same nonce.

        Returns its id.
        """
        channel = self._client.get_partial_messageable(channel_id, guild_id=guild_id)
        view = discord.utils.MISSING if beside is None else beside
        try:
            message = await channel.send(
                content, view=view, allowed_mentions=NO_MENTIONS, suppress_embeds=True, silent=True, nonce=nonce
            )
        except discord.Forbidden as error:
            raise self._not_allowed(channel_id, error) from error
        return message.id

    async def tell_anew(self, round_: Round, ids: Sequence[int], messages: list[str], beside: Beside | None) -> None:
        """Edits the messages of an announcement that are still there; `messages` are as many as `ids`."""
        for message_id, content in zip(ids, messages, strict=True):
            message = self._channel(round_).get_partial_message(message_id)
            try:
                await message.edit(
                    content=content, view=beside if message_id == ids[-1] else None, allowed_mentions=NO_MENTIONS
                )
            except discord.Forbidden as error:
                raise self._not_allowed(round_.channel_id, error) from error
            except discord.HTTPException as error:
                if error.code not in (UNKNOWN_MESSAGE, ARCHIVED_THREAD):
                    raise
                log.info("a message of round %d is not edited: %s", round_.id, error)

    async def _edit_reply(self, reply: discord.Interaction, drawing: Drawing) -> int | None:
        """None where the token or the message is gone."""
        try:
            message = await reply.edit_original_response(view=drawing, allowed_mentions=NO_MENTIONS)
        except discord.HTTPException as error:
            if isinstance(error, discord.NotFound) or error.code == INVALID_TOKEN:
                log.info("an interaction's token is of no use any more: %s", error)
                return None
            raise
        return message.id

    async def _edit(self, round_: Round, message_id: int, drawing: Drawing) -> bool:
        """Whether the message could be edited; False where it is gone or its thread is archived."""
        try:
            # A partial message: `Message.edit` of discord.py 2.7.1 would bring suppressed embeds back.
            message = self._channel(round_).get_partial_message(message_id)
            await message.edit(view=drawing, allowed_mentions=NO_MENTIONS)
        except discord.Forbidden as error:
            raise self._not_allowed(round_.channel_id, error) from error
        except discord.HTTPException as error:
            if error.code in (UNKNOWN_MESSAGE, ARCHIVED_THREAD):
                log.info("round %d is drawn anew: %s", round_.id, error)
                return False
            raise
        return True

    async def _post(self, round_: Round, drawing: Drawing) -> int:
        try:
            message = await self._channel(round_).send(view=drawing, allowed_mentions=NO_MENTIONS, silent=True)
        except discord.Forbidden as error:
            raise self._not_allowed(round_.channel_id, error) from error
        return message.id

    def _channel(self, round_: Round) -> discord.PartialMessageable:
        """The round's channel or thread, without asking the cache whether it exists."""
        return self._client.get_partial_messageable(round_.channel_id, guild_id=round_.guild_id)

    def _not_allowed(self, channel_id: int, error: discord.Forbidden) -> BotNotAllowed:
        sending = sending_permission(self._client.get_channel(channel_id))
        missing = "view_channel" if error.code == MISSING_ACCESS else sending
        return BotNotAllowed(NAMES[missing], channel_id)
