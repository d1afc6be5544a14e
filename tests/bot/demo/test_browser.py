"""The demo as a newcomer sees it: started, opened in a browser, played, stopped, started again."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from tests.bot.demo.browser import BROWSER, reading, running_demo
from tests.models.babbler import make_babbler

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
    pytest.mark.timeout(480),
]


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
            await reader.command("story start", title="Another")
            await reader.sees("Your text")
            await reader.is_told("Action completed")  # a refusal is an answer as well
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
