"""The end of a round: decide by the rules, write the new canon, and go on where the rules say so."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.errors import NoRound, Refusal
from bot.service.ballots import read_ballot
from bot.service.locks import RoundLocks
from bot.service.sampling import MAX_REROLLS, MAX_SEED
from bot.service.views import Extended, ResultView
from bot.store import Store
from bot.story.election import Outcome, Result, can_close_early, decide, electorate
from bot.story.model import Candidate, Passage, Round, RoundState

log = logging.getLogger(__name__)

STILL_WRITING = "The candidates are still being written, so there is nothing to close yet. /round cancel stops it."


class Closing:
    """Settles rounds. `story.election` decides; here is when it is asked, and what becomes of its answer."""

    def __init__(self, store: Store, locks: RoundLocks, now: Callable[[], datetime], rng: random.Random) -> None:
        self._store = store
        self._locks = locks
        self._now = now
        self._rng = rng

    async def settle(self, round_id: int, forced_by: int | None) -> ResultView | Extended | None:
        """See `RoundService.settle`."""
        async with self._locks.of(round_id):
            round_ = await self._store.round(round_id)
            if round_.state is RoundState.GENERATING and forced_by is not None:
                raise NoRound(STILL_WRITING)
            if round_.state is not RoundState.OPEN:
                return None
            if forced_by is None and not await self._time_has_come(round_):
                return None
            outcome = await self._decide(round_, final=round_.extended or forced_by is not None)
            if outcome.result is Result.EXTEND:
                return await self._extend(round_)
            is_closed = await self._close(round_, outcome, forced_by)
        return await self.conclude(round_id) if is_closed else None

    async def can_close_early(self, round_: Round) -> bool:
        """Whether the open round's lead can't be overtaken any more, and its channel wants to stop there."""
        if not round_.settings.early:
            return False
        outcome = await self._decide(round_, final=True)
        ballots = await self._store.ballots(round_.id)
        recent = await self._store.participants(round_.story_id)
        members = electorate(recent, {ballot.user_id for ballot in ballots}, round_.settings.quorum)
        return can_close_early(outcome.tally, outcome.num_voted, members, outcome.quorum)

    async def conclude(self, round_id: int) -> ResultView:
        """See `RoundService.conclude`."""
        result = await self.result(round_id)
        return replace(result, next_round=await self._next_round(result))

    async def result(self, round_id: int) -> ResultView:
        """See `RoundService.result`."""
        round_ = await self._store.round(round_id)
        if round_.state is not RoundState.CLOSED:
            raise NoRound("This round has no result.")
        ballot = await read_ballot(self._store, round_)
        winner = None if round_.winner_id is None else ballot.candidate(round_.winner_id)
        return ResultView(ballot, await self._decide(round_, final=True), await self._passage(round_, winner), winner)

    async def _time_has_come(self, round_: Round) -> bool:
        if round_.deadline_at is not None and self._now() >= round_.deadline_at:
            return True
        return await self.can_close_early(round_)

    async def _decide(self, round_: Round, *, final: bool) -> Outcome:
        """The outcome as the ballots stand; `final` rules out an extension."""
        candidates = await self._store.candidates(round_.id)
        ballots = await self._store.ballots(round_.id)
        settings = round_.settings
        ids = [candidate.id for candidate in candidates]
        return decide(ids, ballots, settings.method, settings.quorum, final, round_.seed)

    async def _extend(self, round_: Round) -> Extended:
        deadline_at = self._now() + timedelta(minutes=round_.settings.minutes)
        extended = await self._store.extend_round(round_.id, deadline_at)
        return Extended(await read_ballot(self._store, extended))

    async def _close(self, round_: Round, outcome: Outcome, closed_by: int | None) -> bool:
        """Whether the round is closed by this call. False where somebody was faster, or canon moved under it."""
        closed = await self._store.close_round(round_.id, outcome.rule, outcome.winner_id, closed_by, self._now())
        if closed.round.state is not RoundState.CLOSED:
            log.warning("round %d was not closed: %s", round_.id, closed.round.failure or closed.round.state)
        return closed.is_new and closed.round.state is RoundState.CLOSED

    async def _passage(self, round_: Round, winner: Candidate | None) -> Passage | None:
        if winner is not None and winner.passage_id is not None:
            return await self._store.passage(winner.passage_id)
        return await self._store.passage_of_round(round_.id)

    async def _next_round(self, result: ResultView) -> Round | None:
        """The round that follows "none of these", begun once however often this is called; None where none follows."""
        round_ = result.ballot.round
        if result.outcome.result is not Result.NONE_OF_THESE or round_.reroll >= MAX_REROLLS:
            return None
        try:
            following = await self._store.begin_round(
                round_.story_id,
                round_.kind,
                round_.settings,
                hint=round_.hint,
                passage_id=round_.passage_id,
                style=round_.style,
                opened_by=round_.opened_by,
                guild_id=round_.guild_id,
                channel_id=round_.channel_id,
                seed=self._rng.randint(0, MAX_SEED),
                reroll=round_.reroll + 1,
                interaction_id=-round_.id,  # Discord's are positive: this one stands for "the round after that one"
                now=self._now(),
            )
        except Refusal as error:
            log.info("round %d leads to no new one: %s", round_.id, error)
            return None
        return following if following.state is RoundState.GENERATING else None
