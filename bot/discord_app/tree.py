"""The command tree: every command passes the gate, and one handler answers every error of every command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord_app import replies

if TYPE_CHECKING:
    from bot.discord_app.bot import TalewrightBot

log = logging.getLogger(__name__)


class TalewrightTree(app_commands.CommandTree["TalewrightBot"]):
    """Answers errors privately, with what the member typed, so that nothing has to be typed again."""

    async def interaction_check(self, interaction: discord.Interaction[TalewrightBot], /) -> bool:
        """Whether the command may run; who may not has been told why.

        It also runs for autocompletion, which shows nothing then: there is nothing that could be answered.
        """
        interaction.client.work.hold_current()
        try:
            await interaction.client.gate.check_command(interaction, self._root_of(interaction))
        except Exception as error:  # discord.py drops what is raised here
            if interaction.type is discord.InteractionType.autocomplete:
                log.info("nothing is offered: %s", error)
            else:
                await replies.report(interaction, error, replies.typed_in(interaction))
            return False
        return True

    def _root_of(self, interaction: discord.Interaction[TalewrightBot]) -> object | None:
        """The command as Discord knows it: the whole group where it is one of a group."""
        data: Any = interaction.data or {}
        return self.get_command(data.get("name", ""), type=discord.AppCommandType(data.get("type", 1)))

    async def on_error(
        self, interaction: discord.Interaction[TalewrightBot], error: app_commands.AppCommandError, /
    ) -> None:
        original = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await replies.report(interaction, original, _typed(interaction, error))


def _typed(interaction: discord.Interaction, error: app_commands.AppCommandError) -> str | None:
    """What to give back; nothing where the options themselves could not be read."""
    if isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        return None
    return replies.typed_in(interaction)
