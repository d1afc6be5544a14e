"""Hands every click and every submitted form to its handler, by what the custom id says."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import discord

from bot.discord_app import replies
from bot.discord_app.buttons import Action, Verb, read_action
from bot.discord_app.gate import Gate
from bot.discord_app.inflight import InFlight
from bot.discord_app.modal import submitted

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
"""Called with the interaction and the numbers of the custom id; then with the words of a search, where it has any."""


class Router:
    """Nothing has to be registered per message, so nothing can be forgotten: not by a restart, not by a view store.

    What a handler raises is answered privately and logged, with what was typed into a form; no click stays without an
    answer. Each passes the gate first. `on_handled` is called after each that was done.
    """

    def __init__(
        self, handlers: Mapping[Verb, Handler], work: InFlight, gate: Gate, on_handled: Callable[[], None]
    ) -> None:
        self._handlers = handlers
        self._work = work
        self._gate = gate
        self._on_handled = on_handled

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
            await replies.report(interaction, error, submitted(interaction))

    async def _handle(self, interaction: discord.Interaction, action: Action) -> None:
        await self._gate.check_click(interaction, action.verb)
        await self._handlers[action.verb](interaction, *action.args, *filter(None, [action.search]))
        self._on_handled()
