"""Ballots: one per member and round, changeable until the round closes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import groupby

from bot.errors import BadInput, RoundOver
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction
from bot.store.rounds import count_interaction, get_round
from bot.story.model import NONE_OF_THESE, Ballot, RoundState

BALLOTS = """
    SELECT user_id, cast_at, choice FROM ballots JOIN ballot_choices USING (round_id, user_id)
    WHERE round_id = ? AND choice NOT IN (SELECT candidate_id FROM withdrawals)"""
"""Choices that count: a candidate that was taken off the ballot has none."""


class Ballots(Repository):
    """The schema allows one ballot per member and round, only the round's own candidates, and only while it is open."""

    async def ballots(self, round_id: int) -> list[Ballot]:
        """Every ballot of the round, in the order of members' ids."""
        found = await self._database.fetch_all(f"{BALLOTS} ORDER BY user_id", round_id)
        groups = (list(group) for _, group in groupby(found, key=lambda row: row["user_id"]))
        return [rows.ballot_of(group) for group in groups]

    async def ballot_of(self, round_id: int, user_id: int) -> Ballot | None:
        """The member's ballot, None where there is none (any more)."""
        return await get_ballot(self._database, round_id, user_id)

    async def cast(
        self, round_id: int, user_id: int, choices: frozenset[int], interaction_id: int | None, now: datetime
    ) -> Ballot | None:
        """Sets the member's ballot to `choices`; empty ones withdraw it. Returns the ballot as it is now.

        The same interaction again changes nothing. Raises RoundOver, NoRound, BadInput (not on this ballot).
        """
        async with self._database.transaction() as tx:
            if not await _counts(tx, round_id, interaction_id):
                return await get_ballot(tx, round_id, user_id)
            return await _set_ballot(tx, round_id, user_id, choices, now)

    async def toggle(
        self,
        round_id: int,
        user_id: int,
        choice: int,
        interaction_id: int | None,
        now: datetime,
        rule: Callable[[frozenset[int], int], frozenset[int]],
    ) -> Ballot | None:
        """One click: sets the ballot to `rule(choices so far, choice)` and returns it.

        Read and written in one transaction, so two fast clicks never lose one. Until `confirm_click`, the same click
        again is taken for an impatient repetition and changes nothing. Otherwise like `cast`.
        """
        async with self._database.transaction() as tx:
            if not await _counts(tx, round_id, interaction_id):
                return await get_ballot(tx, round_id, user_id)
            await _require_candidates(tx, round_id, frozenset({choice}))
            ballot = await get_ballot(tx, round_id, user_id)
            choices = frozenset() if ballot is None else ballot.choices
            if await _is_repeated(tx, round_id, user_id, choice, is_chosen=choice in choices):
                return ballot
            changed = rule(choices, choice)
            await tx.execute(
                "INSERT OR REPLACE INTO unconfirmed_clicks VALUES (?, ?, ?, ?)",
                *(round_id, user_id, choice, int(choice in changed)),
            )
            return await _set_ballot(tx, round_id, user_id, changed, now)

    async def confirm_click(self, round_id: int, user_id: int, choice: int) -> None:
        """The member knows that the click was counted: the next one on the same choice is a new one."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "DELETE FROM unconfirmed_clicks WHERE round_id = ? AND user_id = ? AND choice = ?",
                *(round_id, user_id, choice),
            )


async def get_ballot(reader: Reader, round_id: int, user_id: int) -> Ballot | None:
    """The member's ballot."""
    found = await reader.fetch_all(f"{BALLOTS} AND user_id = ?", round_id, user_id)
    return rows.ballot_of(found) if found else None


async def _counts(tx: Transaction, round_id: int, interaction_id: int | None) -> bool:
    """Whether the click counts; False for one that was counted before. Raises RoundOver, NoRound."""
    if (await get_round(tx, round_id)).state is not RoundState.OPEN:
        raise RoundOver
    return await count_interaction(tx, round_id, interaction_id)


async def _is_repeated(reader: Reader, round_id: int, user_id: int, choice: int, *, is_chosen: bool) -> bool:
    """Whether an earlier, unconfirmed click on this choice made it what it still is."""
    row = await reader.fetch_one(
        "SELECT 1 FROM unconfirmed_clicks WHERE round_id = ? AND user_id = ? AND choice = ? AND is_chosen = ?",
        *(round_id, user_id, choice, int(is_chosen)),
    )
    return row is not None


async def _require_candidates(reader: Reader, round_id: int, choices: frozenset[int]) -> None:
    found = await reader.fetch_all("SELECT id FROM shown_candidates WHERE round_id = ? AND NOT is_withdrawn", round_id)
    if choices - {row["id"] for row in found} - {NONE_OF_THESE}:
        raise BadInput("That candidate is not on this ballot.")


async def _set_ballot(
    tx: Transaction, round_id: int, user_id: int, choices: frozenset[int], now: datetime
) -> Ballot | None:
    await _require_candidates(tx, round_id, choices)
    await tx.execute("DELETE FROM ballot_choices WHERE round_id = ? AND user_id = ?", round_id, user_id)
    if not choices:
        await tx.execute("DELETE FROM ballots WHERE round_id = ? AND user_id = ?", round_id, user_id)
        return None
    await tx.execute(
        """INSERT INTO ballots (round_id, user_id, cast_at) VALUES (?, ?, ?)
        ON CONFLICT (round_id, user_id) DO UPDATE SET cast_at = excluded.cast_at""",
        *(round_id, user_id, rows.stamp(now)),
    )
    for choice in sorted(choices):
        await tx.execute(
            "INSERT INTO ballot_choices (round_id, user_id, choice) VALUES (?, ?, ?)", round_id, user_id, choice
        )
    return await get_ballot(tx, round_id, user_id)
