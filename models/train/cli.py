"""`talewright train`: trains or fine-tunes a story model; `train merge` and `train export` write folders to serve."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

_DTYPES = ("auto", "float16", "bfloat16", "float32")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("train", help="train or fine-tune a story model", description=__doc__)
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own flags and its two subcommands."""
    parser.add_argument("--config", type=Path, help="the run's YAML file; docs/training.md explains every key")
    parser.add_argument("--data", type=Path, help="folder that the sources' paths start from, or a prepared dataset")
    parser.add_argument("--out", type=Path, help="run folder; started again, the run goes on")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one key of the configuration, such as optimiser.learning_rate=3e-4; may be given often",
    )
    parser.set_defaults(run=run, parser=parser)
    others = parser.add_subparsers(metavar="[merge | export]")
    _add_merge(others)
    _add_export(others)


def _add_merge(others: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    merge = others.add_parser("merge", help="merge a LoRA adapter into its base")
    merge.add_argument("adapter", type=Path, help="folder of the adapter")
    merge.add_argument("--out", type=Path, required=True, help="folder to write, which the worker serves")
    merge.add_argument("--base", help="folder or hub name of the base, where it is not what the adapter names")
    merge.add_argument("--dtype", choices=_DTYPES, default="auto", help="auto: what the base's weights are in")
    merge.set_defaults(run=run_merge)


def _add_export(others: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = others.add_parser("export", help="write a checkpoint of a run as a folder to serve")
    export.add_argument("run_folder", type=Path, help="what --out of the training was")
    export.add_argument("--out", type=Path, required=True, help="folder to write, which the worker serves")
    export.add_argument("--checkpoint", default="best", help="best (default), last, or the number of a step")
    export.add_argument("--dtype", choices=_DTYPES, default="auto", help="auto: as the run would have written it")
    export.set_defaults(run=run_export)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when the checkpoint stands, 2 with one sentence for what stops it."""
    if args.data is None or args.out is None:
        args.parser.error("--data and --out are needed, and --config or --set for anything but the defaults")

    def train() -> Path:
        from models.train.settings import load_config

        config = load_config(args.config, args.overrides)
        from models.train.run import main

        return main(config, args.data, args.out)

    return _finish(train)


def run_merge(args: argparse.Namespace) -> int:
    """Exit code 0 when the merged folder stands."""

    def merge() -> Path:
        from models.train.merging import merge_adapter

        return merge_adapter(args.adapter, args.out, args.dtype, args.base)

    return _finish(merge)


def run_export(args: argparse.Namespace) -> int:
    """Exit code 0 when the exported folder stands."""

    def export() -> Path:
        from models.train.exporting import export_run
        from models.train.folder import RunFolder

        return export_run(RunFolder(args.run_folder), args.out, args.checkpoint, args.dtype)

    return _finish(export)


def _finish(work: Callable[[], Path]) -> int:
    from models.train.errors import TrainError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        print(work())
    except TrainError as error:
        print(f"talewright train: {error}", file=sys.stderr)
        return 2
    return 0
