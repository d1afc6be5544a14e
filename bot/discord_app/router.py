"""Hands every click and every submitted form to its handler, by what the custom id says."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import discord

from bot.discord_app import replies
from bot.discord_app.buttons import Action, Verb, read_action
from bot.discord_app.inflight import InFlight

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
"""Called with the interaction and the numbers of the custom id."""


class Router:
    """Nothing has to be registered per message, so nothing can be forgotten: not by a restart, not by a view store.

    What a handler raises is answered privately and logged; no click stays without an answer.
    """

    def __init__(self, handlers: Mapping[Verb, Handler], work: InFlight) -> None:
        self._handlers = handlers
        self._work = work

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """The listener. Commands and autocompletion are the command tree's, and ids that are not ours nobody's."""
        if interaction.type not in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            return
        self._work.hold_current()
        try:
            action = read_action(interaction.custom_id or "")
            if action is not None:
                await self._handle(interaction, action)
        except Exception as error:
            await replies.report(interaction, error)

    async def _handle(self, interaction: discord.Interaction, action: Action) -> None:
        await self._handlers[action.verb](interaction, *action.args)
