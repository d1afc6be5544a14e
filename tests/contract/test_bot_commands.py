"""The real bot's commands, as it would register them, are commands that Discord takes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from bot.discord_app.bot import create_bot
from bot.service.build import build_services
from bot.service.filtering.book import compiler
from bot.store import Store
from bot.worker import WorkerClient
from tests.contract.check import check_commands


def now() -> datetime:
    return datetime.now(UTC)


async def test_every_command_can_be_registered(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "stories.sqlite3")
    worker = WorkerClient("http://127.0.0.1:9", None, None, 1.0)
    services = build_services(store, worker, compiler([]), now, random.Random(1))
    bot = create_bot(services, now=now, get_meta=store.get_meta, set_meta=store.set_meta, sync_commands=False)
    async with bot:
        await bot._add_commands()
        assert {"story", "continue", "rewrite", "write", "settings", "filters", "round", "help", "about"} <= {
            command.name for command in bot.tree.get_commands()
        }
        check_commands(bot)
    await worker.close()
    await store.close()
