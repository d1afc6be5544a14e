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
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        _add_command(entry, subparsers)
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


def _add_command(entry: EntryPoint, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds a subcommand, or one that says which extra it needs where its package is not installed."""
    try:
        entry.load()(subparsers)
    except ModuleNotFoundError as error:
        missing = error.name
        sentence = f"talewright {entry.name}: needs the package {missing}; install talewright[{entry.name}]"
        stub = subparsers.add_parser(entry.name, help=f"not installed (needs {missing})")
        stub.set_defaults(run=lambda _args: _say(sentence))


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
