"""The demo as a newcomer sees it: started, opened in a browser, played, stopped, started again."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.async_api import Page, async_playwright

from tests.models.babbler import make_babbler

BROWSER = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 90_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
    pytest.mark.timeout(480),
]


class Demo:
    """`talewright demo` as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.address = ""

    async def wait_open(self) -> None:
        assert self._process.stdout is not None
        said = ""
        async for line in self._process.stdout:
            said += line.decode()
            if found := re.search(r"Open +(http://\S+)", said):
                self.address = found[1]
                return
        pytest.fail(f"the demo never opened:\n{said}")

    async def stop(self) -> int:
        self._process.send_signal(signal.SIGINT)
        await self._process.communicate()
        return await self._process.wait()


@asynccontextmanager
async def running_demo(data: Path, model: Path) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main(sys.argv[1:]))", "demo"),
        *("--port", "0", "--data", str(data), "--model", str(model)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    demo = Demo(process)
    try:
        await demo.wait_open()
        yield demo
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Reader:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.timeline = page.locator("#channel-timeline")

    async def open(self, address: str) -> None:
        await self._page.goto(address)
        await self._page.wait_for_selector("#preview-app[aria-busy=false]")

    async def become(self, name: str) -> None:
        await self._page.locator("#viewer-picker").select_option(label=name)
        await self._page.wait_for_function("() => window.simcordPreview.ready")

    async def command(self, name: str, **options: str) -> None:
        await self._page.locator("#channel-composer-input").press_sequentially(f"/{name}")
        await self._page.locator(".command-entry", has_text=f"/{name}").first.click()
        for option, value in options.items():
            await self._page.locator(f'.command-option-input[data-option="{option}"]').fill(value)
        await self._page.locator("#send-message").click()

    async def sees(self, text: str) -> None:
        await self.timeline.get_by_text(text).last.wait_for()

    async def press(self, label: str) -> None:
        await self.timeline.get_by_role("button", name=label, exact=True).last.click()


@asynccontextmanager
async def reading() -> AsyncIterator[Reader]:
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=BROWSER, args=FLAGS)
        # The page's own policy forbids scripts in strings, which is how the test asks whether it is ready.
        context = await browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        yield Reader(await context.new_page())
        await browser.close()


async def test_a_round_is_played_in_the_page_and_the_story_survives_a_restart(tmp_path: Path) -> None:
    model = make_babbler(tmp_path / "babbler")
    async with reading() as reader:
        async with running_demo(tmp_path / "data", model) as demo:
            await reader.open(demo.address)
            await reader.sees("Welcome to Talewright")
            await reader.command("story start", title="The Lantern Keeper")
            await reader.sees("A new story begins")

            await reader.command("continue")
            await reader.press("Vote B")
            await reader.sees("Your vote: B")
            await reader.become("Ben")
            await reader.press("Vote B")
            await reader.sees("B won with 2 votes.")
            await reader.sees("goes on:")

            await reader.become("Chloe")
            await reader.command("rewrite")
            await reader.sees("as it stands now")
            assert await demo.stop() == 0

        async with running_demo(tmp_path / "data", model) as demo:
            await reader.open(demo.address)
            await reader.sees("The demo was started again. A round is under way")
            await reader.sees("as it stands now")
            await reader.press("Vote A")
            await reader.sees("Your vote: A")
            assert await demo.stop() == 0
