"""The demo as a process of its own, and somebody at its page in headless Chromium."""

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
from playwright.async_api import Page, async_playwright

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
SETTLE_MS = 1_500
"""The last redraw and the scrolling that follows it."""


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
async def running_demo(data: Path, model: Path | None = None) -> AsyncIterator[Demo]:
    """`model` None takes the bundled one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import sys; from bot.cli import main; sys.exit(main(sys.argv[1:]))", "demo"),
        *("--port", "0", "--data", str(data)),
        *(() if model is None else ("--model", str(model))),
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
            field = self._page.locator(f'.command-option-input[data-option="{option}"]')
            if not await field.count():  # optional ones wait behind "+1 more"
                await self._page.locator(".command-ghost").click()
                await self._page.locator(".command-popup").get_by_text(option, exact=True).first.click()
            await field.fill(value)
        await self._page.locator("#send-message").click()

    async def sees(self, text: str) -> None:
        await self.timeline.get_by_text(text).last.wait_for()

    async def is_told(self, status: str) -> None:
        """What the page says of the last action, at its top."""
        await self._page.locator("#action-status").get_by_text(status).wait_for()

    async def shows_button(self, label: str) -> None:
        await self.timeline.get_by_role("button", name=label, exact=True).last.wait_for()

    async def press(self, label: str) -> None:
        await self.timeline.get_by_role("button", name=label, exact=True).last.click()

    async def fill(self, **fields: str) -> None:
        """Fills the form that is open and sends it: a text by its field's name, one of a list by how it begins."""
        form = self._page.locator("#modal-root form")
        await form.wait_for()
        for name, value in fields.items():
            field = form.locator(f'.modal-field[data-custom-id="{name}"]')
            if await field.locator(".modal-input").count():
                await field.locator(".modal-input").fill(value)
            else:
                await field.get_by_role("combobox").click()
                await field.get_by_role("option", name=re.compile(f"^{re.escape(value)}")).click()
        await form.get_by_role("button", name="Submit").click()

    async def turn_to(self, channel: str) -> None:
        """Another channel of the server."""
        async with self._page.expect_navigation():
            await self._page.locator("#talewright-channel").select_option(label=channel)
        await self._page.wait_for_selector("#preview-app[aria-busy=false]")

    async def picture(self, file: Path) -> None:
        """The end of the conversation, once the page has come to rest."""
        await self._page.wait_for_function("() => window.simcordPreview.ready")
        await self._page.wait_for_timeout(SETTLE_MS)
        await self.timeline.evaluate("timeline => { timeline.scrollTop = timeline.scrollHeight }")
        await self._page.screenshot(path=file)


@asynccontextmanager
async def reading(width: int = 1280, height: int = 900) -> AsyncIterator[Reader]:
    """A browser window of this size, in pixels."""
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=BROWSER, args=FLAGS)
        # The page's own policy forbids scripts in strings, which is how the test asks whether it is ready.
        context = await browser.new_context(bypass_csp=True, viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE_MS)
        yield Reader(await context.new_page())
        await browser.close()
