"""The experiment: what would be accepted, what a step costs, and what comes of both."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from models.bench.environments import CannotPrepare
from models.bench.figures import Row
from models.bench.launching import Launcher
from models.bench.measuring import play_round, warm_up
from models.bench.process import SubjectFailed
from models.bench.speculation.drafts import Draft, all_drafts
from models.bench.speculation.simulation import Step, interpolate, replay, speed_up, tokens_per_step
from models.bench.speculation.texts import NUM_ROWS, ROUND_TOKENS, SAMPLINGS, Text, write_rounds
from models.bench.subjects import Subject
from models.bench.weights import Weights
from models.bench.workloads import Round
from models.engine.checkpoint import load_checkpoint

KS = (1, 2, 3, 4, 8)
ROWS = (1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 18, 27)
STEPS = 24
"""Over so many steps a step's time is measured."""
RUNS = 3

Replays = dict[tuple[str, str, int], list[list[list[Step]]]]
"""Sampling, draft and k → rounds of rows of steps."""


def accept(bundled: Path, num_stories: int, say: Callable[[str], None]) -> tuple[list[Row], Replays]:
    """What each draft would have had accepted on the bundled model's stories, and the steps that came of it."""
    checkpoint = replace(load_checkpoint(str(bundled), device="cpu", dtype="float32"), end_ids=frozenset())
    rows: list[Row] = []
    replays: Replays = {}
    for sampling in SAMPLINGS:
        rounds = write_rounds(checkpoint, sampling, num_stories)
        for draft in all_drafts():
            for k in KS:
                played = replay_rounds(rounds, draft, k)
                replays[sampling.name, draft.name, k] = played
                rate = tokens_per_step([steps for rows_ in played for steps in rows_])
                rows.append({"sampling": sampling.name, "draft": draft.name, "k": k, "tokens_per_step": round(rate, 4)})
        say(f"{sampling.name}: {len(rounds)} rounds replayed")
    return rows, replays


def replay_rounds(rounds: Sequence[Sequence[Text]], draft: Draft, k: int) -> list[list[list[Step]]]:
    """Each row of each round."""
    rng = random.Random(0)
    return [[replay(text, draft, k, rng) for text in texts] for texts in rounds]


def measure_steps(subject: Subject, weights: Weights, launcher: Launcher) -> dict[int, float]:
    """Seconds of a step over so many rows of one channel. Raises `CannotPrepare` or `SubjectFailed`."""
    with launcher.start(subject, weights) as process:
        warm_up(process, weights, launcher.patience_s)
        costs = dict.fromkeys(ROWS, math.inf)
        for run in range(RUNS):  # all numbers in turns, so that a neighbour meets all alike
            for rows in ROWS:
                # The name makes the prompt, so it is read only once.
                played = play_round(
                    process, "steps", Round(n=rows, new_tokens=STEPS), weights, launcher.patience_s, run
                )
                seconds = (played["total_s"] - played["first_token_s"]) / (STEPS - 1)
                costs[rows] = min(costs[rows], seconds)
    return costs


def pays(replays: Replays, costs: dict[int, float]) -> list[Row]:
    """The speed-up of each draft and k with these costs of a step, for one row and for a ballot's."""
    step_s = interpolate(costs)
    shares = {draft.name: draft.share_of_step for draft in all_drafts()}
    rows: list[Row] = []
    for (sampling, draft, k), rounds in replays.items():
        alone = [[steps] for texts in rounds for steps in texts]
        for n, each in ((1, alone), (NUM_ROWS, rounds)):
            ratio = speed_up(each, ROUND_TOKENS, step_s, shares[draft])
            rows.append({"sampling": sampling, "draft": draft, "k": k, "n": n, "speed_up": round(ratio, 3)})
    return rows


def measure_pays(replays: Replays, subject: Subject, weights: Weights, launcher: Launcher) -> tuple[list[Row], Row]:
    """`pays` for a model and a precision, with the costs that were measured for it."""
    about = {"model": weights.name, "subject": subject.name}
    try:
        costs = measure_steps(subject, weights, launcher)
    except (CannotPrepare, SubjectFailed) as error:
        launcher.say(f"{weights.name}, {subject.name}: skipped: {error}")
        return [], {**about, "skipped": str(error)}
    rows = [{**about, **row} for row in pays(replays, costs)]
    best = max(rows, key=lambda row: float(row["speed_up"]))
    launcher.say(f"{weights.name}, {subject.name}: at best {best['speed_up']:.2f} ({best['draft']}, k={best['k']})")
    return rows, {**about, "step_ms": {str(count): round(1000 * seconds, 3) for count, seconds in costs.items()}}
