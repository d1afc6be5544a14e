"""The worker as a process of its own: started on a leash, waited for, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import aiohttp

ASK_S = 0.3
"""How often a loading worker is asked whether it is ready."""

STOP_S = 30.0
"""How long a worker may take to stop before it is killed; it lets running requests end for a few seconds first."""

TAIL_LINES = 12

ANNOUNCEMENT = "worker listening on"
"""How a worker's log names its address."""


class WorkerFailed(Exception):
    """The worker ended, or says that it cannot load its model. The message says why and where to read more."""


class WorkerProcess:
    """A worker that was started. `log` is the file that it writes to, `url` its address once it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self.url = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait_ready(self, progress: Callable[[float], None]) -> float:
        """Returns the seconds that it took; calls `progress` with the seconds so far. Raises WorkerFailed."""
        began = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await self._is_ready(session):
                progress(time.monotonic() - began)
                await asyncio.sleep(ASK_S)
        return time.monotonic() - began

    async def wait_ended(self) -> int:
        """Returns its exit code once it has ended."""
        return await self._process.wait()

    def last_words(self) -> str:
        """The end of its log, for a person."""
        lines = [line for line in self._log_text().splitlines() if line.strip()]
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        if self._process.returncode is not None:
            raise WorkerFailed(f"the worker ended with code {self._process.returncode}:\n{self.last_words()}")
        self.url = self.url or self._announced_url()
        if not self.url:
            return False
        try:
            async with session.get(f"{self.url}/health") as response:
                if response.status == 200:
                    return True
                said = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False  # not listening yet, or busy with loading
        if isinstance(said, dict) and said.get("status") == "failed":
            raise WorkerFailed(f"the worker could not load its model: {said.get('detail')}\n{self.last_words()}")
        return False

    def _announced_url(self) -> str:
        """The address that the worker has written down, "" before it has."""
        found = re.search(rf"^{ANNOUNCEMENT} (http://\S+)$", self._log_text(), re.MULTILINE)
        return found[1] if found else ""

    def _log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def stop(self) -> None:
        """Asks it to stop, and makes it where it does not."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def run_worker(log: Path, model: str | None) -> AsyncIterator[WorkerProcess]:
    """A worker with the bundled model, or `model`; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "bot.demo.leash", "--host", "127.0.0.1", "--port", "0"]
    if model is not None:
        command += ["--model", model]
    with log.open("wb") as written:
        worker = WorkerProcess(await _spawn(command, written), log)
    try:
        yield worker
    finally:
        await worker.stop()


async def _spawn(command: list[str], written: IO[bytes]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        # The leash: never written to, closed by the system when this process ends.
        stdin=asyncio.subprocess.PIPE,
        stdout=written,
        stderr=written,
        # What a worker for the real bot is told in the environment or in .env is not meant for this one.
        env={**os.environ, "MODEL": "", "WORKER_API_KEY": ""},
        # Ctrl-C reaches the whole foreground group; the worker must outlive the bot's last question.
        start_new_session=True,
    )
