"""What is asked: the rounds that communities play.

W1 is one channel's round; W2 eight channels at once; W3 five turns of one channel, each prompt being the last one, a
candidate of it and a few tokens more; W4 channels that ask at random moments, with mixed lengths and numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.bench.runners.runner import Asked

PROMPT_TOKENS = 700
NEW_TOKENS = 80
NUM_CANDIDATES = 3
TEMPERATURE = 0.9
TOP_P = 0.95
NUM_TURNS = 5
HINT_TOKENS = 4
FIRST_ID = 10
"""Ids below are left to special tokens."""

Written = dict[str, list[list[int]]]
"""Request id → the tokens of its rows."""


@dataclass(frozen=True)
class Round:
    """A round as W1 has it, with the sizes that growth is measured over."""

    prompt_tokens: int = PROMPT_TOKENS
    n: int = NUM_CANDIDATES
    new_tokens: int = NEW_TOKENS
    num_channels: int = 1
    num_turns: int = 1


ROUNDS = {"W1": Round(), "W2": Round(num_channels=8), "W3": Round(num_turns=NUM_TURNS)}
WARM_UP = Round(prompt_tokens=64, new_tokens=8)


@dataclass(frozen=True)
class Workload:
    """Turns one after the other; the requests of a turn come together.

    `next_turn(turn, written)` gives them, or nothing at the end; `written` is what the turn before brought.
    """

    name: str
    next_turn: Callable[[int, Written], Sequence[Asked]]


def make(name: str, shape: Round, vocab_size: int, context_tokens: int, run: int = 0) -> Workload:
    """Prompts are cut where the context asks for that, and are others in every run, so that no cache knows them."""
    rng = random.Random(f"{name} {run}")
    longest = context_tokens - shape.num_turns * (shape.new_tokens + HINT_TOKENS + 1)
    count = min(shape.prompt_tokens, longest)
    prompts = [tuple(_draw(rng, vocab_size, count)) for _ in range(shape.num_channels)]

    def next_turn(turn: int, written: Written) -> Sequence[Asked]:
        if turn >= shape.num_turns:
            return ()
        if turn > 0:
            for channel, rows in enumerate(written.values()):
                chosen = rows[turn % len(rows)]
                prompts[channel] = (*prompts[channel], *chosen, *_draw(rng, vocab_size, HINT_TOKENS))
        return [
            _ask(f"{name}.{run}.{turn}.{channel}", prompt, rng, shape.n, shape.new_tokens)
            for channel, prompt in enumerate(prompts)
        ]

    return Workload(name, next_turn)


@dataclass(frozen=True)
class Arrivals:
    """W4: requests with the seconds at which they come, in this order; `channels` says whose each of them is."""

    requests: tuple[tuple[float, Asked], ...]
    channels: dict[str, int]


def make_arrivals(
    vocab_size: int, context_tokens: int, num_channels: int, seconds: float, per_second: float
) -> Arrivals:
    """Channels at random moments (a Poisson process), each going on with a story of its own."""
    rng = random.Random(2)
    stories = [
        _draw(rng, vocab_size, rng.randint(50, min(PROMPT_TOKENS, context_tokens // 2))) for _ in range(num_channels)
    ]
    at = 0.0
    requests: list[tuple[float, Asked]] = []
    channels: dict[str, int] = {}
    while (at := at + rng.expovariate(per_second)) < seconds:
        channel = rng.randrange(num_channels)
        story = stories[channel]
        if len(story) > context_tokens - 260:
            del story[: len(story) // 2]
        n, new = rng.randint(2, 5), rng.randint(30, 120)
        asked = _ask(f"W4.{len(requests)}", tuple(story), rng, n, new)
        requests.append((at, asked))
        channels[asked.id] = channel
        story += _draw(rng, vocab_size, new)
    return Arrivals(tuple(requests), channels)


def _ask(name: str, prompt: tuple[int, ...], rng: random.Random, n: int, new: int) -> Asked:
    return Asked(name, prompt, n, new, TEMPERATURE, TOP_P, seed=rng.randrange(2**31))


def _draw(rng: random.Random, vocab_size: int, count: int) -> list[int]:
    return rng.choices(range(FIRST_ID, vocab_size), k=count)
