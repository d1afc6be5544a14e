"""The worker as a process: waited for, stopped, explained when it dies, and never left behind."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")

from bot.demo.process import WorkerFailed, run_worker
from bot.demo.serve import Progress, is_ready
from tests.models.babbler import make_babbler

# A worker imports torch, which takes its time on a machine that has other things to do.
pytestmark = pytest.mark.timeout(480)

STARTER = """
import asyncio, sys
from pathlib import Path
from bot.demo.process import run_worker

async def main():
    async with run_worker(Path(sys.argv[1]), sys.argv[2]) as worker:
        await worker.wait_ready(lambda seconds: None)
        print(worker.url, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def babbler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_babbler(tmp_path_factory.mktemp("models") / "babbler")


def is_listening(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((host, int(port))) == 0


async def test_a_worker_is_ready_then_stops_with_its_block(tmp_path: Path, babbler: Path) -> None:
    seen: list[float] = []
    async with run_worker(tmp_path / "worker.log", str(babbler)) as worker:
        took_s = await worker.wait_ready(seen.append)
        assert is_listening(worker.url)
        assert seen
        assert seen == sorted(seen)
        assert seen[-1] <= took_s
    assert not is_listening(worker.url)
    assert await worker.wait_ended() == 0


async def test_a_worker_that_cannot_load_says_why(tmp_path: Path) -> None:
    async with run_worker(tmp_path / "worker.log", str(tmp_path / "no-such-model")) as worker:
        with pytest.raises(WorkerFailed, match="no-such-model"):
            await worker.wait_ready(lambda _seconds: None)


async def test_a_signal_while_the_worker_loads_is_heard_at_once(tmp_path: Path, babbler: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    async with run_worker(tmp_path / "worker.log", str(babbler)) as worker:
        assert await is_ready(worker, stop) is False


async def test_a_demo_that_is_killed_leaves_no_worker_behind(tmp_path: Path, babbler: Path) -> None:
    demo = subprocess.Popen(  # noqa: ASYNC220 - a moment's work
        [sys.executable, "-c", STARTER, str(tmp_path / "worker.log"), str(babbler)], stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    with demo.stdout:
        url = (await asyncio.to_thread(demo.stdout.readline)).strip()
        assert is_listening(url)
        demo.send_signal(signal.SIGKILL)
        assert demo.wait() == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while is_listening(url):
        assert time.monotonic() < deadline, "the worker outlived its demo"
        await asyncio.sleep(0.1)


def test_progress_in_a_log_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for seconds in (0.0, 0.3, 0.6, 9.9, 10.1, 10.4, 20.2):
        progress.show(seconds)
    progress.end(21.26)
    assert out.getvalue().splitlines() == [
        "  Waking the storyteller … 0 s",
        "  Waking the storyteller … 10 s",
        "  Waking the storyteller … 20 s",
        "  The storyteller is ready after 21.3 s.",
    ]


def test_progress_in_a_terminal_is_one_line_that_counts() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    progress = Progress(out)
    progress.show(0.0)
    progress.show(3.2)
    progress.end(4.0)
    assert "\n" not in out.getvalue().rstrip("\n")
    assert "3 s" in out.getvalue()
    assert out.getvalue().endswith("  The storyteller is ready after 4.0 s.\n")
