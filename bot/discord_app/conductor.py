"""Plays rounds in public: has them written, shown, settled and announced. Makes Discord agree with the database."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from weakref import WeakValueDictionary

import discord

from bot.discord_app import ballot, replies, texts
from bot.discord_app.announcement import announcement, beside, has_new_passage, told_anew
from bot.discord_app.buttons import Drawing
from bot.discord_app.inflight import InFlight
from bot.discord_app.publisher import Publisher
from bot.errors import BotNotAllowed, RoundOver, RoundRunning, TalewrightError
from bot.service.cases import CaseService
from bot.service.filtering.known import Know, know_nothing
from bot.service.rounds import RoundService
from bot.service.views import BallotView, Extended, ResultView
from bot.story.model import Round, RoundState

log = logging.getLogger(__name__)


class Conductor:
    """Database first, Discord after: every drawing is made of what was just read, so it may be repeated at any time.

    `on_deadline` is called when a deadline may have changed, `on_undrawn` when a round has to be drawn again later,
    `on_marked` when its messages show what moderators have hidden or restored since. `know` tells what Discord says of
    a channel.
    """

    def __init__(
        self,
        rounds: RoundService,
        cases: CaseService,
        publisher: Publisher,
        work: InFlight,
        on_deadline: Callable[[], None],
        on_undrawn: Callable[[int], None],
        on_marked: Callable[[int], None],
        know: Know = know_nothing,
    ) -> None:
        self._rounds = rounds
        self._cases = cases
        self._publisher = publisher
        self._work = work
        self._on_deadline = on_deadline
        self._on_undrawn = on_undrawn
        self._on_marked = on_marked
        self._know = know
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def play(self, round_: Round, reply: discord.Interaction | None = None) -> None:
        """Has a generating round written and shown, in the background. `reply` is the interaction that shows it."""
        self._work.start(self.present(round_.id, round_.hint, reply), f"round {round_.id}")

    async def present(self, round_id: int, hint: str | None = None, reply: discord.Interaction | None = None) -> None:
        """Asks the model, then shows the ballot, or why there is none; privately too to whoever waits at `reply`."""
        await self.try_to_show(round_id, reply)
        if self._work.is_draining:
            return  # the round stays `generating`, and the next start takes it up
        try:
            await self._rounds.generate(round_id, self._know)
        except (RoundOver, RoundRunning) as error:
            log.info("round %d is not written here: %s", round_id, error)
        except TalewrightError as error:
            log.warning("round %d failed: %r", round_id, error)
            await self._give_up(round_id, reply, texts.refused(error, None), hint)
        except Exception:
            incident = secrets.token_hex(4)
            log.exception("incident %s while round %d was written", incident, round_id)
            await self._give_up(round_id, reply, texts.unexpected(incident), hint)
        else:
            self._on_deadline()
            await self.try_to_show(round_id, reply)

    async def settle(self, round_id: int, forced_by: int | None = None) -> ResultView | Extended | None:
        """Closes or extends the round if its time has come, then shows that in the background."""
        result = await self._rounds.settle(round_id, forced_by=forced_by)
        if result is not None:
            self._on_deadline()
            self.show_soon(round_id)
        return result

    async def try_to_settle(self, round_id: int) -> ResultView | Extended | None:
        """Like `settle`; one round that can't be settled must not hold up the others, and is tried again when due."""
        try:
            return await self.settle(round_id)
        except Exception:
            log.exception("round %d could not be settled", round_id)
            return None

    def draw_marked(self) -> None:
        """Has every message drawn anew, soon, whose text moderators have hidden or restored."""
        self._work.start(self._note_marked(), "noting of marked rounds")

    async def _note_marked(self) -> None:
        for round_id in await self._cases.undrawn_rounds():
            self._on_marked(round_id)

    def show_soon(self, round_id: int) -> None:
        """Shows the round as it is now, in the background."""
        self._work.start(self.try_to_show(round_id), f"drawing of round {round_id}")

    async def try_to_show(self, round_id: int, reply: discord.Interaction | None = None) -> None:
        """Like `show`; where it can't be done now, it is noted to be done later."""
        try:
            await self.show(round_id, reply)
        except BotNotAllowed as error:
            log.warning("round %d can't be shown: %s", round_id, error)
            self._on_undrawn(round_id)
            await _tell(reply, texts.refused(error, None), None)
        except Exception:
            # Whatever stood in the way, the database has the truth: it is drawn when the way is clear.
            log.exception("round %d could not be shown", round_id)
            self._on_undrawn(round_id)

    async def show(self, round_id: int, reply: discord.Interaction | None = None) -> None:
        """Draws the round as the database has it; announces its end once, and goes on with the round that follows."""
        lock = self._locks.setdefault(round_id, asyncio.Lock())
        async with lock:  # reading and drawing together: an older state never overwrites a newer one
            marked = (await self._cases.undrawn_rounds()).get(round_id)
            following = await self._draw(await self._rounds.view(round_id), reply, is_marked=marked is not None)
            if marked is not None:
                await self._cases.note_drawn(round_id, marked)
        if following is not None:
            self.play(following)

    async def _give_up(self, round_id: int, reply: discord.Interaction | None, sentence: str, hint: str | None) -> None:
        await self.try_to_show(round_id, reply)
        await _tell(reply, sentence, hint)

    async def _draw(self, view: BallotView, reply: discord.Interaction | None, *, is_marked: bool) -> Round | None:
        round_ = view.round
        if round_.state is RoundState.GENERATING:
            if round_.message_id is None:
                await self._publish(view, ballot.writing(view), reply)
        elif round_.state is RoundState.OPEN:
            await self._publish(view, ballot.open_ballot(view), reply)
        elif any(round_.id == waiting.id for waiting in await self._rounds.unannounced()):
            return await self._finish(view, reply)
        elif is_marked:
            await self._draw_end_anew(view)
        return None

    async def _finish(self, view: BallotView, reply: discord.Interaction | None) -> Round | None:
        """Draws the end of a round and announces it; returns the round that "none of these" led to."""
        following = None
        if view.round.state is RoundState.CLOSED:
            result = await self._rounds.conclude(view.round.id)
            following = result.next_round
            # A ballot that a moderator deleted stays deleted; its result is news all the same.
            await self._publish(view, ballot.closed_ballot(result), reply, may_post=False)
            ids = await self._publisher.announce(view.round, announcement(result), beside(result))
            await self._rounds.attach_announcement(view.round.id, ids)
        else:
            await self._publish(view, ballot.ended(view), reply, may_post=view.round.message_id is None)
        await self._rounds.mark_announced(view.round.id)
        return following

    async def _draw_end_anew(self, view: BallotView) -> None:
        """What told of the round tells it as it may be read now: moderators have hidden something, or restored it."""
        if view.round.state is not RoundState.CLOSED:
            await self._publish(view, ballot.ended(view), None, may_post=False)
            return
        result = await self._rounds.result(view.round.id)
        await self._publish(view, ballot.closed_ballot(result), None, may_post=False)
        ids = await self._cases.announcement(view.round.id)
        if ids and has_new_passage(result):
            await self._publisher.tell_anew(view.round, ids, told_anew(result, len(ids)), beside(result))

    async def _publish(
        self, view: BallotView, drawing: Drawing, reply: discord.Interaction | None, *, may_post: bool = True
    ) -> None:
        message_id = await self._publisher.draw(view.round, drawing, reply, may_post=may_post)
        if message_id is not None and message_id != view.round.message_id:
            await self._rounds.attach_message(view.round.id, message_id)


async def _tell(reply: discord.Interaction | None, sentence: str, typed: str | None) -> None:
    """Tells whoever waits at `reply`, if somebody does."""
    if reply is None:
        return
    try:
        await (replies.give_back(reply, sentence, typed) if typed else replies.say(reply, sentence))
    except replies.UNREACHABLE as error:
        log.info("the member could not be told: %s", error)
