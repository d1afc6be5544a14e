"""Private answers to one member: sentences, drawings, errors. Nothing here is ever public."""

from __future__ import annotations

import io
import logging
import secrets
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.discord_app import texts
from bot.discord_app.buttons import Action, Beside, Drawing, Verb, button
from bot.errors import Filtered, TalewrightError

log = logging.getLogger(__name__)

NO_MENTIONS = discord.AllowedMentions.none()
"""Given with every message and edit: discord.py forgets its default on some edits, and then mentions would ping."""
UNREACHABLE = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What a request to Discord may raise: its refusal, or a network that fails (which discord.py lets through)."""
CONTENT_LIMIT = 1900
"""Discord's limit for a message's content is 2000; see `MAX_TEXT` for why there is slack."""
ASK_A_MODERATOR = "Ask a moderator to look…"
TYPED_OPTIONS = ("hint", "instruction", "title", "premise", "value", "reason")
"""Options of our commands in which a member may have typed something worth giving back. Not `style`: it is a few words,
and mostly chosen from what is offered."""


async def say(
    interaction: discord.Interaction, sentence: str, file: discord.File | None = None, beside: Beside | None = None
) -> None:
    """Tells the member something; as the first answer where there is none yet, which costs no rate limit."""
    attached = discord.utils.MISSING if file is None else file
    view = discord.utils.MISSING if beside is None else beside
    if interaction.response.is_done():
        await interaction.followup.send(
            sentence, file=attached, view=view, ephemeral=True, allowed_mentions=NO_MENTIONS, suppress_embeds=True
        )
    else:
        await interaction.response.send_message(
            sentence, file=attached, view=view, ephemeral=True, allowed_mentions=NO_MENTIONS, suppress_embeds=True
        )


async def show(interaction: discord.Interaction, drawing: Drawing) -> None:
    """Shows the member a drawing: as the first answer where there is none yet."""
    if interaction.response.is_done():
        await interaction.followup.send(view=drawing, ephemeral=True, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(view=drawing, ephemeral=True, allowed_mentions=NO_MENTIONS)


async def turn(interaction: discord.Interaction, drawing: Drawing) -> None:
    """Replaces the private drawing whose button was clicked."""
    await interaction.response.edit_message(view=drawing, allowed_mentions=NO_MENTIONS)


async def amend(interaction: discord.Interaction, line: str) -> None:
    """Adds a line to the private sentence whose button was used, and takes its buttons away."""
    said = "" if interaction.message is None else interaction.message.content
    await interaction.response.edit_message(content=f"{said}\n{line}", view=None, allowed_mentions=NO_MENTIONS)


async def replace(interaction: discord.Interaction, sentence: str, beside: Beside | None = None) -> None:
    """Another sentence in place of the private one whose button was clicked, and of its files. After a `defer`."""
    await interaction.edit_original_response(
        content=sentence, view=beside, attachments=[], allowed_mentions=NO_MENTIONS
    )


async def give_back(interaction: discord.Interaction, sentence: str, typed: str, beside: Beside | None = None) -> None:
    """Says `sentence` and returns what the member typed, untouched, so that nothing has to be typed twice."""
    block = f"{sentence}\nYour text:\n```\n{typed}\n```"
    if len(block.encode("utf-16-le")) // 2 <= CONTENT_LIMIT and "```" not in typed:
        await say(interaction, block, beside=beside)
    else:
        file = discord.File(io.BytesIO(typed.encode()), filename="your-text.txt")
        await say(interaction, f"{sentence}\nYour text is attached.", file, beside)


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
    beside = Beside(button(ASK_A_MODERATOR, Action(Verb.APPEAL))) if isinstance(error, Filtered) else None
    try:
        await (give_back(interaction, sentence, text, beside) if text else say(interaction, sentence))
    except UNREACHABLE as unanswered:
        # Too late (3 s, 15 min), or another session answered: there is no other way to reach the member.
        log.warning("the member was not told %r: %s", sentence, unanswered)


def typed_in(interaction: discord.Interaction) -> str | None:
    """What the member typed into a command's options, None where there is nothing to give back.

    It is read from the payload, which is there before discord.py has read the options.
    """
    options = {one.get("name"): one.get("value") for one in _options(interaction.data or {})}
    found = [value for name in TYPED_OPTIONS if isinstance(value := options.get(name), str) and value.strip()]
    return "\n\n".join(found) or None


def _options(node: Any) -> list[dict[str, Any]]:
    """A command's options, those of the subcommand that was called among them."""
    children = node.get("options") or []
    return [*children, *(option for child in children for option in _options(child))]
