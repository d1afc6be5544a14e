"""Rules and levels from elsewhere: what they would change is shown first, and one click takes them over.

What is shown carries the file itself, so that the click needs nothing that a restart would have forgotten.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord_app import replies
from bot.discord_app.buttons import Action, Beside, Verb, button
from bot.discord_app.filtering import drawing, words
from bot.discord_app.filtering.access import require_scope
from bot.discord_app.permissions import place_of
from bot.errors import BadInput
from bot.service.filtering.files import MAX_FILE_BYTES, RuleFile, read_file, to_json
from bot.service.filtering.lab import Author, FilterLab
from bot.service.filtering.views import ImportPlan, Mode, Rule

SWITCHES: tuple[tuple[str, Mode | None], ...] = (("shadow", Mode.SHADOW), ("as they are", None), ("off", Mode.OFF))
"""How rules begin, by what a command calls it; None: as the file says. A button names one by its place here."""
NOTHING_NEW = "All of this is here already, just so. Nothing would change."
NO_FILE = "The file of this message is gone. Please use /filters import again."


@dataclass(frozen=True)
class _Offer:
    """What may be taken over, the file that it travels in, and how it is spoken of."""

    found: RuleFile
    data: bytes
    ending: str
    what: str
    head: str = ""


class Importing:
    """Who may do it is asked when it is shown and when it is taken over."""

    def __init__(self, lab: FilterLab) -> None:
        self._lab = lab

    async def preview(
        self, interaction: discord.Interaction, file: discord.Attachment, switch: str, channel_id: int | None
    ) -> None:
        """Shows what a file would change, with the button that takes it over."""
        require_scope(interaction, is_server=channel_id is None)
        await interaction.response.defer(ephemeral=True, thinking=True)
        data, found = await _read(file)
        await self._show(interaction, _Offer(found, data, _ending(file.filename), "this file"), switch, channel_id)

    async def preview_rules(
        self,
        interaction: discord.Interaction,
        found: RuleFile,
        head: str,
        what: str,
        switch: str,
        channel_id: int | None,
    ) -> None:
        """Likewise for rules that are in no file yet: they travel as one, so what was shown is what is taken over.

        The interaction is answered by then, and its scope checked.
        """
        data = to_json(found.rules, found.levels).encode()
        await self._show(interaction, _Offer(found, data, "json", what, head), switch, channel_id)

    async def _show(self, interaction: discord.Interaction, offer: _Offer, switch: str, channel_id: int | None) -> None:
        number = [name for name, _ in SWITCHES].index(switch)
        _, plan = await self._plan(interaction, offer.found, number, channel_id)
        if plan.is_empty:
            await replies.say(interaction, NOTHING_NEW)
            return
        require_scope(interaction, is_server=plan.needs_server)
        taking = Action(Verb.TAKE_OVER, (int(channel_id is None), number))
        beside = Beside(button("Take it over", taking, discord.ButtonStyle.primary))
        copy = discord.File(io.BytesIO(offer.data), filename=f"import.{offer.ending}")
        await replies.say(interaction, offer.head + words.planned(plan, offer.what), copy, beside)

    async def take_over(self, interaction: discord.Interaction, is_server: int, switch: int) -> None:
        """The button under what was shown."""
        require_scope(interaction, is_server=bool(is_server))
        attached = [] if interaction.message is None else interaction.message.attachments
        if not attached or switch >= len(SWITCHES):
            raise BadInput(NO_FILE)
        await interaction.response.defer()
        _, found = await _read(attached[0])
        channel_id = None if is_server else place_of(interaction).channel_id
        rules, plan = await self._plan(interaction, found, switch, channel_id)
        require_scope(interaction, is_server=plan.needs_server)
        guild_id, by = place_of(interaction).guild_id, Author(interaction.user.id)
        got = await self._lab.take_over(guild_id, channel_id, rules, by, found.levels)
        await replies.replace(interaction, words.imported(got), drawing.why_beside(got.change))

    async def _plan(
        self, interaction: discord.Interaction, found: RuleFile, switch: int, channel_id: int | None
    ) -> tuple[list[Rule], ImportPlan]:
        """The rules as they would stand in the place, and what they and the levels would change there."""
        rules = _placed(found.rules, channel_id, SWITCHES[switch][1])
        return rules, await self._lab.plan_import(place_of(interaction).guild_id, channel_id, rules, found.levels)


async def _read(file: discord.Attachment) -> tuple[bytes, RuleFile]:
    if file.size > MAX_FILE_BYTES:
        raise BadInput(f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    try:
        data = await file.read()
    except (discord.NotFound, discord.Forbidden) as error:
        raise BadInput(NO_FILE) from error
    return data, await asyncio.to_thread(read_file, data, file.filename)


def _ending(file_name: str) -> str:
    return "json" if file_name.lower().endswith(".json") else "csv"


def _placed(rules: Sequence[Rule], channel_id: int | None, mode: Mode | None) -> list[Rule]:
    """What is off stays off, whatever the others begin as."""
    made = []
    for rule in rules:
        fields: dict[str, Any] = vars(rule) | {"channel_id": channel_id}
        if mode is not None and rule.mode is not Mode.OFF:
            fields["mode"] = mode
        made.append(Rule(**fields))
    return made
