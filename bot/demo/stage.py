"""The real bot on the demo's Discord, from its first event to its last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from simcord.env import Env

from bot.app import App, open_app
from bot.config import BotConfig
from bot.demo.clock import WallClock
from bot.demo.welcome import post_welcome
from bot.demo.world import World, build_world
from bot.discord_app.sync import META_KEY, Synced
from bot.errors import Refusal

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Stage:
    """A connected bot and the world it is connected to."""

    app: App
    world: World


@asynccontextmanager
async def run_bot(config: BotConfig) -> AsyncIterator[Stage]:
    """Builds the bot as `talewright bot` does, connects it to a fresh world and closes both at the end."""
    clock = WallClock()
    async with open_app(config, clock.now) as app:
        world = build_world(app.bot, clock)
        leave_the_worker_out(world.env, app)
        let_refusals_be_answers(world.env)
        await forget_commands(app)
        await post_welcome(app.services, world)
        await world.env.start()
        await seat_moderators(app, world)
        try:
            yield Stage(app, world)
        finally:
            await app.bot.close()
            await world.env.shutdown()


async def seat_moderators(app: App, world: World) -> None:
    """Cards of reports and flagged texts go to the demo's own channel for them, as `/moderation channel` would say."""
    cases = app.services.cases
    if await cases.channel(world.guild.id) is None:
        await cases.set_channel(world.guild.id, world.moderators.id, world.members[0].id)


async def forget_commands(app: App) -> None:
    """The database remembers which commands Discord knows, and so saves a call; but the demo's Discord is a new one."""
    await app.store.set_meta(META_KEY, Synced(digest="", ids={}).to_json())


def leave_the_worker_out(env: Env, app: App) -> None:
    """Tells SimCord that the worker's answer comes from outside.

    SimCord takes an action for done when the bot has come to rest, and allows no other one before. A model writes for
    seconds; without this, nobody could click anything meanwhile.
    """
    worker = app.worker
    worker.complete = outside(env, worker.complete)  # type: ignore[method-assign,assignment]
    worker.rewrite = outside(env, worker.rewrite)  # type: ignore[method-assign,assignment]


def let_refusals_be_answers(env: Env) -> None:
    """Keeps SimCord from noting as a failure what the bot refuses on purpose.

    The page says of an action with a failure that its outcome is uncertain, though the member was told why not.
    """
    note = env._record_error

    def note_failure(error: BaseException) -> None:
        if not isinstance(getattr(error, "original", error), Refusal):
            note(error)

    env._record_error = note_failure  # type: ignore[method-assign]


def outside(env: Env, ask: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Answer]]:
    """`ask`, waited for outside of any action."""

    async def wait(request: Request) -> Answer:
        answer: Answer = await env.external_wait(ask(request), reason="the model is writing")
        return answer

    return wait
