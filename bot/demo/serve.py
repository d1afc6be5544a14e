"""The demo itself: worker, bot and page, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.config import BotConfig, load_config
from bot.demo.door import listen, page_address
from bot.demo.folder import DataFolder
from bot.demo.page import Page, open_page
from bot.demo.process import WorkerFailed, WorkerProcess, run_worker
from bot.demo.stage import Stage, run_bot

DEMO_MINUTES = 2.0
"""Rounds of the real bot stay open for longer; here one person plays everybody."""

WHAT_TO_TRY = """\
  Try    /story start   type it into the message box, give a title and a premise, press Enter
         /continue      three candidates appear; vote as Ada, then as Ben ("Viewing as", at the top)
         /rewrite       another version of the last passage, or of any other, with the old one beside it in the ballot
         /filters show  as Ada, who moderates; what is reported arrives in the channel "moderators", at the top
"""


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `minutes` None keeps what the channel has set, or `DEMO_MINUTES`."""

    host: str
    port: int
    data: Path
    model: str | None
    minutes: float | None
    open_browser: bool


async def serve(options: Options) -> int:
    """Runs until a signal, which is code 0, or until the worker or the page has ended, which is 1.

    Raises FolderUnusable, CannotListen, WorkerFailed, ConfigError, BadInput (for the minutes), StoreError.
    """
    stop = stop_on_signals()
    folder = DataFolder(options.data)
    with folder.claimed(), contextlib.closing(listen(options.host, options.port)) as listening:
        address = page_address(listening, folder.page_key())
        logging.basicConfig(
            filename=folder.bot_log, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        async with run_worker(folder.worker_log, options.model) as worker:
            if not await is_ready(worker, stop):
                return 0
            async with run_bot(demo_config(folder, worker.url)) as stage:
                await shorten_rounds(stage, options.minutes)
                async with open_page(stage.world, listening, folder.page_key()) as page:
                    print(
                        f"\n  Open   {address}\n\n{WHAT_TO_TRY}\n  Kept in {folder.path}. Stop with Ctrl-C.", flush=True
                    )
                    if options.open_browser:
                        await asyncio.to_thread(webbrowser.open, address)
                    trouble = await wait_for_end(stop, page, worker)
                print("\n  Stopping …" if trouble is None else f"\n  {trouble}", flush=True)
    return 0 if trouble is None else 1


def demo_config(folder: DataFolder, worker_url: str) -> BotConfig:
    """The bot's own configuration, with the demo's database and worker."""
    return load_config(database=folder.database, worker_url=worker_url, worker_api_key=None, worker_model=None)


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM. A second Ctrl-C ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, ask_to_stop)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    return stop


async def is_ready(worker: WorkerProcess, stop: asyncio.Event) -> bool:
    """Waits for the worker with a line of progress; False where a signal came first. Raises WorkerFailed."""
    progress = Progress(sys.stdout)
    loading = asyncio.create_task(worker.wait_ready(progress.show))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            return False
        progress.end(loading.result())
        return True
    finally:
        loading.cancel()
        stopping.cancel()
        await asyncio.gather(loading, stopping, return_exceptions=True)


class Progress:
    """One line that counts in a terminal; in a log, a line now and then."""

    LOG_EVERY_S = 10.0

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next_s = 0.0

    def show(self, seconds: float) -> None:
        """Called often while the worker loads."""
        if self._out.isatty():
            print(f"\r  Waking the storyteller … {seconds:.0f} s ", end="", file=self._out, flush=True)
        elif seconds >= self._next_s:
            print(f"  Waking the storyteller … {seconds:.0f} s", file=self._out, flush=True)
            self._next_s = seconds + self.LOG_EVERY_S

    def end(self, seconds: float) -> None:
        clear = "\r\033[K" if self._out.isatty() else ""
        print(f"{clear}  The storyteller is ready after {seconds:.1f} s.", file=self._out, flush=True)


async def shorten_rounds(stage: Stage, minutes: float | None) -> None:
    """Sets how long rounds stay open in the channel, as a member would with /settings. Raises BadInput."""
    guild_id, channel_id = stage.world.guild.id, stage.world.channel.id
    settings = stage.app.services.settings
    (line,) = (line for line in await settings.show(guild_id, channel_id) if line.name == "minutes")
    if minutes is None and line.origin != "default":
        return
    wanted = DEMO_MINUTES if minutes is None else minutes
    await settings.set(guild_id, channel_id, "minutes", f"{wanted:g}", stage.world.members[0].id)


async def wait_for_end(stop: asyncio.Event, page: Page, worker: WorkerProcess) -> str | None:
    """None after a signal; otherwise a sentence about what ended first."""
    stopping = asyncio.create_task(stop.wait())
    closed = asyncio.create_task(page.screen.wait_ended())
    ended = asyncio.create_task(worker.wait_ended())
    try:
        await asyncio.wait({stopping, closed, ended, page.pulse}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return None
        if ended.done():
            raise WorkerFailed(f"the worker ended with code {ended.result()}:\n{worker.last_words()}")
        if page.pulse.done():
            page.pulse.result()
        return "The page's session was ended."
    finally:
        for task in (stopping, closed, ended):
            task.cancel()
        await asyncio.gather(stopping, closed, ended, return_exceptions=True)
