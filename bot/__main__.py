"""`talewright bot`: the bot on Discord, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bot.config import BotConfig, load_config
from bot.errors import ConfigError, TalewrightError

log = logging.getLogger(__name__)

BEAT_S = 15.0
"""How often a healthy bot touches its heartbeat file."""

AUTHENTICATION_FAILED = 4004
"""The gateway's close code for a token that it does not accept."""

HEALTHY_S = 60.0
"""A heartbeat older than this means that the bot is not well."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; discord is imported only when it runs."""
    parser = subparsers.add_parser("bot", help="run the bot on Discord", description=__doc__)
    parser.add_argument(
        "--check-health", action="store_true", help="exit with 0 if the bot on this database is connected and well"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 after a clean stop, 1 when the bot could not go on, 2 for a setting that cannot be used."""
    try:
        config = load_config()
        if args.check_health:
            return check_health(heartbeat_file(config))
        config.require_token()
        logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        asyncio.run(serve(config))
    except ConfigError as error:
        print(f"talewright bot: {error}", file=sys.stderr)
        return 2
    except TalewrightError as error:
        print(f"talewright bot: {error}", file=sys.stderr)
        return 1
    return 0


async def serve(config: BotConfig) -> None:
    """Connects and runs until a signal. Raises ConfigError for a token that Discord refuses."""
    import discord

    from bot.app import open_app

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # discord.py leaves SIGTERM to the system, which would end the process without closing anything.
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with open_app(config) as app:
        # Looking through all that the imports made takes a tenth of a second, in which nothing else goes on; it stays.
        gc.collect()
        gc.freeze()
        connection = asyncio.create_task(app.bot.start(config.require_token()), name="discord connection")
        heartbeat = asyncio.create_task(beat(app.bot.is_well, heartbeat_file(config)), name="heartbeat")
        waiting = asyncio.create_task(stop.wait(), name="signal")
        try:
            await asyncio.wait({connection, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            log.info("stopping")
            heartbeat.cancel()
            waiting.cancel()
            await app.bot.close()
            heartbeat_file(config).unlink(missing_ok=True)
        try:
            await connection
        except discord.LoginFailure as error:
            raise refused_token() from error
        except discord.PrivilegedIntentsRequired as error:
            raise TalewrightError("Discord refused the gateway intents of this bot (close code 4014).") from error
        except discord.ConnectionClosed as error:
            if error.code == AUTHENTICATION_FAILED:
                raise refused_token() from error
            raise TalewrightError(f"Discord closed the connection for good: {error}") from error
        except OSError as error:
            raise TalewrightError(f"The connection to Discord could not be made: {error}") from error
    log.info("stopped")


def refused_token() -> ConfigError:
    """What the host reads when Discord does not know the token."""
    return ConfigError("DISCORD_TOKEN", "a token that Discord refuses", "the bot's current token")


def heartbeat_file(config: BotConfig) -> Path:
    """The file whose age tells a health check how the bot is."""
    return config.database.with_name(config.database.name + ".alive")


async def beat(is_well: Callable[[], bool], file: Path) -> None:
    """Touches `file` while the bot is connected and its deadlines are being watched."""
    while True:
        if is_well():
            await asyncio.to_thread(file.touch)
        await asyncio.sleep(BEAT_S)


def check_health(file: Path) -> int:
    """0 where the heartbeat is fresh; 1 otherwise, with a word why."""
    with contextlib.suppress(FileNotFoundError):
        age_s = time.time() - file.stat().st_mtime
        if age_s <= HEALTHY_S:
            return 0
        print(f"the last heartbeat is {age_s:.0f} s old", file=sys.stderr)
        return 1
    print(f"no heartbeat: {file} does not exist", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(run(argparse.Namespace(check_health=False)))
