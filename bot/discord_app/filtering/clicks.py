"""What each button and form of the lab does. Every click reads the database again and asks again who may do it."""

from __future__ import annotations

import discord

from bot.discord_app import replies
from bot.discord_app.buttons import Action, Verb
from bot.discord_app.filtering import drawing, words
from bot.discord_app.filtering.access import require_channel, require_moderator, require_rule, require_scope
from bot.discord_app.filtering.forms import (
    LimitsForm,
    ReasonForm,
    RuleForm,
    new_rule,
    read_limits,
    read_reason,
    read_rule,
)
from bot.discord_app.filtering.importing import Importing
from bot.discord_app.known import judged_place
from bot.discord_app.modal import submitted_fields
from bot.discord_app.permissions import place_of
from bot.discord_app.router import Handler
from bot.errors import BadInput, NoRound, RuleError, TalewrightError
from bot.service.build import Services
from bot.service.filtering.lab import MAX_REASON, Author
from bot.service.filtering.views import Rule, RuleEntry, RuleKind

KINDS = list(RuleKind)
"""A form's id names a kind by its place here, so new kinds are added at the end."""
RESTORED = "The rules are as they were then; {number} changed. It holds from the next text on."


class LabClicks:
    """The handlers for the router."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lab = services.filters
        self.handlers: dict[Verb, Handler] = {
            Verb.LAB: self.lab,
            Verb.RULE: self.rule,
            Verb.SWITCH: self.switch,
            Verb.EDIT: self.edit,
            Verb.LIMITS: self.limits,
            Verb.NEW_RULE: self.save_new,
            Verb.CHANGE_RULE: self.save_change,
            Verb.LIMIT_RULE: self.save_limits,
            Verb.TRY: self.try_out,
            Verb.REMOVE: self.remove,
            Verb.VERSIONS: self.versions,
            Verb.BACK: self.go_back,
            Verb.CHANGES: self.changes,
            Verb.RESTORE: self.restore,
            Verb.TAKE_OVER: Importing(services.filters).take_over,
            Verb.SAY_WHY: self.say_why,
            Verb.SAID_WHY: self.save_why,
            Verb.FIGURES: self.figures,
            Verb.WITHHELD: self.withheld,
        }

    async def lab(self, interaction: discord.Interaction, page: int, search: str = "") -> None:
        require_moderator(interaction)
        view = await self._lab.look(judged_place(interaction))
        await replies.turn(interaction, drawing.lab_page(view, page, search))

    async def rule(self, interaction: discord.Interaction, rule_id: int) -> None:
        require_moderator(interaction)
        await replies.turn(interaction, drawing.rule_page(await self._entry(interaction, rule_id), interaction.user.id))

    async def switch(self, interaction: discord.Interaction, rule_id: int, mode: int) -> None:
        entry = await self._changeable(interaction, rule_id)
        if mode >= len(drawing.MODES):
            raise BadInput("There is no such switch.")
        changed = await self._lab.switch(
            _guild(interaction), entry.stored.id, drawing.MODES[mode], _author(interaction)
        )
        await replies.turn(interaction, drawing.rule_page(changed, interaction.user.id))

    async def edit(self, interaction: discord.Interaction, rule_id: int) -> None:
        entry = await self._changeable(interaction, rule_id)
        rule = _readable(entry)
        action = Action(Verb.CHANGE_RULE, (rule_id, entry.stored.version))
        await interaction.response.send_modal(RuleForm("Change the rule", action, rule, rule.mode))

    async def limits(self, interaction: discord.Interaction, rule_id: int) -> None:
        entry = await self._changeable(interaction, rule_id)
        action = Action(Verb.LIMIT_RULE, (rule_id, entry.stored.version))
        await interaction.response.send_modal(LimitsForm(action, _readable(entry)))

    async def save_new(self, interaction: discord.Interaction, is_server: int, kind: int) -> None:
        """A new rule, or its trial."""
        if kind >= len(KINDS):
            raise BadInput("There is no such kind of rule.")
        try:
            channel_id = None if is_server else place_of(interaction).channel_id
            rule, is_trial = read_rule(interaction, new_rule(KINDS[kind], channel_id))
            require_scope(interaction, is_server=await self._lab.loosens(_guild(interaction), rule))
            if is_trial:
                await self._show_trial(interaction, rule, None)
                return
            entry = await self._lab.add(_guild(interaction), rule, _author(interaction))
            await replies.show(interaction, drawing.rule_page(entry, interaction.user.id))
        except TalewrightError as error:
            await replies.report(interaction, error, _typed(interaction))

    async def save_change(self, interaction: discord.Interaction, rule_id: int, version: int) -> None:
        """A rule's next version, or the trial of what it would be."""
        try:
            entry = await self._changeable(interaction, rule_id)
            rule, is_trial = read_rule(interaction, _readable(entry))
            require_scope(interaction, is_server=await self._lab.loosens(_guild(interaction), rule))
            if is_trial:
                await self._show_trial(interaction, rule, rule_id)
                return
            changed = await self._lab.change(_guild(interaction), rule_id, rule, version, _author(interaction))
            await replies.show(interaction, drawing.rule_page(changed, interaction.user.id))
        except TalewrightError as error:
            await replies.report(interaction, error, _typed(interaction))

    async def save_limits(self, interaction: discord.Interaction, rule_id: int, version: int) -> None:
        """Whom a rule is for."""
        entry = await self._changeable(interaction, rule_id)
        rule = read_limits(interaction, _readable(entry))
        changed = await self._lab.change(_guild(interaction), rule_id, rule, version, _author(interaction))
        await replies.show(interaction, drawing.rule_page(changed, interaction.user.id))

    async def try_out(self, interaction: discord.Interaction, rule_id: int) -> None:
        require_moderator(interaction)
        await self._show_trial(interaction, _readable(await self._entry(interaction, rule_id)), rule_id)

    async def remove(self, interaction: discord.Interaction, rule_id: int) -> None:
        await self._changeable(interaction, rule_id)
        await self._lab.remove(_guild(interaction), rule_id, _author(interaction))
        versions = await self._lab.versions(_guild(interaction), rule_id)
        await replies.turn(interaction, drawing.versions_page(versions, 0, interaction.user.id))

    async def versions(self, interaction: discord.Interaction, rule_id: int, page: int) -> None:
        require_moderator(interaction)
        found = await self._lab.versions(_guild(interaction), rule_id)
        if found[0].channel_id is not None:
            require_channel(interaction, found[0].channel_id)
        await replies.turn(interaction, drawing.versions_page(found, page, interaction.user.id))

    async def go_back(self, interaction: discord.Interaction, rule_id: int, version: int) -> None:
        """Also for a rule that was taken away, so it is judged by what it will be."""
        guild_id = _guild(interaction)
        rule = await self._lab.rule_then(guild_id, rule_id, version)
        is_here = rule.channel_id == place_of(interaction).channel_id
        require_scope(interaction, is_server=not is_here or await self._lab.loosens(guild_id, rule))
        await self._require_changeable_if_there(interaction, rule_id)
        entry = await self._lab.go_back(guild_id, rule_id, version, _author(interaction))
        await replies.turn(interaction, drawing.rule_page(entry, interaction.user.id))

    async def changes(self, interaction: discord.Interaction, before_id: int) -> None:
        """The changes before that one; 0: the last ones."""
        require_moderator(interaction)
        found = await self._lab.revisions(
            _guild(interaction), before_id=before_id or None, limit=drawing.CHANGES_PER_PAGE + 1
        )
        page = drawing.changes_page(found, interaction.user.id, is_newest=before_id == 0)
        await replies.turn(interaction, page)

    async def restore(self, interaction: discord.Interaction, revision_id: int) -> None:
        require_scope(interaction, is_server=True)
        made = await self._lab.restore(_guild(interaction), revision_id, _author(interaction))
        told = RESTORED.format(number=made.num_rules + made.num_levels)
        await replies.say(interaction, told, beside=drawing.why_beside(made.id))

    async def say_why(self, interaction: discord.Interaction, change: int, rule_id: int) -> None:
        """Asks why a change was made."""
        require_moderator(interaction)
        await interaction.response.send_modal(ReasonForm(Action(Verb.SAID_WHY, (change, rule_id))))

    async def save_why(self, interaction: discord.Interaction, change: int, rule_id: int) -> None:
        """The reason, for a change that its author has made; shown where it was asked for."""
        require_moderator(interaction)
        by = _author(interaction)
        await self._lab.explain_change(_guild(interaction), change, by)
        if interaction.message is not None and interaction.message.content:
            await replies.amend(interaction, f"-# Reason: {words.name(by.reason, MAX_REASON)}")
        elif rule_id == 0:
            await self.changes(interaction, 0)
        elif (await self._lab.versions(_guild(interaction), rule_id))[0].body is None:
            await self.versions(interaction, rule_id, 0)
        else:
            await self.rule(interaction, rule_id)

    async def figures(self, interaction: discord.Interaction, page: int) -> None:
        require_moderator(interaction)
        view = await self._lab.look(judged_place(interaction))
        found = await self._lab.figures(_guild(interaction))
        await replies.turn(interaction, drawing.figures_page(found, view.health, page))

    async def withheld(self, interaction: discord.Interaction, round_id: int, page: int) -> None:
        """From the ballot, which everybody sees, or from a page of these: the answer is private both times."""
        require_moderator(interaction)
        place = place_of(interaction)
        round_ = (await self._services.rounds.view(round_id)).round
        if round_.guild_id != place.guild_id:
            raise NoRound("There is no such round here.")
        require_channel(interaction, round_.channel_id)
        found = await self._lab.withheld(place.guild_id, round_.channel_id, round_id)
        is_private = interaction.message is not None and interaction.message.flags.ephemeral
        page_drawing = drawing.withheld_page(found, page)
        await (replies.turn if is_private else replies.show)(interaction, page_drawing)

    async def _show_trial(self, interaction: discord.Interaction, rule: Rule, rule_id: int | None) -> None:
        """Looking takes a while: the event loop goes on, and Discord is told that it does."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        trial = await self._services.trials.run(_guild(interaction), rule)
        await replies.show(interaction, drawing.trial_page(trial, rule_id=rule_id))

    async def _entry(self, interaction: discord.Interaction, rule_id: int) -> RuleEntry:
        """A rule that may be looked at from here."""
        entry = await self._lab.rule(_guild(interaction), rule_id)
        if entry.stored.channel_id is not None:
            require_channel(interaction, entry.stored.channel_id)
        return entry

    async def _changeable(self, interaction: discord.Interaction, rule_id: int) -> RuleEntry:
        """A rule that this member may change."""
        require_moderator(interaction)
        entry = await self._lab.rule(_guild(interaction), rule_id)
        require_rule(interaction, entry)
        return entry

    async def _require_changeable_if_there(self, interaction: discord.Interaction, rule_id: int) -> None:
        view = await self._lab.look(judged_place(interaction))
        if any(entry.stored.id == rule_id for entry in view.entries):
            await self._changeable(interaction, rule_id)


def _guild(interaction: discord.Interaction) -> int:
    return place_of(interaction).guild_id


def _author(interaction: discord.Interaction) -> Author:
    """With the reason, where a form had one."""
    return Author(interaction.user.id, read_reason(interaction))


def _readable(entry: RuleEntry) -> Rule:
    if entry.rule is None:
        raise RuleError(entry.problem or "This rule can’t be read.")
    return entry.rule


def _typed(interaction: discord.Interaction) -> str | None:
    """What a moderator would not want to type again."""
    said = submitted_fields(interaction)
    return "\n".join(str(said.get(name) or "") for name in ("name", "entries") if said.get(name)) or None
