"""What is asked of an engine: a prompt of ids, and how many rows of what length to write behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.engine.params import SamplingParams


@dataclass(frozen=True)
class Request:
    """Already checked against the model's limits by whoever makes it.

    `seed` belongs to row 0; the others derive theirs (`params.row_seed`). `stop` strings are searched in the
    generated text; one that is a special token ends the row when that token is drawn. `num_logprobs` asks for the log
    probability of each drawn token and of that many likeliest ones; with `prompt_logprobs` also of the prompt's.
    `max_tokens` 0 only reads the prompt. `adapter` names one of those that the engine has; None is the base alone.
    """

    id: str
    prompt_ids: tuple[int, ...]
    seed: int
    n: int = 1
    max_tokens: int = 16
    sampling: SamplingParams = field(default_factory=SamplingParams)
    stop: tuple[str, ...] = ()
    num_logprobs: int | None = None
    prompt_logprobs: bool = False
    adapter: str | None = None
