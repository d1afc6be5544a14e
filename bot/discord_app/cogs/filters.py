"""/filters: what may be said here, tuned by moderators."""

from __future__ import annotations

import asyncio
import io
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord_app import replies
from bot.discord_app.buttons import MAX_SEARCH, Action, Verb
from bot.discord_app.filtering import drawing, words
from bot.discord_app.filtering.access import require_moderator, require_scope
from bot.discord_app.filtering.automod import read_automod
from bot.discord_app.filtering.clicks import KINDS
from bot.discord_app.filtering.forms import RuleForm, new_rule
from bot.discord_app.filtering.importing import Importing
from bot.discord_app.known import judged_place
from bot.discord_app.permissions import place_of
from bot.errors import Refusal
from bot.service.filtering.automod import translate
from bot.service.filtering.files import RuleFile, to_csv, to_json
from bot.service.filtering.lab import MAX_REASON, Author, FilterLab
from bot.service.filtering.views import LISTED, PRESETS, Level, RuleKind, TextKind, Tier

Scope = Literal["channel", "server"]
Switch = Literal["shadow", "as they are", "off"]
Format = Literal["json", "csv"]
SCOPE_HELP = "Where: this channel (the default), or the whole server"
REASON_HELP = "Why, for the versions and the audit log"
Reason = app_commands.Range[str, 0, MAX_REASON]
Search = app_commands.Range[str, 0, MAX_SEARCH]
NO_AUTOMOD = (
    "Discord shows a server's AutoMod rules only to members and bots with “Manage Server”, which I do not have here. "
    "Grant it for as long as the import takes, or copy the words into /filters import."
)


@app_commands.default_permissions(manage_messages=True)
class FiltersCog(commands.GroupCog, group_name="filters", group_description="What may be said here (moderators)"):
    """Discord hides these from other members; whoever an admin shows them to is checked again here."""

    def __init__(self, lab: FilterLab) -> None:
        self._lab = lab
        self._importing = Importing(lab)
        super().__init__()

    @app_commands.command(name="show", description="The rules that hold here, each with its buttons; figures; undo")
    @app_commands.describe(search="Only rules that have this in their name or entries")
    async def show(self, interaction: discord.Interaction, search: Search = "") -> None:
        require_moderator(interaction)
        view = await self._lab.look(judged_place(interaction))
        await replies.show(interaction, drawing.lab_page(view, 0, search.strip()))

    @app_commands.command(name="add", description="Make a rule, or try one on past texts without saving it")
    @app_commands.describe(kind="What it looks for", scope=SCOPE_HELP)
    @app_commands.choices(kind=[app_commands.Choice(name=words.KINDS[kind], value=kind.value) for kind in RuleKind])
    async def add(self, interaction: discord.Interaction, kind: str, scope: Scope = "channel") -> None:
        require_scope(interaction, is_server=scope == "server")
        chosen = RuleKind(kind)
        action = Action(Verb.NEW_RULE, (int(scope == "server"), KINDS.index(chosen)))
        rule = new_rule(chosen, _channel(interaction, scope))
        await interaction.response.send_modal(RuleForm(f"New rule: {words.KINDS[chosen]}", action, rule, rule.mode))

    @app_commands.command(name="test", description="Show each step from a text to its verdict; nothing is kept")
    @app_commands.describe(text="The text to test", kind="As which kind of text (a passage if left out)")
    @app_commands.choices(kind=[app_commands.Choice(name=kind.value, value=kind.value) for kind in TextKind])
    async def test(self, interaction: discord.Interaction, text: str, kind: str = TextKind.PASSAGE.value) -> None:
        require_moderator(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        got = await self._lab.explain(judged_place(interaction), text, TextKind(kind))
        await replies.show(interaction, drawing.explained_page(got))

    @app_commands.command(name="withheld", description="Candidates that were kept from the last ballot here, and why")
    async def withheld(self, interaction: discord.Interaction) -> None:
        require_moderator(interaction)
        place = place_of(interaction)
        found = await self._lab.withheld(place.guild_id, place.channel_id)
        await replies.show(interaction, drawing.withheld_page(found, 0))

    @app_commands.command(name="level", description="How strict a ready-made list is")
    @app_commands.describe(
        category="Which list",
        level="From which words on a text is refused; inherit: as above",
        scope=SCOPE_HELP,
        reason=REASON_HELP,
    )
    @app_commands.choices(
        category=[app_commands.Choice(name=name, value=name) for name in LISTED],
        level=[
            *(app_commands.Choice(name=f"{level}: {words.LEVELS[level]}", value=level.value) for level in Level),
            app_commands.Choice(name="inherit: as the server, or the default", value="inherit"),
        ],
    )
    async def level(
        self, interaction: discord.Interaction, category: str, level: str, scope: Scope = "channel", reason: Reason = ""
    ) -> None:
        place, channel_id = place_of(interaction), _channel(interaction, scope)
        chosen = None if level == "inherit" else Level(level)
        loosens = await self._lab.level_loosens(place.guild_id, channel_id, category, chosen)
        require_scope(interaction, is_server=loosens)
        changed = await self._lab.set_level(place.guild_id, channel_id, category, chosen, _author(interaction, reason))
        said = "is as the place above has it" if chosen is None else f"refuses {words.LEVELS[chosen]}"
        told = f"The list “{words.name(category)}” {said} now, for {words.where(channel_id)}."
        await replies.say(interaction, told, beside=drawing.why_beside(changed, reason))

    @app_commands.command(name="audience", description="Whom age-restricted channels are for (Manage Server)")
    @app_commands.describe(
        audience="Only channels that Discord restricts by age are for others", scope=SCOPE_HELP, reason=REASON_HELP
    )
    @app_commands.choices(
        audience=[
            *(app_commands.Choice(name=f"{tier}: {words.TIERS[tier]}", value=tier.value) for tier in Tier),
            app_commands.Choice(name="inherit: as the server, or everybody", value="inherit"),
        ]
    )
    async def audience(
        self, interaction: discord.Interaction, audience: str, scope: Scope = "server", reason: Reason = ""
    ) -> None:
        require_scope(interaction, is_server=True)
        channel_id = _channel(interaction, scope)
        tier = None if audience == "inherit" else Tier(audience)
        guild_id = place_of(interaction).guild_id
        changed = await self._lab.set_tier(guild_id, channel_id, tier, _author(interaction, reason))
        said = "as the place above has it" if tier is None else words.TIERS[tier]
        await replies.say(
            interaction,
            f"Age-restricted channels are for: {said} ({words.where(channel_id)}). "
            "All other channels are for everybody.",
            beside=drawing.why_beside(changed, reason),
        )

    @app_commands.command(name="import", description="Take over rules and levels from a file; shows first what changes")
    @app_commands.describe(
        file="Rules and levels as /filters export writes them, or a CSV with a column “word”",
        switch="How the rules begin: in the shadow (if left out), as the file says, or off",
        scope=SCOPE_HELP,
    )
    async def import_(
        self,
        interaction: discord.Interaction,
        file: discord.Attachment,
        switch: Switch = "shadow",
        scope: Scope = "channel",
    ) -> None:
        await self._importing.preview(interaction, file, switch, _channel(interaction, scope))

    @app_commands.command(name="preset", description="Ready-made rules: shows first what they are and what changes")
    @app_commands.describe(
        preset="Which",
        switch="How the rules begin: in the shadow (if left out), on (“as they are”), or off",
        scope=SCOPE_HELP,
    )
    @app_commands.choices(preset=[app_commands.Choice(name=one.title, value=name) for name, one in PRESETS.items()])
    async def preset(
        self,
        interaction: discord.Interaction,
        preset: str,
        switch: Switch = "shadow",
        scope: Scope = "channel",
    ) -> None:
        require_scope(interaction, is_server=scope == "server")
        await interaction.response.defer(ephemeral=True, thinking=True)
        chosen = PRESETS[preset]
        found = RuleFile(chosen.rules, chosen.levels)
        channel_id = _channel(interaction, scope)
        await self._importing.preview_rules(interaction, found, words.preset(chosen), "this preset", switch, channel_id)

    @app_commands.command(name="automod", description="Take over this server's own AutoMod rules, which see no bot")
    @app_commands.describe(switch="How they begin: in the shadow (if left out), as they are in AutoMod, or off")
    async def automod(self, interaction: discord.Interaction, switch: Switch = "shadow") -> None:
        require_scope(interaction, is_server=True)
        guild = interaction.guild
        if guild is None or not interaction.app_permissions.manage_guild:
            raise Refusal(NO_AUTOMOD)
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            found = await guild.fetch_automod_rules()
        except discord.Forbidden as error:
            raise Refusal(NO_AUTOMOD) from error
        rules, notes = await asyncio.to_thread(translate, [read_automod(one) for one in found])
        if not rules:
            raise Refusal(" ".join(["Nothing of this server’s AutoMod could be taken over.", *notes[:5]]))
        head = words.left_out(notes)
        await self._importing.preview_rules(interaction, RuleFile(tuple(rules)), head, "AutoMod’s rules", switch, None)

    @app_commands.command(name="export", description="The rules and levels of this channel or of the server, as a file")
    @app_commands.describe(format="json (if left out), or csv, which has the rules only", scope=SCOPE_HELP)
    async def export(self, interaction: discord.Interaction, format: Format = "json", scope: Scope = "channel") -> None:
        require_scope(interaction, is_server=scope == "server")
        channel_id = _channel(interaction, scope)
        view = await self._lab.look(judged_place(interaction))
        rules = [one.rule for one in view.entries if one.rule is not None and one.stored.channel_id == channel_id]
        levels = (view.of_server if channel_id is None else view.of_channel).levels
        written = to_json(rules, levels) if format == "json" else to_csv(rules)
        if not rules and (format == "csv" or not levels):
            raise Refusal(words.nothing_to_export(channel_id, len(levels)))
        file = discord.File(io.BytesIO(written.encode()), filename=f"rules.{format}")
        await replies.say(
            interaction, words.exported(channel_id, len(rules), len(levels), is_json=format == "json"), file
        )


def _channel(interaction: discord.Interaction, scope: Scope) -> int | None:
    return None if scope == "server" else place_of(interaction).channel_id


def _author(interaction: discord.Interaction, reason: str) -> Author:
    return Author(interaction.user.id, reason)
