"""The command tree: one handler for every error of every command, and no new work while the process is ending."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.discord_app import replies

if TYPE_CHECKING:
    from bot.discord_app.bot import TalewrightBot

log = logging.getLogger(__name__)


class TalewrightTree(app_commands.CommandTree["TalewrightBot"]):
    """Answers errors privately, with what the member typed, so that nothing has to be typed again."""

    async def interaction_check(self, interaction: discord.Interaction[TalewrightBot], /) -> bool:
        # It also runs for autocompletion, and discord.py drops what is raised here: so it never refuses nor answers.
        interaction.client.work.hold_current()
        return True

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
