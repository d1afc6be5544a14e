"""How the next tokens are drawn: the exact distribution, for the rows of all requests at once.

The order of the steps is that of transformers' `generate`: biases, penalties, temperature, top-k, top-p, min-p,
typical-p. The last four are `truncation`'s and `typical`'s.

Each row owns a generator and takes its numbers from there alone, and how many it takes depends on its own scores only.
So its text depends neither on the rows beside it nor on the device's random numbers. (The logits themselves may differ
in their last bits between batch shapes; that can only matter where a number lies within rounding of a border between
two tokens.)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch

from models.engine.dry import Dry
from models.engine.inclusion import Inclusion
from models.engine.params import SamplingParams
from models.engine.penalties import Penalties
from models.engine.truncation import BLOCK, Uniform, pick_among_likeliest, pick_by_mass
from models.engine.typical import pick_typical

_COLDEST = 1e-30
"""A float32 holds no lower temperature, and none is any different."""


class RowSampler:
    """What one row brings to the drawing of its next token, and what it remembers of those before."""

    def __init__(
        self,
        params: SamplingParams,
        seed: int,
        prompt_ids: Sequence[int],
        dry: Dry | None = None,
        inclusion: Inclusion | None = None,
    ) -> None:
        self.params = params
        self.uniform: Uniform = random.Random(seed).random
        self._penalties = Penalties(params, prompt_ids)
        self._dry = dry
        self._inclusion = inclusion  # whoever makes the text of the tokens tells it
        self.excluded: Sequence[int] = ()  # tokens that may not come next

    def adjust(self, scores: torch.Tensor) -> None:
        """Applies biases and penalties to `scores` [vocab], in place."""
        if self.params.logit_bias:
            ids, biases = zip(*self.params.logit_bias, strict=True)
            added = torch.tensor(biases, device=scores.device, dtype=scores.dtype)
            scores.index_add_(0, torch.tensor(ids, device=scores.device), added)
        self._penalties.apply(scores)
        if self._dry is not None:
            self._dry.adjust(scores)
        if self._inclusion is not None:
            self._inclusion.adjust(scores)
        if self.excluded:
            scores[torch.tensor(self.excluded, device=scores.device)] = -torch.inf

    def accept(self, token: int) -> None:
        """The row goes on with this token."""
        self._penalties.accept(token)
        if self._dry is not None:
            self._dry.accept(token)

    def take_back(self, count: int) -> None:
        """The row's last `count` tokens were not written after all; the numbers drawn for them stay drawn."""
        self._penalties.take_back(count)
        if self._dry is not None:
            self._dry.take_back(count)


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
    ways: dict[_Picker, list[int]] = {}
    for row in sampled:
        ways.setdefault(_picker(params[row]), []).append(row)
    for pick_rows, rows in ways.items():
        own = scores if len(rows) == len(scores) else scores[rows]
        picked = pick_rows(own, [params[row] for row in rows], [uniforms[row] for row in rows])
        for row, token in zip(rows, picked, strict=True):
            tokens[row] = token
    return tokens


_Picker = Callable[[torch.Tensor, Sequence[SamplingParams], Sequence[Uniform]], list[int]]


def _picker(params: SamplingParams) -> _Picker:
    if params.typical_p < 1:
        return pick_typical
    return pick_among_likeliest if params.top_k else pick_by_mass
