"""A server's AutoMod rules as rules of ours, as far as they can be: AutoMod never looks at what a bot posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.errors import RuleError
from bot.filters import Action, Mode, Rule, RuleKind, check_rule
from bot.filters.rules import MAX_NAME


class Trigger(StrEnum):
    """What sets an AutoMod rule off, as far as it can be said here."""

    KEYWORDS = "keywords"
    MENTIONS = "mentions"
    PRESETS = "presets"
    OTHER = "other"


@dataclass(frozen=True)
class AutoModRule:
    """One of AutoMod's rules, as Discord tells it. `mention_limit` is of the trigger MENTIONS."""

    name: str
    trigger: Trigger
    is_enabled: bool
    keywords: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    exempt_roles: frozenset[int] = frozenset()
    has_exempt_channels: bool = False
    mention_limit: int | None = None


def translate(found: Sequence[AutoModRule]) -> tuple[list[Rule], list[str]]:
    """Our rules, and sentences on what of AutoMod's could not be taken over. Those that are off there are off here."""
    rules: list[Rule] = []
    notes: list[str] = []
    for one in found:
        made = _TRANSLATORS[one.trigger](one, notes)
        rules += made
        if made and one.has_exempt_channels:
            notes.append(f"“{one.name}” leaves some channels out in AutoMod; here it holds in all of them.")
    return _with_own_names(rules), notes


def _with_own_names(rules: Sequence[Rule]) -> list[Rule]:
    """AutoMod lets two rules have one name."""
    named: dict[str, Rule] = {}
    for rule in rules:
        name, number = rule.name, 1
        while name.casefold() in named:
            number += 1
            name = f"{rule.name[: MAX_NAME - 5]} {number}"
        named[name.casefold()] = replace(rule, name=name)
    return list(named.values())


def _keywords(one: AutoModRule, notes: list[str]) -> list[Rule]:
    made = [
        _rule(one, "", RuleKind.WORDS, one.keywords, notes),
        _rule(one, " (patterns)", RuleKind.REGEX, one.patterns, notes),
        _rule(one, " (allowed)", RuleKind.WORDS, one.allowed, notes, Action.ALLOW),
    ]
    return [rule for rule in made if rule is not None]


def _mentions(one: AutoModRule, notes: list[str]) -> list[Rule]:
    limit = one.mention_limit or 0
    rule = Rule(
        *(_name(one, ""), RuleKind.MENTIONS),
        category="mentions",
        mode=_mode(one),
        bypass_roles=one.exempt_roles,
        options={"max": limit},
    )
    return [rule] if _is_usable(rule, notes) else []


def _presets(one: AutoModRule, notes: list[str]) -> list[Rule]:
    notes.append(
        f"“{one.name}” uses Discord’s own word lists, which Discord tells nobody. The levels here stand for them."
    )
    return []


def _other(one: AutoModRule, notes: list[str]) -> list[Rule]:
    notes.append(f"“{one.name}” is of a kind that looks at who writes, not at words, so it was left out.")
    return []


def _rule(
    one: AutoModRule,
    suffix: str,
    kind: RuleKind,
    patterns: Sequence[str],
    notes: list[str],
    action: Action = Action.BLOCK,
) -> Rule | None:
    """The rule with the patterns that can be used; each of the others makes a note."""
    roles = frozenset() if action is Action.ALLOW else one.exempt_roles
    made = Rule(_name(one, suffix), kind, (), action=action, mode=_mode(one), bypass_roles=roles)
    written = dict.fromkeys(pattern.strip() for pattern in patterns)
    usable = [pattern for pattern in written if _is_usable(replace(made, patterns=(pattern,)), notes)]
    return replace(made, patterns=tuple(usable)) if usable else None


def _is_usable(rule: Rule, notes: list[str]) -> bool:
    try:
        check_rule(rule)
    except RuleError as error:
        notes.append(f"From “{rule.name}” something was left out: {error}")
        return False
    return True


def _name(one: AutoModRule, suffix: str) -> str:
    return f"{one.name.strip()[: MAX_NAME - len(suffix)]}{suffix}"


def _mode(one: AutoModRule) -> Mode:
    return Mode.ON if one.is_enabled else Mode.OFF


_TRANSLATORS: dict[Trigger, Callable[[AutoModRule, list[str]], list[Rule]]] = {
    Trigger.KEYWORDS: _keywords,
    Trigger.MENTIONS: _mentions,
    Trigger.PRESETS: _presets,
    Trigger.OTHER: _other,
}
