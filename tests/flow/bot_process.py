"""One process of the real bot on the stand-in, which may be told the step at which it dies.

Run as a script by the flow tests. A step is ``package.module:Class.method:before`` (or ``:after``), with an optional
``:2`` for the second call. Dying is SIGKILL: no handler, no `finally`, no flush.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import importlib
import itertools
import os
import signal
from pathlib import Path
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr

from bot.__main__ import serve
from bot.config import BotConfig


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--api", "--gateway", "--token", "--database", "--worker"):
        parser.add_argument(name, required=True)
    parser.add_argument("--die")
    args = parser.parse_args()
    Route.BASE = args.api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(args.gateway)
    discord.Client.before_identify_hook = no_pause  # type: ignore[method-assign]
    if args.die:
        arm(args.die)
    config = BotConfig(
        _env_file=None,
        discord_token=SecretStr(args.token),
        database=Path(args.database),
        worker_url=args.worker,
        worker_timeout_s=20,
    )
    asyncio.run(serve(config))


async def no_pause(client: discord.Client, shard_id: int | None, *, initial: bool = False) -> None: ...


def arm(step: str) -> None:
    """Wraps the step's method so that the process dies just before or just after its n-th call."""
    module, method, moment, *rest = step.split(":")
    owner_name, name = method.split(".")
    owner = getattr(importlib.import_module(module), owner_name)
    original = getattr(owner, name)
    fatal_call = int(rest[0]) if rest else 1
    calls = itertools.count(1)

    @functools.wraps(original)
    async def armed(*args: Any, **kwargs: Any) -> Any:
        is_fatal = next(calls) == fatal_call
        if is_fatal and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await original(*args, **kwargs)
        if is_fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, armed)


if __name__ == "__main__":
    main()
