"""How strict the ready-made lists are: for each category of words, from which severity on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType


class Tier(StrEnum):
    """Whom a channel is for."""

    GENERAL = "general"
    TEEN = "teen"
    MATURE = "mature"

    @classmethod
    def _missing_(cls, value: object) -> Tier:
        return cls.GENERAL  # unknown: the strictest


class Severity(IntEnum):
    """How bad a listed word is."""

    MILD = 1
    MODERATE = 2
    STRONG = 3


class Level(StrEnum):
    """From which severity on a category's words are stopped."""

    OFF = "off"
    STRONG = "strong"
    MODERATE = "moderate"
    MILD = "mild"

    def stops(self, severity: Severity) -> bool:
        return self is not Level.OFF and severity >= Severity[self.name]


LISTED = ("profanity", "insult", "sexual", "slur", "violence")
"""The categories of the ready-made lists."""

_OF_TIER: Mapping[Tier, tuple[Level, ...]] = {
    Tier.GENERAL: (Level.MILD, Level.MILD, Level.MILD, Level.MILD, Level.MILD),
    Tier.TEEN: (Level.MODERATE, Level.STRONG, Level.MODERATE, Level.MILD, Level.MODERATE),
    Tier.MATURE: (Level.OFF, Level.OFF, Level.STRONG, Level.MODERATE, Level.STRONG),
}


@dataclass(frozen=True)
class Levels:
    """A server's choice. A category that is not named is off."""

    chosen: Mapping[str, Level] = field(hash=False)

    @classmethod
    def of_tier(cls, tier: Tier) -> Levels:
        """What holds where a server has chosen nothing."""
        return cls(MappingProxyType(dict(zip(LISTED, _OF_TIER[tier], strict=True))))

    def level(self, category: str) -> Level:
        return self.chosen.get(category, Level.OFF)

    def with_level(self, category: str, level: Level) -> Levels:
        """The same with another level for one category."""
        return Levels(MappingProxyType({**self.chosen, category: level}))
