"""Quotas: counted from the rounds and texts that are stored, in the transaction that would store one more."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import OverQuota
from bot.store import rows
from bot.store.database import Reader, Transaction, Value
from bot.story.limits import HOUR, Admission, Quotas

NEXT_ROUND = "You can begin the next round"
NEXT_ROUND_HERE = "The next round can begin"
NEXT_TEXT = "You can write the next text"

# A round that "none of these" led to is nobody's own: it counts for the channel and the server only.
OF_MEMBER = "rounds WHERE guild_id = ? AND opened_by = ? AND reroll = 0"
OF_CHANNEL = "rounds WHERE channel_id = ?"
OF_SERVER = "rounds WHERE guild_id = ?"
TEXTS = "written_texts WHERE guild_id = ? AND user_id = ?"


async def require_round_quota(
    tx: Transaction, admission: Admission, guild_id: int, channel_id: int, user_id: int, now: datetime
) -> None:
    """Raises OverQuota where the member, the channel or the server has begun as much as is allowed."""
    quotas = admission.quotas
    await _require_pause(tx, quotas, guild_id, user_id, now)
    for most, of, owner, sentence, then in (
        (
            quotas.member_rounds_per_hour,
            OF_MEMBER,
            (guild_id, user_id),
            "You have begun {} within an hour, as many as a member may.",
            NEXT_ROUND,
        ),
        (
            quotas.channel_rounds_per_hour,
            OF_CHANNEL,
            (channel_id,),
            "This channel has had {} within an hour, as many as it may.",
            NEXT_ROUND_HERE,
        ),
        (
            quotas.server_rounds_per_hour,
            OF_SERVER,
            (guild_id,),
            "This server has had {} within an hour, as many as it may.",
            NEXT_ROUND_HERE,
        ),
    ):
        until = await _free_at(tx, most, of, "opened_at", owner, now)
        if until is not None:
            raise OverQuota(sentence.format(_count(most, "round")), then, until)


async def count_text(tx: Transaction, most: int, guild_id: int, round_id: int, user_id: int, now: datetime) -> None:
    """Counts a member's text for a round, once. Raises OverQuota where `most` (0 is any) were written in an hour."""
    known = await tx.fetch_one("SELECT 1 FROM written_texts WHERE round_id = ? AND user_id = ?", round_id, user_id)
    if known is not None:
        return
    await require_text_quota(tx, most, guild_id, user_id, now)
    await tx.execute("INSERT INTO written_texts VALUES (?, ?, ?, ?)", round_id, user_id, guild_id, rows.stamp(now))


async def require_text_quota(reader: Reader, most: int, guild_id: int, user_id: int, now: datetime) -> None:
    """Raises OverQuota where the member has written as many texts as is allowed."""
    until = await _free_at(reader, most, TEXTS, "written_at", (guild_id, user_id), now)
    if until is not None:
        written = _count(most, "text")
        raise OverQuota(f"You have written {written} within an hour, as many as a member may.", NEXT_TEXT, until)


async def _require_pause(reader: Reader, quotas: Quotas, guild_id: int, user_id: int, now: datetime) -> None:
    if quotas.member_cooldown == 0:
        return
    row = await reader.fetch_one(f"SELECT max(opened_at) AS last FROM {OF_MEMBER}", guild_id, user_id)  # noqa: S608
    last = None if row is None else rows.time_or_none(row["last"])
    if last is None:
        return
    until = last + timedelta(seconds=quotas.member_cooldown)
    if now < until:
        pause = _count(quotas.member_cooldown, "second")
        raise OverQuota(f"Between two rounds of yours lie at least {pause} here.", NEXT_ROUND, until)


async def _free_at(
    reader: Reader, most: int, of: str, column: str, owner: tuple[Value, ...], now: datetime
) -> datetime | None:
    """When there is room for one more, None where there is now: an hour after the `most`-th last one."""
    if most == 0:
        return None
    row = await reader.fetch_one(
        f"SELECT {column} AS at FROM {of} AND {column} > ? ORDER BY {column} DESC LIMIT 1 OFFSET ?",  # noqa: S608
        *(*owner, rows.stamp(now - HOUR), most - 1),
    )
    return None if row is None else rows.time_of(row["at"]) + HOUR


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"
