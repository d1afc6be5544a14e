"""Private answers to one member: sentences, drawings, errors. Nothing here is ever public."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Mapping

import aiohttp
import discord
from discord import app_commands

from bot.discord_app import texts
from bot.discord_app.buttons import Drawing
from bot.discord_app.refusals import refusal
from bot.errors import Filtered, TalewrightError

log = logging.getLogger(__name__)

NO_MENTIONS = discord.AllowedMentions.none()
"""Given with every message and edit: discord.py forgets its default on some edits, and then mentions would ping."""
UNREACHABLE = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What a request to Discord may raise: its refusal, or a network that fails (which discord.py lets through)."""
CONTENT_LIMIT = 1900
"""Discord's limit for a message's content is 2000; see `MAX_TEXT` for why there is slack."""
TYPED_OPTIONS = ("hint", "instruction", "title", "premise", "value")
"""Options of our commands in which a member may have typed something worth giving back. Not `style`: it is a few words,
and mostly chosen from what is offered."""


async def say(interaction: discord.Interaction, sentence: str, file: discord.File | None = None) -> None:
    """Tells the member something; as the first answer where there is none yet, which costs no rate limit."""
    attached = discord.utils.MISSING if file is None else file
    if interaction.response.is_done():
        await interaction.followup.send(
            sentence, file=attached, ephemeral=True, allowed_mentions=NO_MENTIONS, suppress_embeds=True
        )
    else:
        await interaction.response.send_message(
            sentence, file=attached, ephemeral=True, allowed_mentions=NO_MENTIONS, suppress_embeds=True
        )


async def show(interaction: discord.Interaction, drawing: Drawing, file: discord.File | None = None) -> None:
    """Shows the member a drawing: as the first answer where there is none yet."""
    attached = discord.utils.MISSING if file is None else file
    if interaction.response.is_done():
        await interaction.followup.send(view=drawing, file=attached, ephemeral=True, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(
            view=drawing, file=attached, ephemeral=True, allowed_mentions=NO_MENTIONS
        )


async def turn(interaction: discord.Interaction, drawing: Drawing) -> None:
    """Replaces the private drawing whose button was clicked."""
    await interaction.response.edit_message(view=drawing, allowed_mentions=NO_MENTIONS)


async def give_back(interaction: discord.Interaction, sentence: str, typed: str) -> None:
    """Says `sentence` and returns what the member typed, untouched, so that nothing has to be typed twice."""
    block = f"{sentence}\nYour text:\n```\n{typed}\n```"
    if len(block.encode("utf-16-le")) // 2 <= CONTENT_LIMIT and "```" not in typed:
        await say(interaction, block)
    else:
        file = discord.File(io.BytesIO(typed.encode()), filename="your-text.txt")
        await say(interaction, f"{sentence}\nYour text is attached.", file)


async def report(interaction: discord.Interaction, error: BaseException, typed: str | None = None) -> None:
    """Answers an error privately: expected ones with their sentence, others with an id that the log has too."""
    if isinstance(error, TalewrightError):
        log.debug("refused: %r", error)
        sentence = texts.refused(error, interaction.guild_id)
    elif isinstance(error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound):
        log.warning("a command is not what Discord knows: %s", error)
        sentence = texts.stale_command()
    else:
        incident = secrets.token_hex(4)
        log.error("incident %s in an interaction", incident, exc_info=error)
        sentence = texts.unexpected(incident)
    text = getattr(error, "text", None) or typed
    try:
        if isinstance(error, Filtered) and error.may_appeal:
            await show(interaction, *refusal(error, sentence))
        else:
            await (give_back(interaction, sentence, text) if text else say(interaction, sentence))
    except UNREACHABLE as unanswered:
        # Too late (3 s, 15 min), or another session answered: there is no other way to reach the member.
        log.warning("the member was not told %r: %s", sentence, unanswered)


def typed_in(interaction: discord.Interaction) -> str | None:
    """What the member typed into a command's options, None where there is nothing to give back."""
    options: Mapping[str, object] = vars(interaction.namespace)
    found = [value for name in TYPED_OPTIONS if isinstance(value := options.get(name), str) and value.strip()]
    return "\n\n".join(found) or None
