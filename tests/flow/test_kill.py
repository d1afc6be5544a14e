"""The bot is killed at each step of a `/continue`, from the command to the announcement, and started again.

Whatever the step: what was acknowledged is kept, no round hangs, no passage stands twice, and members see the result.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import Store
from bot.story.model import RoundState
from tests.bot.service.far_end import FarEnd
from tests.wire.members import Member, buttons_of, join, text_of
from tests.wire.standin import StandIn
from tests.wire.world import Message

STORE, PUBLISHER, WORKER = "bot.store:Store", "bot.discord_app.publisher:Publisher", "bot.worker:WorkerClient"
STEPS = [
    f"{STORE}.begin_round:before",
    f"{STORE}.begin_round:after",
    f"{STORE}.set_message:before",
    f"{STORE}.set_message:after",
    f"{WORKER}.complete:before",
    f"{WORKER}.complete:after",
    f"{STORE}.open_ballot:before",
    f"{STORE}.open_ballot:after",
    f"{STORE}.toggle:before",
    f"{STORE}.toggle:after",
    f"{STORE}.toggle:after:2",
    f"{STORE}.confirm_click:before",
    f"{STORE}.confirm_click:after",
    f"{STORE}.close_round:before",
    f"{STORE}.close_round:after",
    f"{PUBLISHER}.announce:before",
    f"{PUBLISHER}.announce:after",
    f"{STORE}.mark_announced:after",
]


class Channel:
    """The stand-in's first channel, its members, and what has been acknowledged to them."""

    command = "continue"
    told = "goes on:"

    def __init__(self, standin: StandIn, **options: str) -> None:
        self.standin = standin
        self.options = options
        self.members: list[Member] = [join(standin, name) for name in ("ann", "ben")]
        self.acknowledged: set[int] = set()

    @property
    def messages(self) -> list[Message]:
        return self.standin.world.in_channel(self.members[0].channel_id)

    async def play(self, *, ask: bool = True) -> None:
        """Asks for a round where none is under way, votes with everybody, and waits for the announcement."""
        await self.connected()
        if ask:
            await (await self.members[0].slash(self.command, **self.options)).answered()
        await self.standin.pulse.until(lambda: self.open_ballot() or self.announced, "an open ballot, or its end")
        for member in self.members:
            if int(member.user["id"]) not in self.acknowledged:
                await self.vote(member)
        await self.standin.pulse.until(lambda: self.announced, "the announcement")

    async def vote(self, member: Member) -> None:
        """Clicks, unless the round has ended. A member who was told nothing clicks again, as a person would."""
        ballot = self.open_ballot()
        if ballot is None:
            return
        letter = self.choice(ballot)
        asked = await member.click(ballot, buttons_of(ballot)[f"Vote {letter}"])
        if f"Your vote: **{letter}**." in await asked.text():
            self.acknowledged.add(int(member.user["id"]))

    def choice(self, ballot: Message) -> str:
        """The letter that everybody votes for: the first one that is not in the story already."""
        parts = text_of(ballot).split("### ")[1:]
        return next(part[0] for part in parts if "as it stands now" not in part)

    async def connected(self) -> None:
        """Waits until the newest process listens and has its commands registered."""
        gateway, world = self.standin.gateway, self.standin.world
        await self.standin.pulse.until(
            lambda: world.commands and gateway.sessions and self._is_listening(), "a connected bot"
        )

    def _is_listening(self) -> bool:
        connection = self.standin.gateway.session().connection
        return connection is not None and connection.is_open

    def open_ballot(self) -> Message | None:
        return next((m for m in reversed(self.messages) if "Vote A" in buttons_of(m)), None)

    @property
    def announced(self) -> list[Message]:
        return [m for m in self.messages if self.told in text_of(m)]


@pytest.fixture
async def standin() -> AsyncIterator[StandIn]:
    standin = StandIn()
    await standin.start()
    yield standin
    await standin.stop()
    standin.check()


@pytest.fixture
async def worker_url() -> AsyncIterator[str]:
    async with FarEnd().server() as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def bot_process(
    standin: StandIn, database: Path, worker_url: str, die: str | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    script = Path(__file__).with_name("bot_process.py")
    arguments = ["--api", standin.base, "--gateway", standin.gateway.url, "--token", standin.world.token]
    arguments += ["--database", str(database), "--worker", worker_url]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore::DeprecationWarning", str(script), *arguments),
        *(["--die", die] if die else []),
        cwd=Path(__file__).parents[2],
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def begin_story(database: Path, member: Member) -> int:
    async with Store.open(database) as store:
        user_id = int(member.user["id"])
        story = await store.start_story(
            member.guild_id, member.channel_id, "The Glass Key", "", user_id, datetime.now(UTC)
        )
        return story.id


async def until_dead(process: asyncio.subprocess.Process, channel: Channel) -> None:
    """Plays until the process dies at its step; fails where the round ends without that."""
    playing = asyncio.create_task(channel.play())
    dying = asyncio.create_task(process.wait())
    await asyncio.wait({playing, dying}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    if not dying.done():
        # Everything that members see has happened; what is left is the note that it has.
        await asyncio.wait({dying}, timeout=20)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    assert dying.done(), f"the step was never reached: {playing}"
    assert process.returncode == -signal.SIGKILL


@pytest.mark.timeout(180)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.partition(":")[2])
async def test_whatever_step_the_bot_dies_at_the_round_is_finished_once(
    step: str, standin: StandIn, worker_url: str, tmp_path: Path
) -> None:
    database = tmp_path / "stories.sqlite3"
    channel = Channel(standin)
    story_id = await begin_story(database, channel.members[0])

    async with bot_process(standin, database, worker_url, die=step) as process:
        await until_dead(process, channel)
    was_announced = [text_of(m) for m in channel.announced]
    is_begun = count(database, "SELECT count(*) FROM rounds") > 0

    async with bot_process(standin, database, worker_url) as process:
        if was_announced:
            # The end is known to the members already; a clean stop waits for whatever the new process makes of it.
            await channel.connected()
        else:
            await channel.play(ask=not is_begun)
    assert process.returncode == 0

    async with Store.open(database) as store:
        assert await store.unfinished_rounds() == []
        assert await store.unannounced_rounds() == []
        passages = await store.canon(story_id)
        assert len(passages) == 1
        round_ = await store.round(passages[0].round_id or 0)
        assert round_.state is RoundState.CLOSED
        (first, *_) = await store.candidates(round_.id)
        ballots = {ballot.user_id: ballot.choices for ballot in await store.ballots(round_.id)}
        assert channel.acknowledged
        assert all(ballots.get(user_id) == {first.id} for user_id in channel.acknowledged)
        assert passages[0].text in text_of(channel.announced[0])
    assert len(channel.announced) == 1
    assert count(database, "SELECT count(*) FROM rounds") == 1


def count(database: Path, sql: str) -> int:
    """Read from beside the bot, as a backup would."""
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute(sql).fetchone()[0])
    finally:
        connection.close()
