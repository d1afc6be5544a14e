"""Speculative decoding by exact rejection sampling, replayed on texts that were drawn without it.

A guess drawn from q is accepted with probability min(1, p/q), and what stands there is distributed as p either way
(https://arxiv.org/abs/2211.17192). So the replay goes the other way round: a text drawn from p is kept as it is, and
each of its tokens came from an accepted guess with probability min(1, q/p). The number of tokens that a step is
expected to accept is then the sum of min(p, q) over the guesses that come into play.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from models.bench.speculation.drafts import Draft
from models.bench.speculation.texts import Text


@dataclass(frozen=True)
class Step:
    """`num_guesses` were checked beside the token that every step brings; `expected` of them are accepted."""

    num_guesses: int
    expected: float
    accepted: int


def replay(text: Text, draft: Draft, k: int, rng: random.Random) -> list[Step]:
    """The steps that bring the whole candidate; the last ones guess no further than its end."""
    steps: list[Step] = []
    place, end = text.start, len(text.ids)
    while place < end:
        guesses = draft.guesses(text, place, min(k, end - place - 1))
        expected, accepted = 0.0, 0
        for guess in guesses:
            expected += guess.overlap
            if rng.random() >= guess.accepts:
                break
            accepted += 1
        steps.append(Step(len(guesses), expected, accepted))
        place += accepted + 1
    return steps


def tokens_per_step(replays: Sequence[Sequence[Step]]) -> float:
    """One, and what is expected to be accepted beside it."""
    return 1 + fmean(step.expected for steps in replays for step in steps)


def round_s(rows: Sequence[Sequence[Step]], step_s: Callable[[float], float], share_of_step: float) -> float:
    """Seconds of a round whose candidates move together until each has ended.

    `step_s` is the time of a step over a number of rows. Guesses are made one after the other, all rows at once.
    """
    seconds = 0.0
    for at in range(max(map(len, rows))):
        live = [steps[at] for steps in rows if at < len(steps)]
        seconds += step_s(len(live) + sum(step.num_guesses for step in live))
        seconds += max(step.num_guesses for step in live) * share_of_step * step_s(len(live))
    return seconds


def speed_up(
    rounds: Sequence[Sequence[Sequence[Step]]],
    num_tokens: int,
    step_s: Callable[[float], float],
    share_of_step: float,
) -> float:
    """How many times as fast all rounds together are as without guesses."""
    plain = sum(num_tokens * step_s(len(rows)) for rows in rounds)
    return plain / sum(round_s(rows, step_s, share_of_step) for rows in rounds)


def interpolate(costs: dict[int, float]) -> Callable[[float], float]:
    """Seconds for any number of rows, between those that were measured, and on in a line beyond the last two."""
    known = sorted(costs.items())

    def at(rows: float) -> float:
        for (left, low), (right, high) in pairwise(known):
            if rows <= right or right == known[-1][0]:
                return low + (high - low) * (rows - left) / (right - left)
        return known[0][1]

    return at
