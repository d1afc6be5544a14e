"""What holds members back: bars, stops and quotas, as plain values; and how long a bar may last."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from bot.errors import BadInput

HOUR = timedelta(hours=1)
"""Quotas count what was begun within the last hour, at any moment: no full hour sets them back to zero."""
SHORTEST_BAR = timedelta(minutes=1)
LONGEST_BAR = timedelta(days=365)
"""No bar is for ever: who should never come back is removed from the server, which is not the bot's business."""
BAR_BOUNDS = "from 1 minute to 365 days, such as “30 minutes”, “12 h” or “1 week 2 days”"
STOPPED_ROUND = "A moderator stopped the bot here."
"""The `failure` of a round that a stop cancelled."""

_UNITS = {
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(weeks=1): ("w", "week", "weeks"),
}
_LENGTH_OF = {name: unit for unit, names in _UNITS.items() for name in names}
_PART = re.compile(r"(\d{1,6})\s*([a-z]+)", re.ASCII)


@dataclass(frozen=True)
class Quotas:
    """How much may be begun and written within an hour, and how many seconds lie between a member's rounds.

    0 is no limit. The `member_…` ones count what the member did in the whole server.
    """

    member_rounds_per_hour: int = 30
    channel_rounds_per_hour: int = 60
    server_rounds_per_hour: int = 240
    member_cooldown: int = 0
    member_texts_per_hour: int = 60

    def for_moderator(self) -> Quotas:
        """Moderators have no limits of their own; those of the channel and the server spare the machine, so they hold
        for everybody."""
        return replace(self, member_rounds_per_hour=0, member_cooldown=0, member_texts_per_hour=0)


LIMITS = tuple(field.name for field in fields(Quotas))
"""The settings that are limits: see `bot.story.settings`."""


@dataclass(frozen=True)
class Admission:
    """What a round or a text has to pass in the very transaction that would store it.

    `with_text`: the round is begun for a text that will follow at once, so it counts as both.
    """

    quotas: Quotas
    parent_channel_id: int | None = None
    with_text: bool = False


@dataclass(frozen=True)
class Bar:
    """A member whom a moderator keeps from the bot until a moment."""

    guild_id: int
    user_id: int
    until: datetime
    barred_by: int
    barred_at: datetime
    reason: str


@dataclass(frozen=True)
class Stop:
    """A channel, or the whole server where `channel_id` is None, in which a moderator stopped the bot."""

    guild_id: int
    channel_id: int | None
    stopped_by: int
    stopped_at: datetime
    reason: str = ""


@dataclass(frozen=True)
class LogChannel:
    """Where a server reads its audit log, and why the last attempt to post there failed, if it did."""

    guild_id: int
    channel_id: int
    failure: str | None = None


def parse_duration(text: str) -> timedelta:
    """How long a bar lasts. Raises BadInput with the bounds."""
    wanted = " ".join(text.casefold().replace(",", " ").replace(" and ", " ").split())
    parts = _PART.findall(wanted)
    is_understood = bool(parts) and not _PART.sub("", wanted).strip() and all(unit in _LENGTH_OF for _, unit in parts)
    length = sum((int(number) * _LENGTH_OF[unit] for number, unit in parts), timedelta()) if is_understood else None
    if length is None or not SHORTEST_BAR <= length <= LONGEST_BAR:
        raise BadInput(f"“{text.strip()[:50]}” is no time for a bar: it lasts {BAR_BOUNDS}.")
    return length
