"""What a ballot offers: the model's drafts, members' own texts, and the moment when they become candidates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import BadInput, RoundOver, StoreError
from bot.store import rows
from bot.store.database import Reader, Repository, Transaction
from bot.store.quotas import count_text
from bot.store.rounds import count_interaction, get_round
from bot.store.values import HeldText
from bot.story.model import Candidate, Draft, Round, RoundKind, RoundState, Source

MAX_CANDIDATES = 8
"""The schema's bound on `position` says the same."""


class Texts(Repository):
    """The schema allows one text per member and round, and never a change of a candidate."""

    async def add_text(
        self,
        round_id: int,
        user_id: int,
        text: str,
        now: datetime,
        *,
        interaction_id: int | None = None,
        per_hour: int = 0,
    ) -> Candidate | HeldText:
        """A member's own text: held while the round is generating, the ballot's next candidate while it is open.

        The same interaction again changes nothing and returns the same. `per_hour` is how many texts the member may
        write within an hour, 0 any number. Raises NoRound; OverQuota; RoundOver and BadInput (the member's second text,
        or a full ballot), which carry the text back.
        """
        async with self._database.transaction() as tx:
            round_ = await get_round(tx, round_id)
            if round_.state not in (RoundState.GENERATING, RoundState.OPEN):
                raise RoundOver("This round is closed, so your text could not join it.", text)
            earlier = await _text_of(tx, round_id, user_id)
            is_first = await count_interaction(tx, round_id, interaction_id)
            if earlier is not None and not is_first:
                return earlier
            if earlier is not None:
                raise BadInput("You have written a text for this round already; each member has one.", text)
            if await _num_places_taken(tx, round_) >= MAX_CANDIDATES:
                raise BadInput(f"This ballot is full: it holds {MAX_CANDIDATES} candidates at most.", text)
            await count_text(tx, per_hour, round_.guild_id, round_id, user_id, now)
            if round_.state is RoundState.GENERATING:
                return await _hold(tx, round_id, user_id, text, now)
            return await _add_candidate(tx, round_id, Draft(text, Source.MEMBER, user_id))

    async def held_texts(self, round_id: int) -> list[HeldText]:
        """Members' texts in the order they came. Empty once the ballot is open: then they are candidates."""
        return await get_held(self._database, round_id)

    async def open_ballot(
        self, round_id: int, drafts: Sequence[Draft], withheld: int, deadline_at: datetime, now: datetime
    ) -> tuple[Round, list[Candidate]]:
        """generating → open, with `drafts` as the candidates in this order.

        A held text that `drafts` lacks came in just now, and joins at the end. `withheld` is how many a filter took
        away. Raises RoundOver where the round is no longer generating; NoRound; StoreError where there is no
        candidate at all, or more than eight, or the deadline is not after `now`.
        """
        if deadline_at <= now:
            raise StoreError("A ballot opens with a deadline in the future.")
        async with self._database.transaction() as tx:
            row = await tx.fetch_one(
                """UPDATE rounds SET state = 'open', withheld = ?, deadline_at = ?
                WHERE id = ? AND state = 'generating' RETURNING *""",
                *(withheld, rows.stamp(deadline_at), round_id),
            )
            if row is None:
                await get_round(tx, round_id)
                raise RoundOver("This round is no longer generating.")
            everything = [*drafts, *_missing(drafts, await get_held(tx, round_id))]
            if not everything:
                raise StoreError("A ballot opens with at least one candidate.")
            await tx.execute("DELETE FROM held_texts WHERE round_id = ?", round_id)
            candidates = [await _add_candidate(tx, round_id, draft) for draft in everything]
            return rows.round_of(row), candidates

    async def candidates(self, round_id: int) -> list[Candidate]:
        """The candidates on the round's ballot, in its order. Empty while it is generating."""
        return [one for one in await get_candidates(self._database, round_id) if not one.is_withdrawn]

    async def withdrawn_candidates(self, round_id: int) -> list[Candidate]:
        """Those that moderators took off the ballot."""
        return [one for one in await get_candidates(self._database, round_id) if one.is_withdrawn]


async def get_candidates(reader: Reader, round_id: int) -> list[Candidate]:
    """All candidates of the round in ballot order, those that were taken off the ballot too."""
    found = await reader.fetch_all("SELECT * FROM shown_candidates WHERE round_id = ? ORDER BY position", round_id)
    return [rows.candidate_of(row) for row in found]


async def get_candidate(reader: Reader, candidate_id: int) -> Candidate:
    """Raises StoreError for an unknown id."""
    row = await reader.fetch_one("SELECT * FROM shown_candidates WHERE id = ?", candidate_id)
    if row is None:
        raise StoreError(f"There is no candidate {candidate_id}.")
    return rows.candidate_of(row)


async def get_held(reader: Reader, round_id: int) -> list[HeldText]:
    """The round's held texts in the order they came."""
    found = await reader.fetch_all("SELECT * FROM held_texts WHERE round_id = ? ORDER BY written_at, user_id", round_id)
    return [rows.held_text_of(row) for row in found]


def _missing(drafts: Sequence[Draft], held: Sequence[HeldText]) -> list[Draft]:
    offered = {draft.author_user_id for draft in drafts if draft.source is Source.MEMBER}
    return [Draft(text.text, Source.MEMBER, text.user_id) for text in held if text.user_id not in offered]


async def _text_of(reader: Reader, round_id: int, user_id: int) -> Candidate | HeldText | None:
    held = await reader.fetch_one("SELECT * FROM held_texts WHERE round_id = ? AND user_id = ?", round_id, user_id)
    if held is not None:
        return rows.held_text_of(held)
    row = await reader.fetch_one(
        "SELECT * FROM shown_candidates WHERE round_id = ? AND source = 'member' AND author_user_id = ?",
        *(round_id, user_id),
    )
    return None if row is None else rows.candidate_of(row)


async def _num_places_taken(reader: Reader, round_: Round) -> int:
    """While generating, the places of the model (and in a rewrite, of the incumbent) count: nobody crowds them out."""
    if round_.state is RoundState.OPEN:
        return len(await get_candidates(reader, round_.id))
    reserved = round_.settings.candidates + (1 if round_.kind is RoundKind.REWRITE else 0)
    return reserved + len(await get_held(reader, round_.id))


async def _hold(tx: Transaction, round_id: int, user_id: int, text: str, now: datetime) -> HeldText:
    row = await tx.write_one(
        "INSERT INTO held_texts (round_id, user_id, text, written_at) VALUES (?, ?, ?, ?) RETURNING *",
        *(round_id, user_id, text, rows.stamp(now)),
    )
    return rows.held_text_of(row)


async def _add_candidate(tx: Transaction, round_id: int, draft: Draft) -> Candidate:
    """Adds the draft at the ballot's next position. An incumbent's text is its passage's own, not a notice for it."""
    row = await tx.write_one(
        """INSERT INTO candidates (round_id, position, text, source, author_user_id, passage_id, provenance)
        SELECT ?1, count(*), coalesce((SELECT text FROM passages WHERE id = ?5), ?2), ?3, ?4, ?5, ?6
        FROM candidates WHERE round_id = ?1 RETURNING id""",
        *(round_id, draft.text, draft.source.value, draft.author_user_id, draft.passage_id),
        rows.provenance_text(draft.provenance),
    )
    return await get_candidate(tx, row["id"])
