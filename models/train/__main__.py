"""`python -m models.train`: `talewright train`, as `accelerate launch -m` starts it on each of several GPUs."""

from __future__ import annotations

import argparse
import sys

from models.train.cli import add_arguments


def main() -> int:
    """Runs the command with the process's arguments."""
    parser = argparse.ArgumentParser("models.train", description=__doc__)
    add_arguments(parser)
    args = parser.parse_args()
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
