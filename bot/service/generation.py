"""From a round in `generating` to its open ballot: asks the model, sifts what it says, and stores what is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.errors import NothingUsable, Refusal, RoundOver, RoundRunning, WorkerError
from bot.service.ballots import read_ballot
from bot.service.composing import Composed, Composer
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Know, Place
from bot.service.locks import RoundLocks
from bot.service.views import BallotView
from bot.store import HeldText, Store, WithheldText
from bot.story.election import ballot_order
from bot.story.model import Candidate, Draft, Round, RoundState, Source

log = logging.getLogger(__name__)

NOT_GENERATING = "This round was cancelled or is open already, so no new candidates were written for it."
FAILED_INSIDE = "Something went wrong inside the bot. The host's log says what."


class Generation:
    """Runs the model for rounds, each at most once at a time.

    A round leaves `generating` in exactly one way: its ballot opens, it fails with a reason, or somebody cancels it.
    Only a cancelled task (the bot is shutting down) leaves it as it is, for the next start to resume.
    """

    def __init__(
        self, store: Store, composer: Composer, judge: Judge, locks: RoundLocks, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._composer = composer
        self._judge = judge
        self._locks = locks
        self._now = now
        self._running: dict[int, asyncio.Task[Composed]] = {}
        self._stopped: set[int] = set()

    async def generate(self, round_id: int, know: Know) -> BallotView:
        """See `RoundService.generate`."""
        round_ = await self._store.round(round_id)
        if round_.state is not RoundState.GENERATING:
            raise RoundOver(NOT_GENERATING)
        if round_id in self._running:
            raise RoundRunning(round_.channel_id, round_.message_id)
        # No await between the look and the entry: two callers can't both pass.
        place = Place(round_.guild_id, round_.channel_id, know(round_.channel_id))
        task = asyncio.create_task(self._composer.compose(round_, place), name=f"compose round {round_id}")
        self._running[round_id] = task
        try:
            return await self._finish(round_, place, await self._answer(round_, task))
        except (WorkerError, Refusal):
            raise
        except Exception:
            await self._fail(round_, FAILED_INSIDE)
            raise
        finally:
            del self._running[round_id]
            self._stopped.discard(round_id)

    def stop(self, round_id: int) -> None:
        """Ends the model's work for a round that was cancelled; its `generate` then raises RoundOver."""
        task = self._running.get(round_id)
        if task is not None:
            self._stopped.add(round_id)
            task.cancel()

    async def _answer(self, round_: Round, task: asyncio.Task[Composed]) -> Composed:
        """What the model gave; RoundOver where `stop` ended it. A cancelled caller takes the task with it."""
        try:
            return await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if round_.id not in self._stopped or (caller is not None and caller.cancelling()):
                raise
            raise RoundOver(NOT_GENERATING) from None

    async def _finish(self, round_: Round, place: Place, composed: Composed) -> BallotView:
        """Opens the ballot with what there is, or fails the round where there is nothing at all."""
        await self._keep_withheld(round_, composed)
        async with self._locks.of(round_.id):
            held = await self._store.held_texts(round_.id)
            if composed.drafts or held:
                return await self._open(round_, place, composed, held)
            error = composed.error or NothingUsable(len(composed.withheld))
            log.warning("round %d fails: %s", round_.id, getattr(error, "detail", error))
            await self._fail(round_, str(error))
        raise error

    async def _open(self, round_: Round, place: Place, composed: Composed, held: Sequence[HeldText]) -> BallotView:
        drafts = [*composed.drafts, *await self._incumbent(round_), *map(_member_draft, held)]
        now = self._now()
        opened, candidates = await self._store.open_ballot(
            round_.id,
            [drafts[index] for index in ballot_order(len(drafts), round_.seed)],
            len(composed.withheld),
            now + timedelta(minutes=round_.settings.minutes),
            now,
        )
        await self._report(place, composed, candidates)
        return await read_ballot(self._store, opened)

    async def _keep_withheld(self, round_: Round, composed: Composed) -> None:
        """Moderators can see which of the model's texts were withheld, and why."""
        at = self._now()
        verdicts = [(judged.text, judged.verdict) for judged in composed.withheld]
        await self._store.keep_withheld(
            [
                WithheldText(
                    round_.id, at, text, verdict.rule or "", verdict.category or "", verdict.start, verdict.end
                )
                for text, verdict in verdicts
            ]
        )

    async def _report(self, place: Place, composed: Composed, candidates: Sequence[Candidate]) -> None:
        """Tells moderators of the candidates that a rule flagged; all of one ballot have different texts."""
        for judged in composed.flagged:
            for candidate in candidates:
                if candidate.source is Source.MODEL and candidate.text == judged.text:
                    await self._judge.report(place, judged, round_id=candidate.round_id, candidate_id=candidate.id)

    async def _incumbent(self, round_: Round) -> list[Draft]:
        """In a rewrite, the passage that stands in canon is a candidate too: members may prefer it."""
        if round_.passage_id is None:
            return []
        passage = await self._store.passage(round_.passage_id)
        return [Draft(passage.text, Source.INCUMBENT, passage.author_user_id, passage.id)]

    async def _fail(self, round_: Round, reason: str) -> None:
        """generating → failed. Raises RoundOver where it is no longer generating."""
        await self._store.fail_round(round_.id, reason, self._now())


def _member_draft(held: HeldText) -> Draft:
    return Draft(held.text, Source.MEMBER, held.user_id)
