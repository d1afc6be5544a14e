"""What Discord says of a channel and of whoever types there, as far as the caller knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.filters.base import TextKind


@dataclass(frozen=True)
class Known:
    """What is not known is judged most strictly: no channel is age-restricted, no role excuses and nobody moderates,
    unless it is said.

    `parent_id` is the channel of a thread, whose rules, limits and stops hold in it too.
    """

    user_id: int | None = None
    roles: frozenset[int] = frozenset()
    is_age_restricted: bool = False
    parent_id: int | None = None
    is_moderator: bool = False


UNKNOWN = Known()
Know = Callable[[int], Known]
"""What Discord says now of the channel with this id."""


def know_nothing(_channel_id: int) -> Known:
    """Every channel is judged most strictly."""
    return UNKNOWN


@dataclass(frozen=True)
class Place:
    """A channel or thread of a server. The bot's own texts are judged as if nobody had any role."""

    guild_id: int
    channel_id: int
    known: Known = UNKNOWN

    def roles_for(self, kind: TextKind) -> frozenset[int]:
        """The roles that may excuse a text: the model has none, whoever asked it."""
        return frozenset() if kind is TextKind.CANDIDATE else self.known.roles
