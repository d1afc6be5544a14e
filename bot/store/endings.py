"""How a round's time runs out: extended, closed, cancelled, failed. Each is one guarded UPDATE."""

from __future__ import annotations

from datetime import datetime

from bot.errors import NoRound, RoundOver, StoreError
from bot.store import rows
from bot.store.audit import write_entry
from bot.store.database import Repository, Transaction
from bot.store.passages import append_winner, find_of_round, has_moved
from bot.store.rounds import get_round
from bot.store.values import Closed
from bot.story.audit import AuditEntry, Deed
from bot.story.model import Candidate, Round, RoundState, Source

CANON_MOVED = "The story went on elsewhere while this round was open, so its result was not added."
STILL_GENERATING = "The candidates are still being written, so there is nothing to close yet."
OVER_ALREADY = "This round is over already."


class Endings(Repository):
    """Every method reads, decides and writes in one transaction. A round that is over never changes again."""

    async def extend_round(self, round_id: int, deadline_at: datetime) -> Round:
        """Moves the deadline of an open round, once. Raises RoundOver where it isn't open or was extended; NoRound."""
        async with self._database.transaction() as tx:
            row = await tx.fetch_one(
                """UPDATE rounds SET deadline_at = ?, extended = 1
                WHERE id = ? AND state = 'open' AND extended = 0 RETURNING *""",
                *(rows.stamp(deadline_at), round_id),
            )
            if row is None:
                await get_round(tx, round_id)
                raise RoundOver("This round can't be extended: it is not open, or was extended before.")
            return rows.round_of(row)

    async def close_round(
        self, round_id: int, rule: str, winner_id: int | None, closed_by: int | None, now: datetime
    ) -> Closed:
        """Closes an open round; its winner becomes a passage after the round's parent.

        The new passage is the story's head, or in a rewrite in the middle the last copy of what followed the old one.
        An incumbent that wins is canon already, and no winner changes nothing. Where canon has moved since the round
        began, a winner can't be added any more: the round is cancelled, and its `failure` says so. Of two closes the
        second changes nothing (`is_new`). `closed_by` is the moderator who closes it early, which is logged. Raises
        NoRound for an unknown round, or one that is still generating.
        """
        async with self._database.transaction() as tx:
            round_ = await get_round(tx, round_id)
            if round_.state is RoundState.GENERATING:
                raise NoRound(STILL_GENERATING)
            if round_.state is not RoundState.OPEN:
                return Closed(round_, await find_of_round(tx, round_id), is_new=False)
            if winner_id is None:
                return Closed(await _close(tx, round_id, rule, None, closed_by, now), None, is_new=True)
            if await has_moved(tx, round_):
                return Closed(await cancel(tx, round_id, CANON_MOVED, closed_by, now), None, is_new=True)
            winner = await _winner(tx, round_id, winner_id)
            closed = await _close(tx, round_id, rule, winner_id, closed_by, now)
            is_canon_already = winner.source is Source.INCUMBENT
            passage = None if is_canon_already else await append_winner(tx, closed, winner)
            return Closed(closed, passage, is_new=True)

    async def cancel_round(self, round_id: int, user_id: int, now: datetime) -> Round:
        """Cancels a generating or open round and logs that; canon stays as it is. Raises RoundOver, NoRound."""
        async with self._database.transaction() as tx:
            round_ = await get_round(tx, round_id)
            if round_.state not in (RoundState.GENERATING, RoundState.OPEN):
                raise RoundOver(OVER_ALREADY)
            return await cancel(tx, round_id, None, user_id, now)

    async def fail_round(self, round_id: int, failure: str, now: datetime) -> Round:
        """Ends a generating round that got no candidates. Raises RoundOver in any other state; NoRound."""
        async with self._database.transaction() as tx:
            row = await tx.fetch_one(
                """UPDATE rounds SET state = 'failed', failure = ?, closed_at = ?
                WHERE id = ? AND state = 'generating' RETURNING *""",
                *(failure, rows.stamp(now), round_id),
            )
            if row is None:
                await get_round(tx, round_id)
                raise RoundOver("This round is no longer generating.")
            return rows.round_of(row)


async def _winner(tx: Transaction, round_id: int, winner_id: int) -> Candidate:
    row = await tx.fetch_one("SELECT * FROM shown_candidates WHERE id = ? AND round_id = ?", winner_id, round_id)
    if row is None:
        raise StoreError(f"Candidate {winner_id} is not one of round {round_id}, so it can't win there.")
    return rows.candidate_of(row)


async def _close(
    tx: Transaction, round_id: int, rule: str, winner_id: int | None, closed_by: int | None, now: datetime
) -> Round:
    row = await tx.write_one(
        """UPDATE rounds SET state = 'closed', rule = ?, winner_id = ?, closed_by = ?, closed_at = ?
        WHERE id = ? AND state = 'open' RETURNING *""",
        *(rule, winner_id, closed_by, rows.stamp(now), round_id),
    )
    closed = rows.round_of(row)
    await _log(tx, closed, Deed.ROUND_CLOSED, now)
    return closed


async def cancel(tx: Transaction, round_id: int, failure: str | None, closed_by: int | None, now: datetime) -> Round:
    """Cancels a generating or open round inside a transaction; `failure` is the sentence that its drawing says."""
    row = await tx.write_one(
        """UPDATE rounds SET state = 'cancelled', failure = ?, closed_by = ?, closed_at = ?
        WHERE id = ? AND state IN ('generating', 'open') RETURNING *""",
        *(failure, closed_by, rows.stamp(now), round_id),
    )
    cancelled = rows.round_of(row)
    await _log(tx, cancelled, Deed.ROUND_CANCELLED, now)
    return cancelled


async def _log(tx: Transaction, round_: Round, deed: Deed, now: datetime) -> None:
    """What a moderator did; rounds that end by themselves are no deeds."""
    if round_.closed_by is not None:
        subject, reason = f"round {round_.id}", round_.failure or ""
        await write_entry(
            tx, AuditEntry(round_.guild_id, round_.channel_id, now, round_.closed_by, deed, subject, reason)
        )
