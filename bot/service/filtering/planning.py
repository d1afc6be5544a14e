"""What rules and levels from elsewhere would change in a place. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.filters import Level, Rule
from bot.service.filtering.book import ServerRules
from bot.service.filtering.codec import rule_to_text
from bot.service.filtering.views import LevelChange


@dataclass(frozen=True)
class Wanted:
    """What becomes of one rule: see `RuleChange`."""

    rule: Rule
    from_version: int | None = None


def wanted_rules(server: ServerRules, channel_id: int | None, rules: Sequence[Rule]) -> list[Wanted]:
    """What becomes of the rules in a place; those that it has already just so are left out."""
    own = {one.name.casefold(): one for one in server.stored if one.channel_id == channel_id}
    wanted = []
    for rule in rules:
        old = own.get(rule.name.casefold())
        placed = replace(rule, id=None if old is None else old.id, channel_id=channel_id)
        if old is None or old.body != rule_to_text(placed):
            wanted.append(Wanted(placed, None if old is None else old.version))
    return wanted


def level_changes(server: ServerRules, channel_id: int | None, levels: Mapping[str, Level]) -> list[LevelChange]:
    """The levels that the place has not chosen already."""
    chosen = server.choice(channel_id).levels
    return [
        LevelChange(category, chosen.get(category), level)
        for category, level in levels.items()
        if chosen.get(category) is not level
    ]
