"""The real bot on the stand-in: real store, filters and services, a scripted storyteller, and a clock to turn."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.discord_app.bot import TalewrightBot, create_bot
from bot.service.build import Services, build_services
from bot.service.filtering.book import compiler
from bot.store import Store
from bot.worker import WorkerClient
from tests.bot.service.far_end import FarEnd
from tests.wire.members import Member, buttons_of, join, text_of
from tests.wire.standin import StandIn
from tests.wire.world import Message


@dataclass
class Clock:
    """The wall clock, which a test may turn forward. Members' clicks keep the real time in their ids."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def turn(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Site:
    """What outlives a process of the bot."""

    database: Path
    worker_url: str
    far: FarEnd
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True)
class Process:
    """One process of the bot, not connected yet."""

    store: Store
    services: Services
    bot: TalewrightBot
    clock: Clock

    async def settled(self) -> None:
        """Waits until nothing is under way."""
        async with asyncio.timeout(20):
            while under_way := self.bot.work._tasks - {asyncio.current_task()}:
                await asyncio.wait(under_way)

    def wake(self) -> None:
        """Makes the bot look at the clock again: it naps by the real one."""
        self.bot.deadlines.watch.ring()
        self.bot.redraws.watch.ring()


@asynccontextmanager
async def process(site: Site) -> AsyncIterator[Process]:
    """The parts of one process; whoever connects the bot closes it inside."""
    store = await Store.open(site.database)
    worker = WorkerClient(site.worker_url, None, None, 20.0)
    try:
        services = build_services(store, worker, compiler([]), site.clock.now, random.Random(7))
        bot = create_bot(
            services,
            now=site.clock.now,
            get_meta=store.get_meta,
            set_meta=store.set_meta,
            redraw_pace_s=0.02,
            drain_s=5.0,
        )
        bot._connection.guild_ready_timeout = 0.05  # else two seconds after the last server
        yield Process(store, services, bot, site.clock)
    finally:
        await worker.close()
        await store.close()


@dataclass(frozen=True)
class Table:
    """A channel with three members, and the moves that nearly every test makes."""

    standin: StandIn
    ann: Member
    ben: Member
    cleo: Member

    @classmethod
    def in_server(cls, standin: StandIn, guild: int = 0) -> Table:
        return cls(standin, *(join(standin, name, guild) for name in ("ann", "ben", "cleo")))

    @property
    def channel_id(self) -> int:
        return self.ann.channel_id

    @property
    def messages(self) -> list[Message]:
        return self.standin.world.in_channel(self.channel_id)

    async def story(self, title: str = "The Glass Key") -> None:
        await (await self.ann.slash("story start", title=title, premise="A key that opens any door.")).message()

    async def begun(self) -> Message:
        """A story whose first round is open: its ballot."""
        await self.story()
        await self.ann.slash("continue")
        return await self.ballot()

    async def ballot(self) -> Message:
        """The channel's newest message with enabled buttons to vote."""
        return await self.standin.pulse.until(self._open_ballot, "an open ballot")

    async def told(self, words: str) -> Message:
        """The channel's first message that contains these words."""

        def find() -> Message | None:
            return next((m for m in self.messages if words in text_of(m)), None)

        return await self.standin.pulse.until(find, f"a message with {words!r}")

    async def vote(self, member: Member, ballot: Message, label: str = "Vote A") -> str:
        """Clicks, and gives the private confirmation."""
        return await (await member.click(ballot, buttons_of(ballot)[label])).text()

    def _open_ballot(self) -> Message | None:
        return next((m for m in reversed(self.messages) if "Vote A" in buttons_of(m)), None)


async def canon(process: Process, table: Table) -> list[str]:
    """The texts of the channel's running story."""
    view = await process.services.stories.show(table.channel_id)
    return [passage.text for passage in view.passages]
