"""A peer that needs no engine: it writes 7, 8, 9, … and does what its options say."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from models.bench.runners.runner import Asked

RUNNER = Path(__file__).parents[3] / "models" / "bench" / "runners" / "runner.py"
SCRIPT = """
import os
import sys
import time


def export(source, target):
    if (source / "broken").exists():
        raise ValueError("no place for wte.weight")
    (target / "converted.txt").write_text((source / "weights.txt").read_text() * 2)


class Peer:
    def __init__(self, options):
        self._options = options
        self._open = []

    def prepare(self, requests):
        self._num = len(requests)

    def add(self, asked):
        self._open.append((asked, 0))

    @property
    def has_work(self):
        return bool(self._open)

    def step(self, notes):
        print("what a library says")
        if "raises" in self._options:
            raise ValueError(self._options["raises"])
        if "dies" in self._options:
            print("RuntimeError: the last words", file=sys.stderr, flush=True)
            os._exit(3)
        time.sleep(self._options.get("step_s", 0.0))
        still = []
        for asked, written in self._open:
            for row in range(asked.n):
                notes.wrote(asked.id, row, [7 + written])
            if written + 1 < asked.max_tokens:
                still.append((asked, written + 1))
        self._open = still


def load(folder, options):
    if "slow_s" in options:
        time.sleep(options["slow_s"])
    if "missing" in options:
        raise ModuleNotFoundError("No module named 'engine_of_theirs'")
    return Peer(options)
"""


def place_runner(folder: Path) -> Path:
    """A folder with the runner and the peer beside it, as the real ones lie; the runner's path."""
    folder.mkdir(exist_ok=True)
    shutil.copy(RUNNER, folder)
    (folder / "fake_peer.py").write_text(SCRIPT)
    return folder / "runner.py"


def command(folder: Path, **options: Any) -> list[str]:
    """What starts it."""
    return [sys.executable, str(place_runner(folder / "runners")), "fake_peer", str(folder), json.dumps(options)]


def asked(name: str = "a", n: int = 3, max_tokens: int = 4, prompt: tuple[int, ...] = (1, 2, 3)) -> Asked:
    """A small request."""
    return Asked(name, prompt, n, max_tokens, 0.9, 0.95, 5)
