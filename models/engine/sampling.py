"""How the next tokens are drawn: the exact distribution, for the rows of all requests at once.

The order of the steps is that of transformers' `generate`: penalties, temperature, top-k, top-p, min-p. The last three
are `truncation`'s.

Each row owns a generator and takes its numbers from there alone, and how many it takes depends on its own scores only.
So its text depends neither on the rows beside it nor on the device's random numbers. (The logits themselves may differ
in their last bits between batch shapes; that can only matter where a number lies within rounding of a border between
two tokens.)
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import torch

from models.engine.params import SamplingParams
from models.engine.truncation import BLOCK, Uniform, pick_among_likeliest, pick_by_mass

_COLDEST = 1e-30
"""A float32 holds no lower temperature, and none is any different."""


class RowSampler:
    """What one row brings to the drawing of its next token, and what it remembers of those before."""

    def __init__(self, params: SamplingParams, seed: int, prompt_ids: Sequence[int]) -> None:
        self.params = params
        self.uniform: Uniform = random.Random(seed).random
        self._prompt_ids = frozenset(prompt_ids)
        self._counts: Counter[int] = Counter()

    def adjust(self, scores: torch.Tensor) -> None:
        """Applies the penalties to `scores` [vocab], in place."""
        p = self.params
        if p.repetition_penalty != 1:
            seen = sorted(self._prompt_ids | self._counts.keys())
            if seen:
                penalise_repetition(scores, seen, p.repetition_penalty)
        if (p.presence_penalty or p.frequency_penalty) and self._counts:
            ids = torch.tensor(list(self._counts), device=scores.device)
            times = torch.tensor(list(self._counts.values()), device=scores.device, dtype=scores.dtype)
            scores.index_add_(0, ids, -(p.presence_penalty + p.frequency_penalty * times))

    def accept(self, token: int) -> None:
        """The row goes on with this token."""
        self._counts[token] += 1


def penalise_repetition(scores: torch.Tensor, seen: Sequence[int], penalty: float) -> None:
    """Makes every token in `seen` less likely, in place: a positive score is divided, a negative one multiplied."""
    ids = torch.tensor(seen, device=scores.device)
    old = scores[ids]
    scores[ids] = torch.where(old < 0, old * penalty, old / penalty)


def draw(samplers: Sequence[RowSampler], logits: Sequence[torch.Tensor]) -> list[int]:
    """The next token of each row, not yet accepted.

    `logits` are the model's, in blocks of [some rows, vocab], and are left as they are. Raises `ArithmeticError` where
    a row has no finite maximum.
    """
    vocab_size = logits[0].shape[-1]
    width = -(-vocab_size // BLOCK) * BLOCK
    scores = torch.full((len(samplers), width), -torch.inf, device=logits[0].device)
    first = 0
    for block in logits:
        scores[first : first + len(block), :vocab_size] = block
        first += len(block)
    for sampler, row in zip(samplers, scores, strict=True):
        sampler.adjust(row[:vocab_size])
    return pick(scores, [sampler.params for sampler in samplers], [sampler.uniform for sampler in samplers])


def pick(scores: torch.Tensor, params: Sequence[SamplingParams], uniforms: Sequence[Uniform]) -> list[int]:
    """A token for each row of `scores` [rows, a multiple of `BLOCK`]: logits after penalties, -inf behind the last.

    `scores` is used up. Raises `ArithmeticError` where a row has no finite maximum.
    """
    highest, likeliest = scores.max(-1, keepdim=True)
    if not bool(torch.isfinite(highest).all()):  # the maximum is NaN where any score is
        raise ArithmeticError("the model's output holds no finite maximum, so no token can be drawn")
    tokens: list[int] = likeliest[:, 0].tolist()
    sampled = [row for row, p in enumerate(params) if p.temperature > 0]
    if not sampled:
        return tokens
    # Measured from the highest score, no temperature can overflow.
    temperatures = [[max(p.temperature, _COLDEST)] for p in params]
    scores.sub_(highest).div_(torch.tensor(temperatures, device=scores.device))
    for is_counted, pick_rows in ((True, pick_among_likeliest), (False, pick_by_mass)):
        rows = [row for row in sampled if (params[row].top_k > 0) is is_counted]
        if rows:
            own = scores if len(rows) == len(scores) else scores[rows]
            picked = pick_rows(own, [params[row] for row in rows], [uniforms[row] for row in rows])
            for row, token in zip(rows, picked, strict=True):
                tokens[row] = token
    return tokens
