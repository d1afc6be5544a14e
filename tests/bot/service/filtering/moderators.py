"""What tests of the lab have in common: a moderator, short rules, and somebody who takes what is flagged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.filters import Rule, RuleKind
from bot.service.filtering.known import UNKNOWN, Known, Place
from bot.service.filtering.lab import Author
from bot.service.filtering.sinks import Flagged
from tests.bot.service.world import CHANNEL, GUILD

MODERATOR = 900
BY = Author(MODERATOR, "because")


def words(name: str, *patterns: str, **what: Any) -> Rule:
    """A rule on words; by default it blocks them everywhere in the server."""
    return Rule(name, RuleKind.WORDS, patterns or (name,), **what)


def place(channel_id: int = CHANNEL, known: Known = UNKNOWN) -> Place:
    return Place(GUILD, channel_id, known)


@dataclass
class Desk:
    """A moderators' desk that keeps what it is told."""

    flagged: list[Flagged] = field(default_factory=list)
    is_broken: bool = False

    async def flag(self, flagged: Flagged) -> None:
        if self.is_broken:
            raise ConnectionError("nobody is at the desk")
        self.flagged.append(flagged)
