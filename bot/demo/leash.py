"""Runs `talewright worker …` in this process, and ends it when whoever started it is gone.

Standard input is the leash: a pipe whose other end the demo holds. When the demo ends, however it ends, the system
closes that end, this side reads the end of the file, and the worker stops. So a killed demo leaves no worker behind.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import entry_points

GRACE_S = 5.0
"""How long the worker may take to stop by itself once the leash is gone."""


def main(argv: Sequence[str]) -> int:
    """The worker's exit code."""
    threading.Thread(target=end_with_stdin, name="leash", daemon=True).start()
    parser = argparse.ArgumentParser(prog="talewright")
    # Through the entry point, so that the bot's side never imports the worker's.
    (worker,) = entry_points(group="talewright.commands", name="worker")
    worker.load()(parser.add_subparsers(required=True))
    args = parser.parse_args(["worker", *argv])
    code: int = args.run(args)
    return code


def end_with_stdin() -> None:
    """Waits for the end of standard input, then ends this process: asked first, forced later."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
