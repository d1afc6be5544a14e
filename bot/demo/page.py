"""The page in the browser: SimCord's preview, its front door and its heartbeat, opened and closed together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simcord.preview import Preview

from bot.demo.door import FrontDoor
from bot.demo.heartbeat import Heartbeat
from bot.demo.parsers import kept_parsers
from bot.demo.world import World


class Screen:
    """What the page shows: SimCord's preview of one channel, which another channel can take the place of.

    SimCord keeps one preview at a time, bound to its channel; so turning to another one ends it and begins anew. What
    members were told privately is not drawn again then.
    """

    def __init__(self, world: World, pictures: Mapping[str, tuple[str, bytes]], timezone: str) -> None:
        self._world = world
        self._pictures = pictures
        self._timezone = timezone
        self._turning = asyncio.Lock()
        self._preview: Preview | None = None
        self.channel = world.channel

    @property
    def preview(self) -> Preview:
        """The one that is open."""
        if self._preview is None:
            raise RuntimeError("the page shows nothing yet")
        return self._preview

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What `turn_to` knows, in the order of the server's list."""
        return tuple(channel.name or "" for channel in self._world.channels)

    async def open(self) -> None:
        """Shows the channel; the caller holds the gate, if anybody acts already."""
        preview = self._world.env.preview(
            self.channel,
            viewers=self._world.viewers(self.channel),
            layout="channel",
            timezone=self._timezone,
            assets=self._pictures,
        )
        self._preview = await preview.__aenter__()

    async def turn_to(self, name: str) -> bool:
        """Shows the channel of this name; False where there is none. The caller holds the gate."""
        found = next((channel for channel in self._world.channels if channel.name == name), None)
        if found is None:
            return False
        if found.id != self.channel.id:
            async with self._turning:
                await self.preview.close()
                self.channel = found
                await self.open()
        return True

    async def close(self) -> None:
        """Ends what is shown."""
        if self._preview is not None:
            await self._preview.close()

    async def wait_ended(self) -> None:
        """Returns when somebody ended the page's session, and not because it turned to another channel."""
        while True:
            shown = self.preview
            await shown.wait_closed()
            async with self._turning:
                if self.preview is shown:
                    return


@dataclass(frozen=True)
class Page:
    """An open page. `gate` is held by whoever acts on the world; `pulse` ends only when something is broken."""

    screen: Screen
    gate: asyncio.Lock
    pulse: asyncio.Task[None]


@asynccontextmanager
async def open_page(world: World, listening: socket.socket, key: str) -> AsyncIterator[Page]:
    """The server's channels as its members see them, served on `listening`; `key` opens it."""
    gate = asyncio.Lock()
    pictures = world.avatars()
    screen = Screen(world, pictures, local_timezone(Path("/etc/localtime")))
    async with AsyncExitStack() as stack:
        stack.enter_context(kept_parsers())
        await screen.open()
        stack.push_async_callback(screen.close)
        _, icon = next(iter(pictures.values()))
        door = FrontDoor(screen, key, gate, icon)
        pulse = asyncio.create_task(Heartbeat(world.env, lambda: screen.preview, gate).run(), name="heartbeat")
        try:
            await door.open(listening)
            yield Page(screen, gate, pulse)
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
