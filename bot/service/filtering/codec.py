"""Rules and levels as JSON: in the database's column, and in files that servers exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.errors import RuleError
from bot.filters.base import Action, Mode, TextKind
from bot.filters.levels import LISTED, Level, Tier
from bot.filters.rules import Rule, RuleKind
from bot.service.filtering.choice import Choice
from bot.store import StoredRule

FIELDS = ("name", "kind", "patterns", "category", "action", "mode", "text_kinds", "bypass_roles", "tiers", "options")


def rule_to_mapping(rule: Rule) -> dict[str, Any]:
    """The rule without where it stands; sets are sorted, so that equal rules read the same."""
    return {
        "name": rule.name,
        "kind": rule.kind.value,
        "patterns": list(rule.patterns),
        "category": rule.category,
        "action": rule.action.value,
        "mode": rule.mode.value,
        "text_kinds": sorted(rule.text_kinds),
        "bypass_roles": sorted(rule.bypass_roles),
        "tiers": sorted(rule.tiers),
        "options": dict(sorted(rule.options.items())),
    }


def rule_to_text(rule: Rule) -> str:
    """What is stored."""
    return json.dumps(rule_to_mapping(rule), ensure_ascii=False)


def rule_of(stored: StoredRule) -> Rule:
    """The rule of a stored version. Raises RuleError where it can't be read, which a newer program may have caused."""
    return rule_from_mapping(json.loads(stored.body or "{}"), stored.id, stored.channel_id)


def rule_from_mapping(fields: object, rule_id: int | None = None, channel_id: int | None = None) -> Rule:
    """Raises RuleError naming the field that is wrong, missing or unknown. What may be left out has its default."""
    if not isinstance(fields, Mapping):
        raise RuleError("A rule is an object with a name and a kind.")
    unknown = [str(name) for name in fields if name not in FIELDS]
    if unknown:
        raise RuleError(f"A rule has no field “{unknown[0][:50]}”. It has: {', '.join(FIELDS)}.")
    return Rule(
        name=_text(fields, "name"),
        kind=_one_of(RuleKind, fields, "kind"),
        patterns=tuple(_list(fields, "patterns", str)),
        category=_text(fields, "category", "custom"),
        action=_one_of(Action, fields, "action", Action.BLOCK),
        mode=_one_of(Mode, fields, "mode", Mode.ON),
        text_kinds=frozenset(_member(TextKind, value, "text_kinds") for value in _list(fields, "text_kinds", str)),
        bypass_roles=frozenset(_list(fields, "bypass_roles", int)),
        tiers=frozenset(_member(Tier, value, "tiers") for value in _list(fields, "tiers", str)),
        options=_options(fields),
        id=rule_id,
        channel_id=channel_id,
    )


def choice_to_text(choice: Choice) -> str | None:
    """What is stored; None for a place that chose nothing."""
    if choice.is_empty:
        return None
    tier = None if choice.tier is None else choice.tier.value
    return json.dumps({"tier": tier, "levels": levels_to_mapping(choice.levels)})


def levels_to_mapping(levels: Mapping[str, Level]) -> dict[str, str]:
    """What a place chose of the ready-made lists."""
    return {category: level.value for category, level in sorted(levels.items())}


def levels_from_mapping(fields: object) -> dict[str, Level]:
    """Raises RuleError naming the list or the level that is not known."""
    if not isinstance(fields, Mapping):
        raise RuleError("“levels” has a level for each list, by the list’s name.")
    unknown = [str(name) for name in fields if name not in LISTED]
    if unknown:
        raise RuleError(f"There is no list “{unknown[0][:50]}”. There are: {', '.join(LISTED)}.")
    return {str(name): _level(str(name), value) for name, value in fields.items()}


def _level(category: str, value: object) -> Level:
    known = [level.value for level in Level]
    if value not in known:
        raise RuleError(f"The level of “{category}” can’t be “{str(value)[:50]}”. It is one of: {', '.join(known)}.")
    return Level(value)


def choice_of(text: str | None) -> Choice:
    """The choice of a stored text. A category or level that is not known any more counts as not chosen."""
    if text is None:
        return Choice()
    fields = json.loads(text)
    levels = {
        category: Level(level)
        for category, level in fields["levels"].items()
        if category in LISTED and level in set(Level)
    }
    return Choice(None if fields["tier"] is None else Tier(fields["tier"]), levels)


def _text(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise RuleError(f"A rule’s “{name}” is a text.")
    return value.strip()


def _list(fields: Mapping[str, Any], name: str, wanted: type) -> list[Any]:
    found = fields.get(name) or []
    if not isinstance(found, list) or not all(type(value) is wanted for value in found):
        raise RuleError(f"A rule’s “{name}” is a list of {'numbers' if wanted is int else 'texts'}.")
    return found


def _one_of(wanted: Any, fields: Mapping[str, Any], name: str, default: Any = None) -> Any:
    return _member(wanted, fields.get(name, default), name)


def _member(wanted: Any, value: object, name: str) -> Any:
    known = [one.value for one in wanted]
    if value not in known:
        raise RuleError(f"A rule’s “{name}” can’t be “{str(value)[:50]}”. It is one of: {', '.join(known)}.")
    return wanted(value)


def _options(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    options = fields.get("options") or {}
    if not isinstance(options, Mapping) or not all(isinstance(value, str | int | float) for value in options.values()):
        raise RuleError("A rule’s “options” are names with a text, a number, true or false each.")
    return dict(options)
