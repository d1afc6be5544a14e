"""The private answer to a refused text: where alone the text stands, until its writer sends it to a moderator."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot.discord_app.buttons import MAX_TEXT, Action, Drawing, Verb, button, row, text
from bot.discord_app.markup import width
from bot.errors import Filtered
from bot.service.filtering.views import TextKind

KINDS = list(TextKind)
"""A button's id names a kind of text by its place here, so new kinds are added at the end."""
FILE_NAME = "your-text.txt"
FENCE = "```"
OFFER = "If you think that this is wrong, a moderator can look at it. They will see the text, and that it is yours."


def refusal(error: Filtered, sentence: str) -> tuple[Drawing, discord.File | None]:
    """Gives the text back, with a button that sends it to the moderators."""
    appeal = row(button("Ask a moderator to look", Action(Verb.APPEAL, (KINDS.index(TextKind(error.kind)),))))
    if FENCE not in error.text and width(error.text) + width(sentence) + width(OFFER) + 50 <= MAX_TEXT:
        block = text(f"{FENCE}\n{error.text}\n{FENCE}")
        return Drawing(text(sentence, "Your text:"), block, text(f"-# {OFFER}"), appeal), None
    file = discord.File(io.BytesIO(error.text.encode()), filename=FILE_NAME)
    shown: Any = discord.ui.File(f"attachment://{FILE_NAME}")
    return Drawing(text(sentence, "Your text is attached."), shown, text(f"-# {OFFER}"), appeal), file


async def refused_text(message: discord.Message | None) -> str | None:
    """The member's text out of such an answer; None where it can't be found there."""
    if message is None:
        return None
    if message.attachments:
        return (await message.attachments[0].read()).decode(errors="replace")
    start, end = f"{FENCE}\n", f"\n{FENCE}"
    blocks = (one for one in _texts(message.components) if one.startswith(start) and one.endswith(end))
    return next((block[len(start) : -len(end)] for block in blocks), None)


def _texts(components: Sequence[Any]) -> Iterator[str]:
    for component in components:
        if isinstance(component, discord.TextDisplay):
            yield component.content
        yield from _texts(getattr(component, "children", ()))
