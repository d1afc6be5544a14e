"""Bars, stops and the audit log: what moderators do to keep a place in order, and what it keeps members from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from bot.errors import BadInput, Barred, Refusal, Stopped
from bot.service import textcheck
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Known, Place
from bot.service.views import BarPage, BarReceipt, LogPage
from bot.store import Store
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import BAR_BOUNDS, LONGEST_BAR, SHORTEST_BAR, Bar, LogChannel, Stop
from bot.story.model import Round

BARS_PER_PAGE = 8
ENTRIES_PER_PAGE = 6
EVERYWHERE = 0
"""No channel has this id, so texts that are about the whole server are judged by its rules alone."""


class LimitService:
    """Every deed is stored with its line in the audit log, in one transaction. Nothing here is done by itself.

    `stop_writing` ends the model's work for a round that a stop cancelled.
    """

    def __init__(
        self, store: Store, judge: Judge, now: Callable[[], datetime], stop_writing: Callable[[int], None]
    ) -> None:
        self._store = store
        self._judge = judge
        self._now = now
        self._stop_writing = stop_writing

    async def require_not_barred(self, guild_id: int, user_id: int) -> None:
        """Raises Barred, with until when and why."""
        bar = await self._store.bar_of(guild_id, user_id, self._now())
        if bar is not None:
            raise Barred(bar.until, bar.reason)

    async def require_going(self, guild_id: int, channel_id: int, parent_channel_id: int | None = None) -> None:
        """Raises Stopped where a moderator stopped the bot in the channel, its parent, or the server."""
        stop = await self._store.stop_over(guild_id, channel_id, parent_channel_id)
        if stop is not None:
            raise Stopped(is_server=stop.channel_id is None, reason=stop.reason)

    async def bar(self, guild_id: int, user_id: int, until: datetime, by: int, reason: str) -> BarReceipt:
        """Keeps the member from the bot until then, in place of an earlier bar.

        Who may be barred is the caller's to know. Raises BadInput (no reason, or a time out of bounds) and Filtered.
        """
        now = self._now()
        said = await self._accepted(guild_id, by, reason)
        # The bar is counted from when it was asked for, and a little time passed since.
        if not SHORTEST_BAR - timedelta(seconds=10) <= until - now <= LONGEST_BAR:
            raise BadInput(f"That is no time for a bar: it lasts {BAR_BOUNDS}.", reason)
        bar = Bar(guild_id, user_id, until, by, now, said)
        return BarReceipt(bar, await self._store.set_bar(bar))

    async def bar_for(self, guild_id: int, user_id: int, length: timedelta, by: int, reason: str) -> BarReceipt:
        """Likewise, for a length of time from now."""
        return await self.bar(guild_id, user_id, self._now() + length, by, reason)

    async def unbar(self, guild_id: int, user_id: int, by: int, reason: str | None = None) -> Bar:
        """Lifts the member's bar. Raises Refusal where there is none, and what `reason` may raise."""
        said = await self._accepted(guild_id, by, reason) if reason and reason.strip() else ""
        lifted = await self._store.lift_bar(guild_id, user_id, by, said, self._now())
        if lifted is None:
            raise Refusal("This member is not barred. /moderation bars lists who is.")
        return lifted

    async def bars(self, guild_id: int, page: int = 0) -> BarPage:
        """A page of the server's bars that hold; `page` counts from 0, past the end the page is empty."""
        number = max(page, 0)
        found = await self._store.bars(guild_id, self._now(), limit=BARS_PER_PAGE + 1, offset=number * BARS_PER_PAGE)
        return BarPage(tuple(found[:BARS_PER_PAGE]), number, has_more=len(found) > BARS_PER_PAGE)

    async def stop(
        self, guild_id: int, channel_id: int | None, by: int, reason: str | None = None, threads: Collection[int] = ()
    ) -> list[Round]:
        """Stops the bot in a channel with its `threads`, or in the whole server where `channel_id` is None.

        Returns the rounds that it cancelled, for the caller to draw. Raises Refusal where it is stopped already, and
        what `reason` may raise.
        """
        said = await self._accepted(guild_id, by, reason) if reason and reason.strip() else ""
        cancelled = await self._store.set_stop(Stop(guild_id, channel_id, by, self._now(), said), threads)
        if cancelled is None:
            raise Refusal("I am stopped there already. /moderation resume lets me go on.")
        for round_ in cancelled:
            self._stop_writing(round_.id)
        return cancelled

    async def resume(self, guild_id: int, channel_id: int | None, by: int) -> Stop | None:
        """Lets the bot go on; returns the server's stop where that still holds for the channel.

        Raises Refusal where exactly this place is not stopped.
        """
        lifted = await self._store.lift_stop(guild_id, channel_id, by, self._now())
        still = None if channel_id is None else await self._store.stop_over(guild_id)
        if lifted is None:
            where = "The whole server is" if channel_id is None else "This channel is"
            but = " The whole server is stopped: choose scope:server." if still is not None else ""
            raise Refusal(f"{where} not stopped.{but}")
        return still

    async def read_log(
        self,
        guild_id: int,
        *,
        member_id: int | None = None,
        deed: Deed | None = None,
        top: int | None = None,
        page: int = 0,
    ) -> LogPage:
        """A page of the audit log, the newest first, of one member's or one deed's lines where that is asked for.

        `top` is the newest line of the first page: with it the later pages stay what they are while the log grows.
        """
        found = await self._store.audit_entries(
            guild_id,
            before_id=None if top is None else top + 1,
            member_id=member_id,
            deeds=() if deed is None else (deed,),
            limit=ENTRIES_PER_PAGE + 1,
            offset=page * ENTRIES_PER_PAGE,
        )
        first = top if top is not None or not found else found[0].id
        entries, has_more = tuple(found[:ENTRIES_PER_PAGE]), len(found) > ENTRIES_PER_PAGE
        return LogPage(entries, page, has_more, first or 0, member_id, deed, await self.log_channel(guild_id))

    async def log_channel(self, guild_id: int) -> LogChannel | None:
        """Where the server reads its audit log; None where it is posted nowhere."""
        return await self._store.log_channel(guild_id)

    async def set_log_channel(self, guild_id: int, channel_id: int | None, by: int) -> None:
        """Posts new lines of the audit log in this channel from now on; None posts them nowhere."""
        await self._store.set_log_channel(guild_id, channel_id, by, self._now())

    async def waiting_channels(self) -> list[LogChannel]:
        """The log channels that something is to be posted in."""
        return await self._store.waiting_channels()

    async def waiting_entries(self, guild_id: int, limit: int) -> list[AuditEntry]:
        """The server's lines that were not posted yet, in order."""
        return await self._store.waiting_entries(guild_id, limit)

    async def mark_posted(self, channel: LogChannel, entry: AuditEntry) -> None:
        """The line stands in the channel, and all before it. Twice changes nothing."""
        await self._store.mark_posted(channel.guild_id, channel.channel_id, entry.id or 0)

    async def note_log_failure(self, channel: LogChannel, failure: str) -> None:
        """The lines can't be posted there now; moderators are told why."""
        await self._store.note_log_failure(channel.guild_id, channel.channel_id, failure)

    async def _accepted(self, guild_id: int, by: int, reason: str) -> str:
        """A reason as it is kept: others read it, so it passes the server's filters. Raises BadInput and Filtered."""
        place = Place(guild_id, EVERYWHERE, Known(by))
        return (await textcheck.accept(self._judge, place, reason, textcheck.REASON)).text
