"""What is asked: the rounds that communities play.

W1 is one channel's round; W2 eight channels at once; W3 five turns of one channel, each prompt being the last one, a
candidate of it and a few tokens more; W4 channels that ask at random moments, with mixed lengths and numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.engine.params import SamplingParams
from models.engine.request import Request

PROMPT_TOKENS = 700
NEW_TOKENS = 80
NUM_CANDIDATES = 3
SAMPLING = SamplingParams(temperature=0.9, top_p=0.95)

Written = dict[str, list[list[int]]]
"""Request id → the tokens of its rows."""


@dataclass(frozen=True)
class Workload:
    """Turns one after the other; the requests of a turn come together.

    `next_turn(turn, written)` gives them, or nothing at the end; `written` is what the turn before brought.
    """

    name: str
    next_turn: Callable[[int, Written], Sequence[Request]]


@dataclass(frozen=True)
class Arrivals:
    """Requests with the seconds after the beginning at which they come."""

    name: str
    requests: Sequence[tuple[float, Request]]


def make(name: str, vocab_size: int, context_tokens: int) -> Workload:
    """W1, W2 or W3 for a model; prompts are cut where its context asks for that."""
    rng = random.Random(1)
    num_turns = 5 if name == "W3" else 1
    longest = context_tokens - num_turns * (NEW_TOKENS + 5)
    prompts = [
        tuple(rng.choices(range(10, vocab_size), k=min(PROMPT_TOKENS, longest)))
        for _ in range(8 if name == "W2" else 1)
    ]

    def next_turn(turn: int, written: Written) -> Sequence[Request]:
        if turn >= num_turns:
            return ()
        if turn > 0:
            (rows,) = written.values()
            prompts[0] = (*prompts[0], *rows[turn % NUM_CANDIDATES], *rng.choices(range(10, vocab_size), k=4))
        return [_round(f"{turn}.{channel}", prompt, turn) for channel, prompt in enumerate(prompts)]

    return Workload(name, next_turn)


def _round(name: str, prompt: tuple[int, ...], seed: int, n: int = NUM_CANDIDATES, new: int = NEW_TOKENS) -> Request:
    return Request(name, prompt, seed=seed, n=n, max_tokens=new, sampling=SAMPLING)


def make_arrivals(
    vocab_size: int, context_tokens: int, num_channels: int, seconds: float, per_second: float
) -> Arrivals:
    """W4: channels at random moments (a Poisson process), each going on with a story of its own."""
    rng = random.Random(2)
    stories = [
        rng.choices(range(10, vocab_size), k=rng.randint(50, min(PROMPT_TOKENS, context_tokens // 2)))
        for _ in range(num_channels)
    ]
    at = 0.0
    requests: list[tuple[float, Request]] = []
    while (at := at + rng.expovariate(per_second)) < seconds:
        story = rng.choice(stories)
        if len(story) > context_tokens - 260:
            del story[: len(story) // 2]
        n, new = rng.randint(2, 5), rng.randint(30, 120)
        requests.append((at, _round(f"{len(requests)}", tuple(story), len(requests), n, new)))
        story += rng.choices(range(10, vocab_size), k=new)
    return Arrivals("W4", requests)
