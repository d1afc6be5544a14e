"""The forms of a rule, and how submitted ones are read: from the interaction alone, so that a restart loses no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.discord_app.buttons import Action as Id
from bot.discord_app.filtering import words
from bot.discord_app.modal import submitted_fields
from bot.errors import BadInput, RuleError
from bot.service.filtering.lab import MAX_REASON
from bot.service.filtering.views import Action, Mode, Rule, RuleKind, TextKind, Tier

NAME, ENTRIES, ACTION, MODE, REASON = "name", "entries", "action", "mode", "reason"
CATEGORY, KINDS, TIERS, ROLES, OPTIONS = "category", "kinds", "tiers", "roles", "options"
ONLY_TRY = "try"
CATEGORY_OF_NEW = "this server's rules"
MAX_ENTRIES = 4000
"""What a form's field can hold."""
TOO_LONG = (
    "This rule’s entries do not fit into a form. Export the rules with /filters export, change the file, and import it."
)


class RuleForm(discord.ui.Modal):
    """What a rule looks for and does. Finished from the start, like every form here: see `modal.WriteModal`."""

    def __init__(self, title: str, action: Id, rule: Rule, mode: Mode) -> None:
        super().__init__(title=title, custom_id=action.custom_id)
        entries = "\n".join(rule.patterns)
        if len(entries) > MAX_ENTRIES:
            raise BadInput(TOO_LONG)
        self.add_item(_line("Name", NAME, rule.name, 60, "Unique in this server or channel"))
        self.add_item(
            discord.ui.Label(
                text="What it looks for",
                description=words.ENTRIES_HELP[rule.kind],
                component=discord.ui.TextInput(
                    custom_id=ENTRIES,
                    style=discord.TextStyle.paragraph,
                    default=entries or None,
                    max_length=MAX_ENTRIES,
                    required=False,
                ),
            )
        )
        does = [(one.value, words.ACTIONS[one], one is rule.action) for one in Action]
        self.add_item(discord.ui.Label(text="What it does", component=_select(ACTION, does)))
        switch = [(one.value, words.MODES[one], one is mode) for one in Mode]
        switch.append((ONLY_TRY, "save nothing, only try it on past texts", False))
        self.add_item(discord.ui.Label(text="From now on it is", component=_select(MODE, switch)))
        self.add_item(_line("Reason", REASON, "", MAX_REASON, "For the versions and the audit log", required=False))
        self.stop()


class LimitsForm(discord.ui.Modal):
    """Which texts, channels and members a rule is for, what writers are told, and its options."""

    def __init__(self, action: Id, rule: Rule) -> None:
        super().__init__(title="Whom the rule is for", custom_id=action.custom_id)
        kinds = [(one.value, one.value, one in rule.text_kinds) for one in TextKind]
        tiers = [(one.value, words.TIERS[one], one in rule.tiers) for one in Tier]
        roles: Any = discord.ui.RoleSelect(
            custom_id=ROLES,
            min_values=0,
            max_values=25,
            required=False,
            default_values=[
                discord.SelectDefaultValue(id=role, type=discord.SelectDefaultValueType.role)
                for role in sorted(rule.bypass_roles)[:25]
            ],
        )
        options = "\n".join(f"{name} = {_written(value)}" for name, value in sorted(rule.options.items()))
        self.add_item(_line("Category", CATEGORY, rule.category, 60, "The writer of a refused text is told this"))
        self.add_item(
            discord.ui.Label(text="Kinds of text", description="None: all", component=_select(KINDS, kinds, many=True))
        )
        self.add_item(
            discord.ui.Label(text="Channels for", description="None: all", component=_select(TIERS, tiers, many=True))
        )
        self.add_item(discord.ui.Label(text="Not for members with these roles", component=roles))
        self.add_item(
            discord.ui.Label(
                text="Options",
                description="One per line: name = value",
                component=discord.ui.TextInput(
                    custom_id=OPTIONS,
                    style=discord.TextStyle.paragraph,
                    default=options or None,
                    max_length=500,
                    required=False,
                ),
            )
        )
        self.stop()


class ReasonForm(discord.ui.Modal):
    """Why a change was made, asked after it: no click is ever held up by it."""

    def __init__(self, action: Id) -> None:
        super().__init__(title="Why was this changed?", custom_id=action.custom_id)
        self.add_item(_line("Reason", REASON, "", MAX_REASON, "For the versions and the audit log"))
        self.stop()


def read_reason(interaction: discord.Interaction) -> str:
    """Why the rule is changed, empty where that was not said."""
    return str(submitted_fields(interaction).get(REASON) or "")


def read_rule(interaction: discord.Interaction, old: Rule) -> tuple[Rule, bool]:
    """`old` with what was submitted, and whether it is only to be tried. Raises RuleError."""
    said = submitted_fields(interaction)
    mode = _first(said, MODE)
    is_trial = mode == ONLY_TRY
    made = replace(
        old,
        name=str(said.get(NAME) or "").strip(),
        patterns=tuple(
            dict.fromkeys(line.strip() for line in str(said.get(ENTRIES) or "").splitlines() if line.strip())
        ),
        action=_known(Action, _first(said, ACTION)),
        mode=old.mode if is_trial else _known(Mode, mode),
    )
    return made, is_trial


def read_limits(interaction: discord.Interaction, old: Rule) -> Rule:
    """`old` with whom it is for, as submitted. Raises RuleError."""
    said = submitted_fields(interaction)
    roles = frozenset(int(role) for role in _all(said, ROLES) if role.isdecimal())
    # A form shows 25 roles at most: the others stay as they are.
    kept = frozenset(sorted(old.bypass_roles)[25:])
    return replace(
        old,
        category=str(said.get(CATEGORY) or "").strip(),
        text_kinds=frozenset(_known(TextKind, value) for value in _all(said, KINDS)),
        tiers=frozenset(_known(Tier, value) for value in _all(said, TIERS)),
        bypass_roles=roles | kept,
        options=read_options(str(said.get(OPTIONS) or "")),
    )


def read_options(written: str) -> dict[str, float | int | str | bool]:
    """Lines of `name = value`. Raises RuleError for any other line."""
    options: dict[str, float | int | str | bool] = {}
    for line in filter(None, map(str.strip, written.splitlines())):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not sign or not name or not value:
            raise RuleError(f"“{line[:60]}” is no option. Write it like: block = 0.8", written)
        options[name] = _value(value)
    return options


def _value(written: str) -> float | int | str | bool:
    if written.casefold() in ("true", "false"):
        return written.casefold() == "true"
    for number in (int, float):
        try:
            return number(written)
        except ValueError:
            continue
    return written


def _written(value: float | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(
    label: str, custom_id: str, default: str, limit: int, help_: str, *, required: bool = True
) -> discord.ui.Label[Any]:
    field: Any = discord.ui.TextInput(custom_id=custom_id, default=default or None, max_length=limit, required=required)
    return discord.ui.Label(text=label, description=help_, component=field)


def _select(custom_id: str, choices: Sequence[tuple[str, str, bool]], *, many: bool = False) -> Any:
    """A list to choose from: value, label, and whether it is chosen already."""
    options = [discord.SelectOption(label=label, value=value, default=chosen) for value, label, chosen in choices]
    return discord.ui.Select(
        custom_id=custom_id,
        options=options,
        min_values=0 if many else 1,
        max_values=len(options) if many else 1,
        required=not many,
    )


def _first(said: Mapping[str, str | list[str]], name: str) -> str:
    return next(iter(_all(said, name)), "")


def _all(said: Mapping[str, str | list[str]], name: str) -> list[str]:
    found = said.get(name) or []
    return [found] if isinstance(found, str) else found


def _known(wanted: Any, value: str) -> Any:
    """The choice with this value. Raises RuleError for one that the form did not offer."""
    for one in wanted:
        if one.value == value:
            return one
    raise RuleError("A choice of this form is not known (any more). Open it again.")


def new_rule(kind: RuleKind, channel_id: int | None) -> Rule:
    """What a form for a new rule begins with: in the shadow, so that nobody is stopped before it was looked at."""
    return Rule("", kind, category=CATEGORY_OF_NEW, mode=Mode.SHADOW, channel_id=channel_id)
