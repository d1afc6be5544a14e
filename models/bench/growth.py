"""How the time of a round grows with context, candidates and channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.bench.environments import CannotPrepare
from models.bench.figures import Row
from models.bench.launching import Launcher
from models.bench.measuring import line_of, play_round, warm_up
from models.bench.process import SubjectFailed
from models.bench.subjects import Subject
from models.bench.weights import Weights
from models.bench.workloads import HINT_TOKENS, Round


@dataclass(frozen=True)
class Axis:
    """What grows: `values`, and the round of each of them."""

    name: str
    values: tuple[int, ...]
    shape: Callable[[int], Round]


AXES = (
    Axis("tokens of context", (256, 512, 1024, 2048, 4096), lambda tokens: Round(prompt_tokens=tokens)),
    Axis("candidates", (1, 2, 3, 4, 5, 6, 7, 8), lambda n: Round(n=n)),
    Axis("channels", (1, 2, 4, 8, 16, 32, 64), lambda count: Round(num_channels=count)),
)

AXIS_NAMES = ("context", "candidates", "channels")
"""Of `AXES`, as the command line has them."""


def values_within(axis: Axis, context_tokens: int) -> list[int]:
    """Those whose prompt fits into the context; where one is too long, the longest that fits comes last."""
    kept: list[int] = []
    for value in axis.values:
        shape = axis.shape(value)
        room = context_tokens - shape.new_tokens - HINT_TOKENS - 1
        if value != shape.prompt_tokens or value <= room:
            kept.append(value)
        elif room not in kept:
            kept.append(room)
    return sorted(set(kept))


def measure_growth(subject: Subject, weights: Weights, launcher: Launcher, axes: tuple[Axis, ...]) -> list[Row]:
    """A row for each value of each axis; one that says why, where the subject can't go on."""
    rows: list[Row] = []
    about = {"model": weights.name, "subject": subject.name}
    try:
        with launcher.start(subject, weights) as process:
            warm_up(process, weights, launcher.patience_s)
            for axis in axes:
                for value in values_within(axis, weights.context_tokens):
                    name = f"{value} {axis.name}"
                    row = play_round(process, name, axis.shape(value), weights, launcher.patience_s)
                    rows.append({**about, "workload": name, "axis": axis.name, "x": value, **row})
                    launcher.say(line_of(rows[-1]))
    except (CannotPrepare, SubjectFailed) as error:
        rows.append({**about, "workload": "growth", "axis": "", "skipped": str(error)})
        launcher.say(line_of(rows[-1]))
    return rows
