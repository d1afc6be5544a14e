"""What is asked of an engine: a prompt of ids, and how many rows of what length to write behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.engine.params import DEFAULT_STRENGTH, BeamParams, ContrastiveParams, SamplingParams


@dataclass(frozen=True)
class Request:
    """Already checked against the model's limits by whoever makes it.

    `seed` belongs to row 0; the others derive theirs (`params.row_seed`). `stop` strings are searched in the
    generated text; one that is a special token ends the row when that token is drawn. `num_logprobs` asks for the log
    probability of each drawn token and of that many likeliest ones; with `prompt_logprobs` also of the prompt's.
    `max_tokens` 0 only reads the prompt. `adapter` names one of those that the engine has; None is the base alone.
    `banned_phrases` never appear in the generated text, the words of `must_include` should: see `phrases` and
    `inclusion`. With `beams` the rows are the `n` best of a beam search, for which biases and penalties of `sampling`
    count only; it knows neither `stop` strings, log probabilities nor words to ban or to include.
    `contrastive` writes one row without drawing, which can't go back, so it knows no words to ban.
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
    banned_phrases: tuple[str, ...] = ()
    banned_phrases_case_sensitive: bool = False
    must_include: tuple[str, ...] = ()
    must_include_strength: float = DEFAULT_STRENGTH
    beams: BeamParams | None = None
    contrastive: ContrastiveParams | None = None

    def __post_init__(self) -> None:
        most = 1 if self.contrastive else self.beams.width if self.beams else self.n
        if self.n > most:
            raise ValueError(f"such a search has {most} answers at most, not {self.n}")
