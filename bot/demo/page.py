"""The page in the browser: SimCord's preview, its front door and its heartbeat, opened and closed together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simcord.preview import Preview

from bot.demo.door import FrontDoor
from bot.demo.heartbeat import Heartbeat
from bot.demo.parsers import kept_parsers
from bot.demo.world import World


@dataclass(frozen=True)
class Page:
    """An open page. `gate` is held by whoever acts on the world; `pulse` ends only when something is broken."""

    preview: Preview
    gate: asyncio.Lock
    pulse: asyncio.Task[None]


@asynccontextmanager
async def open_page(world: World, listening: socket.socket, key: str) -> AsyncIterator[Page]:
    """The channel as its members see it, served on `listening`; `key` opens it."""
    gate = asyncio.Lock()
    pictures = world.avatars()
    preview = world.env.preview(
        world.channel,
        viewers=world.members,
        layout="channel",
        timezone=local_timezone(Path("/etc/localtime")),
        assets=pictures,
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(kept_parsers())
        await stack.enter_async_context(preview)
        _, icon = next(iter(pictures.values()))
        door = FrontDoor(preview, key, gate, icon)
        pulse = asyncio.create_task(Heartbeat(world.env, preview, gate).run(), name="heartbeat")
        try:
            await door.open(listening)
            yield Page(preview, gate, pulse)
        finally:
            await door.close()
            pulse.cancel()
            await asyncio.gather(pulse, return_exceptions=True)


def local_timezone(link: Path) -> str:
    """The name of the machine's time zone, read from where `link` points; "UTC" where that says nothing."""
    _, found, name = str(link.resolve()).partition("zoneinfo/")
    if not found:
        return "UTC"
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
