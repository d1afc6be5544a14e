"""The one gate before every command, button and form: who is barred, and where the bot is stopped, comes no further.

What is new is closed by itself: a command or a button works in a stopped place only where this file says so.
"""

from __future__ import annotations

from typing import Any

import discord

from bot.discord_app.buttons import Verb
from bot.discord_app.known import known_of
from bot.service.limits import LimitService

REPORT_MENU = "Report to moderators"
WORKS_WHILE_STOPPED = frozenset({"settings", "help", "about", REPORT_MENU})
"""Commands for everybody that neither write nor show a text in the channel. Those that Discord hides from members
(`default_permissions`) are moderators' tools, which check their permission again, and work as well."""
REPORTS = (Verb.REPORT, Verb.REPORT_PASSAGE, Verb.REPORT_PAGE, Verb.REPORTED, Verb.APPEAL, Verb.APPEALED)
"""What members tell moderators, and a stop is when they have most to tell."""
DECISIONS = (Verb.LOG, Verb.BARS, Verb.CASES, Verb.CASE, Verb.CASE_TEXT, Verb.ACT, Verb.ACTED)
RULES = (
    *(Verb.LAB, Verb.RULE, Verb.SWITCH, Verb.EDIT, Verb.LIMITS, Verb.NEW_RULE, Verb.CHANGE_RULE, Verb.LIMIT_RULE),
    *(Verb.TRY, Verb.REMOVE, Verb.VERSIONS, Verb.BACK, Verb.CHANGES, Verb.RESTORE, Verb.FIGURES, Verb.WITHHELD),
    *(Verb.TAKE_OVER, Verb.SAY_WHY, Verb.SAID_WHY),
)
"""Buttons and forms of moderators, as those above; each checks their permission again."""
VERBS_WHILE_STOPPED = frozenset((*REPORTS, *DECISIONS, *RULES))


class Gate:
    """Raises Barred and Stopped before anything is done. Both are read from the database, so a restart opens nothing.

    A bar does not bind whoever may manage messages where they ask: moderators are appointed and dismissed by their
    server, and one who could bar another could lock the server out of its own bot.
    """

    def __init__(self, limits: LimitService) -> None:
        self._limits = limits

    async def check_command(self, interaction: discord.Interaction[Any], command: object | None) -> None:
        """`command` is the one at the root of what was called, None for one that is not known (any more)."""
        is_of_moderators = getattr(command, "default_permissions", None) is not None
        name = getattr(command, "name", None)
        await self._check(interaction, works_while_stopped=is_of_moderators or name in WORKS_WHILE_STOPPED)

    async def check_click(self, interaction: discord.Interaction[Any], verb: Verb) -> None:
        """A button, or a form that was submitted."""
        await self._check(interaction, works_while_stopped=verb in VERBS_WHILE_STOPPED)

    async def _check(self, interaction: discord.Interaction[Any], *, works_while_stopped: bool) -> None:
        if interaction.guild_id is None or interaction.channel_id is None:
            return  # outside of servers nothing is barred or stopped, and stories have no home
        known = known_of(interaction)
        if not known.is_moderator:
            await self._limits.require_not_barred(interaction.guild_id, interaction.user.id)
        if not works_while_stopped:
            await self._limits.require_going(interaction.guild_id, interaction.channel_id, known.parent_id)
