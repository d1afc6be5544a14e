"""`talewright …`: finds the subcommands of both packages through entry points, so neither imports the other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points, version

GROUP = "talewright.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code; 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="talewright", description="Communities write stories together on Discord.")
    parser.add_argument("--version", action="version", version=f"talewright {version('talewright')}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        _add_command(entry, subparsers)
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except ModuleNotFoundError as error:
        # Commands import what is heavy only when they run, so this is where a missing extra shows.
        return _say(_needs(args.command, error))


def _add_command(entry: EntryPoint, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds a subcommand, or one that says which extra it needs where its package is not installed."""
    try:
        entry.load()(subparsers)
    except ModuleNotFoundError as error:
        sentence = _needs(entry.name, error)
        stub = subparsers.add_parser(entry.name, help=f"not installed (needs {error.name})")
        stub.set_defaults(run=lambda _args: _say(sentence))


def _needs(command: str, error: ModuleNotFoundError) -> str:
    return f"talewright {command}: needs the package {error.name}; install talewright[{command}]"


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
