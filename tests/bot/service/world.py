"""A world for the services: a real database file, real filters, real HTTP to a scripted far end, a clock to turn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from bot.service.build import Services, build_services
from bot.service.filtering.book import compiler
from bot.service.filtering.known import UNKNOWN, Known
from bot.service.filtering.sinks import Classifier, Flags
from bot.service.views import BallotView, ResultView, VoteReceipt
from bot.store import Store
from bot.story.model import Candidate, Round, RoundKind, Source, Story, Style
from bot.worker import WorkerClient
from tests.bot.service.far_end import FarEnd

GUILD = 1
CHANNEL = 10
ANNA, BEN, CARA, DORA = 101, 102, 103, 104
FORBIDDEN = "grumbleflax"


@dataclass
class Clock:
    """Time stands still until a test moves it."""

    time: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@dataclass
class World:
    """The services and the parts under them, with the few moves that nearly every test makes."""

    path: Path
    far: FarEnd
    url: str
    words: Path
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)
    interactions: Iterator[int] = field(default_factory=lambda: count(9_000))
    flags: Flags | None = None
    classifier: Classifier | None = None
    timeout_s: float = 300.0  # longer than any test: nothing ends by it unless the test shortens it
    store: Store = field(init=False)
    worker: WorkerClient = field(init=False)
    services: Services = field(init=False)

    async def start(self) -> None:
        self.store = await Store.open(self.path)
        self.worker = WorkerClient(self.url, None, None, self.timeout_s)
        self.services = build_services(
            *(self.store, self.worker, compiler([self.words]), self.clock, random.Random(7)),
            sleep=self._sleep,
            flags=self.flags,
            classifier=self.classifier,
        )

    async def stop(self) -> None:
        await self.worker.close()
        await self.store.close()

    async def restart(self) -> None:
        """A new process on the same file: nothing but the database is kept."""
        await self.stop()
        await self.start()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def story(self, channel_id: int = CHANNEL, title: str = "The Glass Key") -> Story:
        return await self.services.stories.start(GUILD, channel_id, ANNA, title, "A key that opens any door.")

    async def set(self, **settings: object) -> None:
        for name, value in settings.items():
            await self.services.settings.set(GUILD, None, name, str(value), ANNA)

    async def begin(
        self,
        kind: RoundKind = RoundKind.CONTINUE,
        *,
        channel_id: int = CHANNEL,
        user_id: int = ANNA,
        hint: str | None = None,
        passage: int | None = None,
        style: Style = Style.FRESH,
        known: Known = UNKNOWN,
    ) -> Round:
        number = next(self.interactions)
        return await self.services.rounds.begin(
            kind, GUILD, channel_id, user_id, hint, number, passage=passage, style=style, known=known
        )

    async def open(self, kind: RoundKind = RoundKind.CONTINUE, **how: object) -> BallotView:
        round_ = await self.begin(kind, **how)  # type: ignore[arg-type]
        return await self.services.rounds.generate(round_.id)

    async def vote(self, view: BallotView, user_id: int, choice: Candidate | int) -> VoteReceipt:
        """A click now, a second after the last thing that happened, and its confirmation."""
        self.clock.advance(seconds=1)
        wanted = choice.id if isinstance(choice, Candidate) else choice
        rounds, number = self.services.rounds, next(self.interactions)
        receipt = await rounds.vote(view.round.id, user_id, wanted, number, self.clock.time)
        await rounds.confirm_vote(view.round.id, user_id, wanted)
        return receipt

    async def settle(self, view: BallotView, forced_by: int | None = None) -> ResultView:
        result = await self.services.rounds.settle(view.round.id, forced_by=forced_by)
        assert isinstance(result, ResultView)
        return result

    async def pass_deadline(self, view: BallotView) -> None:
        now = await self.store.round(view.round.id)
        assert now.deadline_at is not None
        self.clock.time = now.deadline_at

    async def play(self, kind: RoundKind = RoundKind.CONTINUE, **how: object) -> ResultView:
        """A whole round that the first candidate of the model wins."""
        view = await self.open(kind, **how)
        winner = next(c for c in view.candidates if c.source is Source.MODEL)
        await self.vote(view, ANNA, winner)
        await self.vote(view, BEN, winner)
        return await self.settle(view, forced_by=ANNA)
