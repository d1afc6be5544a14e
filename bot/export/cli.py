"""`talewright export votes`, `talewright export stories`: what the bot has kept, as files, while it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bot.config import load_config
from bot.errors import ConfigError, TalewrightError
from bot.export import stories, votes
from bot.export.output import write_lines, write_object
from bot.store.archive import Archive

STORY_SUFFIXES = (".json", ".jsonl")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command with its two parts."""
    parser = subparsers.add_parser("export", help="write votes or stories into a file", description=__doc__)
    parts = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    for_votes = parts.add_parser(
        "votes", help="closed rounds and ballots, for the evaluation", description="No member and no text is in it."
    )
    _add_common(for_votes)
    for_votes.add_argument("--guild", type=int, metavar="ID", help="of this server alone (every server's if left out)")
    for_votes.set_defaults(run=run_votes)
    for_stories = parts.add_parser(
        "stories",
        help="a server's stories, marked for training or not",
        description="Canon of all stories, ended ones too. Passages are free for training only where the server's "
        "setting “training” is on and the model wrote them; what members typed never is.",
    )
    _add_common(for_stories)
    for_stories.add_argument("--guild", type=int, metavar="ID", required=True, help="the server")
    for_stories.set_defaults(run=run_stories)


def run_votes(args: argparse.Namespace) -> int:
    """Exit code 0 when the file is written, 1 when it could not be, 2 for a setting that cannot be used."""
    return _guarded(args, _export_votes)


def run_stories(args: argparse.Namespace) -> int:
    """Likewise; 2 also for a file name that says no format."""
    if args.out.suffix not in STORY_SUFFIXES:
        print(f"talewright export: --out {args.out}: it must end in {' or '.join(STORY_SUFFIXES)}", file=sys.stderr)
        return 2
    return _guarded(args, _export_stories)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="written whole, or left as it was")
    parser.add_argument("--database", type=Path, metavar="PATH", help="the bot's file (the configured one if left out)")


def _guarded(args: argparse.Namespace, export: Callable[[argparse.Namespace, Archive], str]) -> int:
    try:
        path = args.database if args.database is not None else load_config().database
        if args.out.exists() and path.exists() and args.out.samefile(path):
            raise ConfigError("--out", f"the database {path}", "another file")
        with Archive.open(path) as archive:
            said = export(args, archive)
    except ConfigError as error:
        print(f"talewright export: {error}", file=sys.stderr)
        return 2
    except TalewrightError as error:
        print(f"talewright export: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"talewright export: {args.out} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{args.out}: {said}", file=sys.stderr)
    return 0


def _export_votes(args: argparse.Namespace, archive: Archive) -> str:
    votes.require_guild(archive, args.guild)
    counts = votes.VoteCounts()
    write_object(args.out, votes.export_head(), "rounds", votes.round_records(archive, args.guild, counts))
    left_out = f"; left out, with fewer than {votes.LEAST_CANDIDATES} candidates: {counts.left_out}"
    return f"rounds: {counts.rounds}, ballots: {counts.ballots}{left_out}"


def _export_stories(args: argparse.Namespace, archive: Archive) -> str:
    learning = stories.learning_of(archive, args.guild)
    counts = stories.StoryCounts()
    records = stories.story_records(archive, args.guild, learning, counts)
    head = stories.export_head(args.guild)
    if args.out.suffix == ".jsonl":
        write_lines(args.out, head, records)
    else:
        write_object(args.out, head, "stories", records)
    said = f"stories: {counts.stories}, passages: {counts.passages}, free for training: {counts.free}"
    return said if learning.is_allowed else f"{said}. This is a backup, nothing to train on: {learning.reason}."
