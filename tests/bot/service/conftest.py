"""The world of `world.py` as fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.service.far_end import FarEnd
from tests.bot.service.world import FORBIDDEN, World


@pytest.fixture
def far() -> FarEnd:
    return FarEnd()


@pytest.fixture
async def world(far: FarEnd, tmp_path: Path) -> AsyncIterator[World]:
    words = tmp_path / "words.txt"
    words.write_text(f"rude: {FORBIDDEN}\n", encoding="utf-8")
    async with far.server() as server:
        made = World(tmp_path / "stories.sqlite3", far, str(server.make_url("")), words)
        await made.start()
        yield made
        await made.stop()
