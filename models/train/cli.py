"""`talewright train`: trains a storyteller from a YAML file."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command; heavy imports wait until it runs."""
    parser = subparsers.add_parser("train", help="train a story model from scratch", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the run's YAML file")
    parser.add_argument("--data", type=Path, required=True, help="folder that the sources' paths start from")
    parser.add_argument("--out", type=Path, required=True, help="run folder; started again, the run goes on")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when the checkpoint stands, 2 for a bad configuration or missing text."""
    from models.train.config import TrainConfigError, load_config
    from models.train.sources import NoTextError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        config = load_config(args.config)
        from models.train.run import main

        checkpoint = main(config, args.data, args.out)
    except (TrainConfigError, NoTextError) as error:
        print(f"talewright train: {error}", file=sys.stderr)
        return 2
    print(checkpoint)
    return 0
