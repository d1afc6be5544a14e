"""/help and /about."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies
from bot.errors import TalewrightError
from bot.story.hygiene import neutralise

log = logging.getLogger(__name__)

GUIDE = (
    ("story start", "begins a story in this channel, with a title, a premise and a style"),
    ("continue", "asks the storyteller for candidates; the members vote, and the winner becomes canon"),
    (
        "rewrite",
        "asks for other versions of the last passage, or of any other; the old one stands in the vote too. "
        "style:light only changes wordings",
    ),
    ("write", "puts your own passage on the ballot; nobody sees that it is yours before the vote closes"),
    ("story show", "lets you read the story, page by page, privately"),
    ("story list", "shows the stories of this server"),
    ("story end", "ends the story and posts its text"),
    ("settings show", "tells how rounds run here: how long, how many candidates, how votes count"),
    ("round close", "closes the vote now (moderators); /round cancel throws the round away"),
    ("moderation bar", "keeps a member from me for a time (moderators); /moderation stop stops me at once"),
    ("audit", "tells what moderators did, when and why (moderators)"),
    ("moderation cases", "shows moderators what was reported; “Report…” stands under what can be"),
    ("filters show", "has the rules on what may be said here, and the way to change them (moderators)"),
    ("about", "tells which model writes here, and where to turn with a question"),
)
VOTES = "Votes are secret, can be changed until the close, and count once per member. A tie is decided by lot."


@dataclass(frozen=True)
class Classifier:
    """Who scores texts for the filters. `model` is None where it is the server's own choice.

    `is_beside`: the storyteller's server does it. Otherwise `host` is the other machine that texts are sent to for
    that, None where it is the bot's own.
    """

    model: str | None
    host: str | None = None
    is_beside: bool = False


@dataclass(frozen=True)
class About:
    """What the host wants told. `describe_model` and `describe_classifier` may ask the worker, and raise a WorkerError.

    The latter gives None where nobody scores texts.
    """

    describe_model: Callable[[], Awaitable[str]] | None = None
    describe_classifier: Callable[[], Awaitable[Classifier | None]] | None = None
    contact_url: str | None = None
    privacy_url: str | None = None


class HelpCog(commands.Cog):
    """Private answers. `ids` gives the commands' ids, for mentions that can be clicked."""

    def __init__(self, about: About, ids: Callable[[], dict[str, int]]) -> None:
        self._about = about
        self._ids = ids

    @app_commands.command(name="help", description="What you can do here")
    async def help(self, interaction: discord.Interaction) -> None:
        lines = [f"{self._mention(name)}: {what}" for name, what in GUIDE]
        await replies.say(interaction, "\n".join(["**We write a story together.**", *lines, f"-# {VOTES}"]))

    @app_commands.command(name="about", description="Which model writes here, privacy, contact")
    async def about(self, interaction: discord.Interaction) -> None:
        # The model is asked over the network, which may take longer than Discord waits for a first answer.
        await interaction.response.defer(ephemeral=True, thinking=True)
        about = self._about
        lines = [
            "**Talewright**: communities write stories together. Candidates are written by an AI, or by members.",
            f"Model: {await self._model()}",
            *await self._classifier(),
            f"Privacy: <{about.privacy_url}>" if about.privacy_url else "Privacy: ask the host of this bot.",
            f"Questions and reports: <{about.contact_url}>" if about.contact_url else "Questions: ask the host.",
        ]
        await interaction.edit_original_response(content="\n".join(lines), allowed_mentions=replies.NO_MENTIONS)

    async def _model(self) -> str:
        if self._about.describe_model is None:
            return "not named by the host."
        try:
            return neutralise(await self._about.describe_model())
        except TalewrightError as error:
            log.info("the model could not be asked for its name: %r", error)
            return "not known right now. " + str(error)

    async def _classifier(self) -> list[str]:
        """Members must know who else reads what they type."""
        if self._about.describe_classifier is None:
            return []
        try:
            found = await self._about.describe_classifier()
        except TalewrightError as error:
            log.info("nobody could be asked who scores texts: %r", error)
            return ["Classifier: not known right now."]
        return [] if found is None else [classifier_line(found)]

    def _mention(self, name: str) -> str:
        number = self._ids().get(name.split()[0])
        return f"/{name}" if number is None else f"</{name}:{number}>"


def classifier_line(found: Classifier) -> str:
    """Who judges texts by their scores, and where texts go for that."""
    model = neutralise(found.model or "a model of its server’s choice")
    what = "hints, titles, members’ passages, candidates; no names and no ids"
    if found.host is not None:
        host = f"**{neutralise(found.host)}**"
        return (
            f"Classifier: {model} at {host}. Texts that a rule here wants scored are sent to that other host ({what})."
        )
    where = "beside the storyteller" if found.is_beside else "on my own machine"
    return f"Classifier: {model}, {where}. It reads texts that a rule here wants scored ({what})."
