"""`talewright demo`: the whole product in a browser, with no token and no network."""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

from bot.errors import BadInput, ConfigError, TalewrightError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; what it needs is imported only when it runs."""
    if find_spec("simcord") is None:
        raise ModuleNotFoundError("No module named 'simcord'", name="simcord")
    parser = subparsers.add_parser("demo", help="try the bot in a browser: no token, no network", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where the page listens (%(default)s)")
    parser.add_argument("--port", type=port_number, default=8420, help="its port, 0 for any (%(default)s)")
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="where stories are kept (%(default)s)")
    parser.add_argument("--model", help="a checkpoint's folder or hub name for the worker (the bundled one)")
    parser.add_argument("--minutes", type=float, help="how long a round stays open (2, or what the channel has set)")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    parser.add_argument("--check", action="store_true", help="play a round without a browser, exit with 0 or 1")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 after a clean stop, 1 when the demo could not go on, 2 for what the caller can put right."""
    from bot.demo.check import check
    from bot.demo.door import CannotListen
    from bot.demo.folder import FolderUnusable
    from bot.demo.process import WorkerFailed
    from bot.demo.serve import Options, serve

    try:
        if args.check:
            return asyncio.run(check(args.model))
        options = Options(args.host, args.port, args.data, args.model, args.minutes, args.open)
        return asyncio.run(serve(options))
    except (FolderUnusable, CannotListen, ConfigError, BadInput) as error:
        print(f"talewright demo: {error}", file=sys.stderr)
        return 2
    except (WorkerFailed, TalewrightError, OSError) as error:
        print(f"talewright demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def port_number(text: str) -> int:
    """A port as typed. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: wanted 0 to 65535")
    return int(text)
