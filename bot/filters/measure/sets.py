"""The lines that filters are measured on, and how many of them are stopped."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.filters.measure.libraries import Judge

PROFANE = ("test_positive.txt",)
INNOCENT = ("false_positives.txt", "safe.txt", "test_negative.txt", "test_safe.txt")
SEED = 1
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Count:
    """Of `lines`, `stopped`; `words` is how many they hold."""

    lines: int
    stopped: int
    words: int

    @property
    def share(self) -> float:
        return self.stopped / self.lines if self.lines else 0.0

    @property
    def per_100_000_words(self) -> float:
        return 1e5 * self.stopped / self.words if self.words else 0.0


def read_lines(path: Path) -> list[str]:
    """The lines of a list, without empty ones."""
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def book_lines(folder: Path) -> list[str]:
    """Every paragraph of every text in a folder."""
    return [line for path in sorted(folder.rglob("*.txt")) for line in read_lines(path)]


def halves(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Two random halves, the same ones every time: one to look at, one to report."""
    shuffled = list(lines)
    random.Random(SEED).shuffle(shuffled)
    return shuffled[: len(lines) // 2], shuffled[len(lines) // 2 :]


def count(lines: Sequence[str], judge: Judge, on_stop: Callable[[str], None] = lambda line: None) -> Count:
    """How many of the lines the judge stops."""
    stopped = 0
    for line in lines:
        if judge(line):
            stopped += 1
            on_stop(line)
    return Count(len(lines), stopped, sum(len(_WORD.findall(line)) for line in lines))
