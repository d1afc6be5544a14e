"""How the next token is drawn: the exact distribution, one seeded generator per row.

The order of the steps is that of transformers' `generate`: penalties, temperature, top-k, top-p, min-p. In the order
of falling probability every one of the three truncations keeps a beginning of the list, so a draw is: find the length
of that beginning, then invert its cumulative distribution at one uniform number. `ranking` does it without a sort.

Each row owns a CPU generator and takes exactly one number from it per token, so its text depends neither on how many
rows run beside it nor on the device's random numbers. (The logits themselves may differ in their last bits between
batch shapes; that can only matter where the drawn number lies within rounding of a border between two tokens.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch

from models.engine.params import SamplingParams
from models.engine.ranking import Ranking


class RowSampler:
    """Draws the tokens of one row and remembers what its penalties need."""

    def __init__(self, params: SamplingParams, seed: int, prompt_ids: Sequence[int]) -> None:
        self._params = params
        self._generator = torch.Generator(device="cpu").manual_seed(seed)
        self._prompt_ids = frozenset(prompt_ids)
        self._counts: Counter[int] = Counter()

    def draw(self, logits: torch.Tensor) -> int:
        """The next token, given the model's logits [vocab] as float32; `logits` is left as it was."""
        scores = self._penalised(logits)
        highest = scores.max()
        if not bool(torch.isfinite(highest)):  # the maximum is NaN where any score is
            raise ArithmeticError("the model's output holds no finite maximum, so no token can be drawn")
        if self._params.temperature == 0:
            token = int(scores.argmax())
        else:
            uniform = float(torch.rand((), generator=self._generator, dtype=torch.float64))
            # Measured from the highest score, no temperature can overflow.
            token = pick((scores - highest) / self._params.temperature, self._params, uniform)
        self._counts[token] += 1
        return token

    def _penalised(self, logits: torch.Tensor) -> torch.Tensor:
        p = self._params
        if p.repetition_penalty != 1:
            seen = sorted(self._prompt_ids | self._counts.keys())
            if seen:
                logits = penalise_repetition(logits, seen, p.repetition_penalty)
        if (p.presence_penalty or p.frequency_penalty) and self._counts:
            ids = torch.tensor(list(self._counts), device=logits.device)
            times = torch.tensor(list(self._counts.values()), device=logits.device, dtype=logits.dtype)
            logits = logits.index_add(0, ids, -(p.presence_penalty + p.frequency_penalty * times))
        return logits


def penalise_repetition(logits: torch.Tensor, seen: Sequence[int], penalty: float) -> torch.Tensor:
    """Makes every token in `seen` less likely: a positive logit is divided, a negative one multiplied."""
    ids = torch.tensor(seen, device=logits.device)
    old = logits[ids]
    return logits.index_copy(0, ids, torch.where(old < 0, old * penalty, old / penalty))


def pick(scores: torch.Tensor, params: SamplingParams, uniform: float) -> int:
    """The token at `uniform` in [0, 1) of the truncated distribution, in order of falling probability.

    `scores` [vocab] are logits after penalties and temperature. Of tokens with equal scores at the border of top-k,
    exactly as many stay as fit.
    """
    probs = torch.softmax(scores, -1)
    ranking = Ranking(probs)
    kept = min(params.top_k, ranking.num_positive) if params.top_k else ranking.num_positive
    if params.top_p < 1:
        kept = min(kept, ranking.rank_at(params.top_p * ranking.mass_of(kept)) + 1)
    if params.min_p > 0:
        kept = min(kept, int((probs >= params.min_p * probs.max()).sum()))
    rank = min(ranking.rank_at(uniform * ranking.mass_of(kept)), kept - 1)
    return ranking.token_at(rank)
