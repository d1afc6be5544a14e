"""What a server and its channels choose of the ready-made lists, and what holds where. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.filters.base import Action, Mode
from bot.filters.levels import Level, Levels, Tier
from bot.filters.rules import Rule

NO_LEVELS: Mapping[str, Level] = MappingProxyType({})


@dataclass(frozen=True)
class Choice:
    """What one place chose itself: `tier` is whom its age-restricted channels are for; None, and what is not named in
    `levels`, is not chosen here.
    """

    tier: Tier | None = None
    levels: Mapping[str, Level] = field(default_factory=lambda: NO_LEVELS, hash=False)

    @property
    def is_empty(self) -> bool:
        return self.tier is None and not self.levels


def with_levels(choice: Choice, levels: Mapping[str, Level | None]) -> Choice:
    """The same with these levels; None: no longer chosen here."""
    chosen = {**choice.levels, **levels}
    return replace(choice, levels={category: level for category, level in chosen.items() if level is not None})


def tier_of(choices: Sequence[Choice], *, is_age_restricted: bool) -> Tier:
    """Whom a channel is for. `choices` go from the server to the place itself; the last that chose decides.

    Only a channel that Discord itself restricts by age is ever for others than everybody.
    """
    chosen = [choice.tier for choice in choices if choice.tier is not None]
    return chosen[-1] if chosen and is_age_restricted else Tier.GENERAL


def levels_of(choices: Sequence[Choice], tier: Tier) -> Levels:
    """How strict the ready-made lists are: the tier's defaults, with what the server and then the place chose."""
    levels = Levels.of_tier(tier)
    for choice in choices:
        for category, level in choice.levels.items():
            levels = levels.with_level(category, level)
    return levels


def rules_in(rules: Sequence[Rule], places: Sequence[int | None]) -> list[Rule]:
    """The rules that hold at the last of `places`, which go from the server (None) over a channel to its thread.

    A place inherits what stands above it; a rule of the same name takes the place of the one above.
    """
    holding: dict[str, Rule] = {}
    for place in places:
        for rule in rules:
            if rule.channel_id == place:
                holding.pop(rule.name.casefold(), None)
                holding[rule.name.casefold()] = rule
    return [rule for rule in holding.values() if rule.mode is not Mode.OFF]


def overridden(rule: Rule, rules: Sequence[Rule]) -> Rule | None:
    """The server's rule that a channel's rule takes the place of, in its channel."""
    if rule.channel_id is None:
        return None
    name = rule.name.casefold()
    return next((one for one in rules if one.channel_id is None and one.name.casefold() == name), None)


def loosens(rule: Rule, rules: Sequence[Rule]) -> bool:
    """Whether a channel's rule lets something pass there that the server's rules stop: for the server to decide.

    An exception does, and so may one that takes the place of a rule of the server's.
    """
    return rule.channel_id is not None and (rule.action is Action.ALLOW or overridden(rule, rules) is not None)


def is_looser(level: Level, than: Level) -> bool:
    """Whether a level stops less."""
    order = list(Level)
    return order.index(level) < order.index(than)
