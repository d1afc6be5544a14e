"""Rounds, from the question to the new canon: one front for everything that happens in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.errors import NoRound, RoundOver, RoundRunning
from bot.service import textcheck
from bot.service.asking import Patience, Sleep
from bot.service.ballots import read_ballot
from bot.service.beginning import Beginning
from bot.service.clicks import Clicks
from bot.service.closing import Closing
from bot.service.composing import Composer
from bot.service.filtering.judging import Judge, Judged
from bot.service.filtering.known import UNKNOWN, Know, Known, Place, know_nothing
from bot.service.generation import Generation
from bot.service.locks import RoundLocks
from bot.service.settings import SettingsService
from bot.service.views import BallotView, Extended, ResultView, VoteReceipt, WriteResult
from bot.store import Store
from bot.story.election import toggle_choice
from bot.story.model import Round, RoundKind, RoundState, Story, Style
from bot.worker import WorkerClient

GRACE = timedelta(seconds=2)
"""How far Discord's clock (which dates the clicks) and ours may disagree before a click counts as late."""
TOO_LATE = "This round closed before your text arrived. Nobody else has seen it; send it again for the next round."


class RoundService:
    """A round's whole life. Every method reads and writes the database first; nobody draws here.

    Rules that hold whatever dies in between: no lock and no transaction is held while the model writes; every change
    of state is guarded by the state it expects; a text that a filter refused never leaves; closing twice changes
    nothing; in one process a round is generated at most once at a time.
    """

    def __init__(
        self,
        store: Store,
        worker: WorkerClient,
        judge: Judge,
        settings: SettingsService,
        now: Callable[[], datetime],
        rng: random.Random,
        sleep: Sleep = asyncio.sleep,
        locks: RoundLocks | None = None,
    ) -> None:
        self._store = store
        self._judge = judge
        self._now = now
        self._locks = RoundLocks() if locks is None else locks
        self._clicks = Clicks()
        self._beginning = Beginning(store, worker, judge, settings, now, rng)
        composer = Composer(store, worker, judge, rng, patience=lambda: Patience(sleep=sleep))
        self._generation = Generation(store, composer, judge, self._locks, now)
        self._closing = Closing(store, self._locks, now, rng)

    async def begin(
        self,
        kind: RoundKind,
        guild_id: int,
        channel_id: int,
        user_id: int,
        hint: str | None,
        interaction_id: int | None,
        *,
        passage: int | None = None,
        style: Style = Style.FRESH,
        known: Known = UNKNOWN,
    ) -> Round:
        """Begins a round in state `generating`, without asking the model; the caller then runs `generate`.

        `hint` is the hint of a continue or the instruction of a rewrite; blank counts as none. In a rewrite `passage`
        is the number of the passage, counted from 1 (None is the last one); with `style` light the instruction only
        names words that must stay. `known` is what Discord says of the member and the channel. The
        same interaction again gives the same round. Raises NoStory, BadInput, Filtered, NoRewriter, RoundRunning (with
        where the ballot is), Stopped, OverQuota.
        """
        return await self._beginning.begin(
            kind, guild_id, channel_id, user_id, hint, interaction_id, passage, style, known
        )

    async def generate(self, round_id: int, know: Know = know_nothing) -> BallotView:
        """Asks the model and opens the ballot; its deadline counts from now. Takes seconds.

        `know` tells what Discord says of the round's channel.

        Raises a WorkerError (the round has failed then, its `failure` says why), RoundOver where the round is no longer
        generating (cancelled, also while the model was writing), RoundRunning where this process is at it already.
        Members' own texts are never lost to a worker that fails: with them the ballot opens all the same.
        Cancelling the task stops the model and leaves the round `generating`, so that a restart can resume it.
        """
        return await self._generation.generate(round_id, know)

    async def write(
        self,
        guild_id: int,
        channel_id: int,
        user_id: int,
        text: str,
        interaction_id: int | None,
        known: Known = UNKNOWN,
    ) -> WriteResult:
        """Puts a member's own passage on the ballot: of the round under way, or of a new `continue` round.

        Raises NoStory, Stopped, OverQuota; RoundOver, BadInput and Filtered, which carry the text back.
        """
        story = await self._beginning.running(channel_id)
        place = Place(guild_id, channel_id, replace(known, user_id=user_id))
        passage = await textcheck.accept(self._judge, place, text, textcheck.PASSAGE)
        round_, joined = await self._join_or_begin(story, guild_id, user_id, interaction_id, known)
        try:
            await self._add_text(round_, user_id, passage.text, interaction_id, known)
        except RoundOver as error:
            raise RoundOver(TOO_LATE, text) from error
        await self._report(place, passage, round_.id)
        return WriteResult(await self._store.round(round_.id), joined, must_generate=not joined)

    async def vote(
        self, round_id: int, user_id: int, choice: int, interaction_id: int, cast_at: datetime
    ) -> VoteReceipt:
        """One click: toggles a candidate's id or NONE_OF_THESE on the member's ballot (plurality: replaces).

        `cast_at` is the interaction's own time: it decides whether the click was in time. The second half of a double
        click (the same button within 0.7 s) changes nothing, so a doubled click never takes a vote back; nor does a
        click that is repeated before `confirm_vote` said that the member knows of the first.
        Raises RoundOver, NoRound, BadInput (a choice that is not on this ballot).
        """
        async with self._locks.of(round_id):
            round_ = await self._store.round(round_id)
            _require_votable(round_, cast_at)
            is_double = self._clicks.is_double(round_id, user_id, choice, cast_at)
            if not is_double:
                await self._toggle(round_, user_id, choice, interaction_id)
                self._clicks.remember(round_id, user_id, choice, cast_at)
            ballot = await self._store.ballot_of(round_id, user_id)
            candidates = tuple(await self._store.candidates(round_id))
            closes_now = await self._closing.can_close_early(round_)
        choices = frozenset() if ballot is None else ballot.choices
        return VoteReceipt(round_, choices, candidates, closes_now, unchanged=is_double)

    async def confirm_vote(self, round_id: int, user_id: int, choice: int) -> None:
        """The member has read what the click did, so that another click on the same choice is meant."""
        await self._store.confirm_click(round_id, user_id, choice)

    async def settle(self, round_id: int, *, forced_by: int | None = None) -> ResultView | Extended | None:
        """Closes the round if its time has come, or extends it once; None when there is nothing to do (any more).

        Its time has come at the deadline, when the lead can't be overtaken (setting `early`), or when a moderator
        (`forced_by`) says so; that one never extends and counts what was cast. "None of these" begins the next round:
        see `ResultView.next_round`. Raises NoRound for an unknown round, or when a moderator would close one that is
        still generating.
        """
        return await self._closing.settle(round_id, forced_by)

    async def conclude(self, round_id: int) -> ResultView:
        """The result of a closed round whose end nobody has drawn yet, `next_round` included, for a restart.

        Finishes what a process that died after closing left undone; calling it again changes nothing. Raises NoRound
        for a round that is not closed.
        """
        return await self._closing.conclude(round_id)

    async def result(self, round_id: int) -> ResultView:
        """The result of a closed round, to draw it again. Changes nothing. Raises NoRound for any other state."""
        return await self._closing.result(round_id)

    async def cancel(self, channel_id: int, user_id: int) -> Round:
        """Cancels the channel's unfinished round and stops the model if it is writing. Raises NoStory, NoRound."""
        story = await self._beginning.running(channel_id)
        unfinished = await self._store.unfinished_round(story.id)
        if unfinished is None:
            raise NoRound
        cancelled = await self._store.cancel_round(unfinished.id, user_id, self._now())
        self._generation.stop(unfinished.id)
        return cancelled

    def stop_writing(self, round_id: int) -> None:
        """Ends the model's work for a round that was cancelled elsewhere; nothing where it is not at work."""
        self._generation.stop(round_id)

    async def view(self, round_id: int) -> BallotView:
        """The round as it may be shown now, in any state. Raises NoRound."""
        return await read_ballot(self._store, await self._store.round(round_id))

    async def unfinished_in(self, channel_id: int) -> Round | None:
        """The channel's generating or open round, None where there is none or no story."""
        story = await self._store.running_story(channel_id)
        return None if story is None else await self._store.unfinished_round(story.id)

    async def due(self) -> list[int]:
        """Ids of the open rounds whose deadline has passed: the caller settles each."""
        return [round_.id for round_ in await self._store.due_rounds(self._now())]

    async def next_deadline(self) -> datetime | None:
        """The earliest deadline of all open rounds; None when nothing is open."""
        return await self._store.next_deadline()

    async def unfinished(self) -> list[Round]:
        """All generating and open rounds, for a restart: the caller generates the former and redraws the latter."""
        return await self._store.unfinished_rounds()

    async def unannounced(self) -> list[Round]:
        """Closed, cancelled and failed rounds whose end was not drawn, for a restart: `conclude` the closed ones."""
        return await self._store.unannounced_rounds()

    async def mark_announced(self, round_id: int) -> None:
        """The round's end (closed, cancelled or failed) has been drawn. Twice changes nothing."""
        await self._store.mark_announced(round_id, self._now())

    async def attach_message(self, round_id: int, message_id: int) -> None:
        """Stores which message shows the round."""
        await self._store.set_message(round_id, message_id)

    async def attach_announcement(self, round_id: int, message_ids: Sequence[int]) -> None:
        """Stores which messages told the round's result."""
        await self._store.note_announcement(round_id, message_ids)

    async def _join_or_begin(
        self, story: Story, guild_id: int, user_id: int, interaction_id: int | None, known: Known
    ) -> tuple[Round, bool]:
        """The story's round for a member's text, and whether it was under way already."""
        unfinished = await self._store.unfinished_round(story.id)
        if unfinished is not None:
            return unfinished, True
        try:
            begun = await self._beginning.begin_in(
                story, RoundKind.CONTINUE, guild_id, user_id, interaction_id, known, with_text=True
            )
        except RoundRunning:
            unfinished = await self._store.unfinished_round(story.id)
            if unfinished is None:
                raise
            return unfinished, True  # somebody began one since we looked: the text belongs there
        return begun, False

    async def _add_text(self, round_: Round, user_id: int, text: str, interaction_id: int | None, known: Known) -> None:
        quotas = await self._beginning.quotas(round_.guild_id, round_.channel_id, known)
        async with self._locks.of(round_.id):
            if round_.deadline_at is not None and self._now() > round_.deadline_at:
                raise RoundOver
            await self._store.add_text(
                *(round_.id, user_id, text, self._now()),
                interaction_id=interaction_id,
                per_hour=quotas.member_texts_per_hour,
            )

    async def _report(self, place: Place, passage: Judged, round_id: int) -> None:
        """A flagged passage is a candidate already where the ballot is open."""
        if passage.is_flagged:
            candidates = await self._store.candidates(round_id)
            own = next((c.id for c in candidates if c.author_user_id == place.known.user_id), None)
            await self._judge.report(place, passage, round_id=round_id, candidate_id=own)

    async def _toggle(self, round_: Round, user_id: int, choice: int, interaction_id: int) -> None:
        method = round_.settings.method
        await self._store.toggle(
            round_.id,
            user_id,
            choice,
            interaction_id,
            self._now(),
            lambda current, clicked: toggle_choice(current, clicked, method),
        )


def _require_votable(round_: Round, cast_at: datetime) -> None:
    """Raises RoundOver with what happened to the round, where a vote can't count any more (or not yet)."""
    if round_.state is RoundState.GENERATING:
        raise RoundOver("The candidates are still being written, so nothing was counted.")
    is_late = round_.deadline_at is not None and cast_at > round_.deadline_at + GRACE
    if round_.state is not RoundState.OPEN or is_late:
        raise RoundOver
