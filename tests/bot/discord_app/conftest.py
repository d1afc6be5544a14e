"""The stage of `stage.py` as fixtures, which check after every test what the bot sent and raised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simcord

from tests.bot.discord_app.stage import FORBIDDEN, Parts, Site, Stage, open_parts
from tests.bot.discord_app.wire import check_requests
from tests.bot.service.far_end import FarEnd


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Files and a storyteller, for one process of the bot after another."""
    words = tmp_path / "words.txt"
    words.write_text(f"rude: {FORBIDDEN}\n", encoding="utf-8")
    far = FarEnd()
    async with far.server() as server:
        yield Site(tmp_path / "stories.sqlite3", words, str(server.make_url("")), far)


@pytest.fixture
async def parts(site: Site) -> Parts:
    return await open_parts(site)


@pytest.fixture
async def env(parts: Parts) -> AsyncIterator[simcord.Env]:
    """SimCord's plugin gives a test this environment's clock because it is a fixture of its own."""
    made = simcord.Env(parts.bot, settle_timeout=60, check_errors=False)
    await made.start()
    yield made
    await made.shutdown()


@pytest.fixture
async def stage(site: Site, parts: Parts, env: simcord.Env) -> AsyncIterator[Stage]:
    made = Stage(env, parts, site)
    yield made
    await made.bot.close()
    await made.parts.close()
    check_requests(env.http_requests)
    assert made.unexpected_errors() == []
